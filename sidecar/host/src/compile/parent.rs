//! The parent's side: starts a child, watches it, judges how it ended.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::{fs::OpenOptionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{MemfdFlags, memfd_create};

use super::{CompileError, CompileLimits, SUBCOMMAND, child::Exit, folder::UNFINISHED};
use crate::log;

/// How often the child is looked at.
const LOOK: Duration = Duration::from_millis(2);
/// The one word that the child is told: its allocator, if it is mimalloc, must not begin by reserving all of the address space
/// that the child may have.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "64MiB");
/// Longest text of the child that an error repeats.
const SAID: u64 = 1_000;

/// Compiles `bytes` into `target`.
pub(super) fn run(program: &Path, target: &Path, bytes: &[u8], limits: &CompileLimits) -> Result<(), CompileError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| CompileError::Io { doing, path, source }
    };
    let unfinished = target.with_file_name(UNFINISHED);
    // One at a time in a process, and the directory is this process's own: a file of that name was left by a killed run.
    drop(fs::remove_file(&unfinished));
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
    let output = open.map_err(io("could not write", &unfinished))?;
    let input = memory_file(bytes).map_err(io("could not hand over the module to", program))?;
    let mut said = memory_file(&[]).map_err(io("could not make a file for the words of", program))?;
    let words = said.try_clone().map_err(io("could not make a file for the words of", program))?;
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .args([limits.address_space, limits.cpu.as_secs().max(1), limits.output].map(|limit| limit.to_string()))
        .env_clear()
        .env(ALLOCATOR.0, ALLOCATOR.1)
        .current_dir("/")
        .stdin(input)
        .stdout(output)
        .stderr(words)
        .spawn()
        .map_err(io("could not start", program))?;
    let ended = watch(&mut child, limits.wall).map_err(io("could not wait for", program))?;
    let verdict = judge(ended, limits, &heard(&mut said));
    if verdict.is_ok() {
        return fs::rename(&unfinished, target).map_err(io("could not rename to", target));
    }
    // What is left is removed at the next start at the latest.
    drop(fs::remove_file(&unfinished));
    verdict
}

/// A file in memory with `bytes`, at its begin: nothing to wait for, unlike a pipe.
fn memory_file(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("module", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// Waits for the child; ends it at `wall`. `None` when it had to be ended.
fn watch(child: &mut Child, wall: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > wall {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

fn judge(ended: Option<ExitStatus>, limits: &CompileLimits, said: &str) -> Result<(), CompileError> {
    let CompileLimits { address_space, cpu, wall, output } = limits;
    let Some(status) = ended else {
        return Err(CompileError::Limit(format!("it was not done after {wall:?}")));
    };
    let costs =
        format!("{} MiB of memory, {cpu:?} of CPU time and {} MiB of output", address_space >> 20, output >> 20);
    match status.code() {
        Some(code) if code == Exit::Done.code() => Ok(()),
        Some(code) if code == Exit::Refused.code() => Err(CompileError::Refused(said.to_owned())),
        Some(code) if code == Exit::Confinement.code() => Err(CompileError::Child(said.to_owned())),
        // An allocation that failed in the open, or a panic of the compiler.
        Some(_) => Err(CompileError::Limit(format!("it needs more than {costs}, or breaks the compiler ({said})"))),
        None => {
            let signal = status.signal().unwrap_or_default();
            Err(CompileError::Limit(format!("it needs more than {costs} (the child was ended by signal {signal})")))
        }
    }
}

/// The last words of the child, on one line.
fn heard(said: &mut File) -> String {
    let mut bytes = Vec::new();
    // Words that can't be read are no reason to fail.
    drop(said.rewind().and_then(|()| said.take(SAID).read_to_end(&mut bytes)));
    let text = String::from_utf8_lossy(&bytes);
    log::printable(text.trim(), log::Masking::On).into_owned()
}
