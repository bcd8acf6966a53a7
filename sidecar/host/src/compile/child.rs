//! The child's side: puts itself under limits, compiles standard input, writes to standard output.

use std::{
    ffi::OsString,
    fmt::Display,
    fs,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use rustix::{
    process::{
        DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
    },
    thread::set_no_new_privs,
};

use super::SUBCOMMAND;

/// Files that the child may have open: its three, and what the standard library opens for a moment.
const FILES: u64 = 16;

/// How a child ends when it is not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The artefact is complete.
    Done,
    /// The compiler refused the module.
    Refused,
    /// The compiler had no memory left, and could say so.
    NoMemory,
    /// The limits could not be set, or input and output failed.
    Confinement,
}

impl Exit {
    pub(super) const fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Refused => 65,
            Self::NoMemory => 71,
            Self::Confinement => 74,
        }
    }
}

/// The child's `main`, if this process is one.
pub(super) fn main(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    args.nth(1).filter(|subcommand| subcommand == SUBCOMMAND)?;
    let exit = match compile(args) {
        Ok(()) => Exit::Done,
        Err((exit, sentence)) => {
            // The parent reads it; without anybody to read there is nobody to tell.
            drop(writeln!(io::stderr(), "{sentence}"));
            exit
        }
    };
    Some(u8::try_from(exit.code()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn compile(args: impl Iterator<Item = OsString>) -> Result<(), (Exit, String)> {
    let broken = |doing: &'static str| move |error: &dyn Display| (Exit::Confinement, format!("{doing}: {error}"));
    let limits: Option<Vec<u64>> = args.map(|arg| arg.to_str()?.parse().ok()).collect();
    let Some([address_space, cpu, output]) = limits.as_deref() else {
        return Err((Exit::Confinement, format!("{SUBCOMMAND} is for this program's own use")));
    };
    confine(*address_space, *cpu, *output).map_err(|error| broken("limits")(&error))?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| broken("reading the module")(&error))?;
    let engine = wasmtime::Engine::new(&crate::engine::config()).map_err(|error| verdict(&error))?;
    let code = engine.precompile_module(&bytes).map_err(|error| verdict(&error))?;
    io::stdout().lock().write_all(&code).map_err(|error| broken("writing the code")(&error))
}

fn verdict(error: &wasmtime::Error) -> (Exit, String) {
    let exit = if error.is::<wasmtime::OutOfMemory>() { Exit::NoMemory } else { Exit::Refused };
    (exit, format!("{error:#}"))
}

/// Limits that hold from here to the end. The first one is for the sidecar's sake: when memory runs short, the kernel is to
/// take the child.
fn confine(address_space: u64, cpu: u64, output: u64) -> io::Result<()> {
    fs::write("/proc/self/oom_score_adj", "1000")?;
    let limit = |resource, n| setrlimit(resource, Rlimit { current: Some(n), maximum: Some(n) });
    limit(Resource::As, address_space)?;
    limit(Resource::Cpu, cpu)?;
    limit(Resource::Fsize, output)?;
    limit(Resource::Nofile, FILES)?;
    limit(Resource::Core, 0)?;
    // A pipe as core pattern ignores the limit.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    // No compiler without a sidecar.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}
