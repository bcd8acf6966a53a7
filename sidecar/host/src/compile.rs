//! Compiling in a child process, because a module may be made to break the compiler.
//!
//! * A few hundred KiB of wasm can ask Cranelift for gigabytes, or for half a minute. So the bytes go to a child: this very
//!   program with a hidden subcommand, an empty environment, three files (everything
//!   that this process opens is closed on exec), limits on memory and time, first in line
//!   for the OOM killer. One at a time in a process.
//! * A child that dies is [`CompileError::Limit`]: that digest is not tried again in this process.
//! * It also keeps the compiler's memory out of the sidecar.
//! * The artefact is written under a temporary name and renamed when the child succeeded, into a directory that is ours
//!   alone. An artefact of an earlier run with the same fingerprint is used again.
//!
//! Nothing here blocks an async thread: the child is watched from a thread of its own.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use gear_module::Digest;
use tokio::sync::oneshot;

use crate::{Artifact, Engine};

mod child;
mod folder;
mod parent;

/// Hidden subcommand of every program that compiles.
const SUBCOMMAND: &str = "compile-module";

/// One child at a time.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// To be called first thing in `main` of a program that compiles: when this process is a compiler's child, does the child's
/// work and returns what to exit with; `None` in every other process.
#[must_use]
pub fn child_main() -> Option<ExitCode> {
    child::main(std::env::args_os())
}

/// What a compilation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the child, bytes.
    pub address_space: u64,
    /// CPU time of the child, whole seconds.
    pub cpu: Duration,
    /// Wall time, the start of the child included.
    pub wall: Duration,
    /// Bytes of the artefact.
    pub output: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            address_space: 1 << 30,
            cpu: Duration::from_mins(1),
            // A pod with a fifth of a core gets its minute, too.
            wall: Duration::from_mins(6),
            output: 256 << 20,
        }
    }
}

/// Why there is no artefact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The child died or was ended: the module costs more than it may.
    #[error("compiling the module was given up: {0}; it is not tried again here")]
    Limit(String),
    /// The compiler refused the module.
    #[error("the compiler refused the module: {0}")]
    Refused(String),
    /// The directory for artefacts, or the child, could not be made.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The child could not put itself under its limits, or the program has no such subcommand.
    #[error("the compiler's child did not start as it should: {0}")]
    Child(String),
}

impl CompileError {
    /// The CamelCase word for conditions, status and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Limit(_) => "CompileLimit",
            Self::Refused(_) => "CompileRefused",
            Self::Io { .. } | Self::Child(_) => "CompileFailed",
        }
    }
}

/// Compiles modules, each once.
#[derive(Debug)]
pub struct Compiler {
    program: PathBuf,
    folder: PathBuf,
    limits: CompileLimits,
    /// Digests that are not tried again, and why.
    given_up: Mutex<HashMap<Digest, Verdict>>,
}

/// A verdict on a module that stays.
#[derive(Debug, Clone)]
enum Verdict {
    Limit(String),
    Refused(String),
}

impl Compiler {
    /// `program` is this executable (its `main` calls [`child_main`]); `folder` is made with mode 0700, and has to be ours.
    pub fn new(program: &Path, folder: &Path, limits: CompileLimits) -> Result<Self, CompileError> {
        folder::make(folder)?;
        Ok(Self { program: program.to_owned(), folder: folder.to_owned(), limits, given_up: Mutex::default() })
    }

    /// The artefact of the module with `digest`: from this folder, or compiled now. `bytes` have to be those of the digest,
    /// and inspected before.
    pub async fn compile(
        &self,
        engine: &Engine,
        digest: Digest,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Artifact, CompileError> {
        // Before and after waiting for a turn: somebody else's bomb delays nobody who has an answer.
        self.verdict(digest)?;
        let one = ONE_AT_A_TIME.lock().await;
        self.verdict(digest)?;
        let path = self.folder.join(format!("{}-{}.cwasm", digest.hex(), engine.fingerprint()));
        if folder::is_own_file(&path) {
            return Ok(Artifact::written_by_own_child(path));
        }
        let (done, result) = oneshot::channel();
        let (program, limits, target) = (self.program.clone(), self.limits, path.clone());
        let watch = move || {
            // Given up by the caller or not, the child is seen to its end before the next one may start.
            let _one = one;
            // Nobody waits any more: the artefact is there for whoever asks next.
            drop(done.send(parent::run(&program, &target, bytes.as_ref(), &limits)));
        };
        let thread = thread::Builder::new().name("compile".to_owned()).stack_size(256 << 10);
        thread.spawn(watch).map_err(|source| CompileError::Io {
            doing: "could not start a thread for",
            path: path.clone(),
            source,
        })?;
        let result = result.await.unwrap_or_else(|_| Err(CompileError::Child("its watcher panicked".to_owned())));
        if let Some(verdict) = result.as_ref().err().and_then(Verdict::of) {
            self.given_up.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, verdict);
        }
        result.map(|()| Artifact::written_by_own_child(path))
    }

    fn verdict(&self, digest: Digest) -> Result<(), CompileError> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.get(&digest).map_or(Ok(()), |verdict| Err(verdict.clone().into()))
    }

    /// Removes the artefacts of all modules but those in `keep`. One that is mapped stays usable until it is dropped.
    pub fn prune(&self, keep: &[Digest]) -> Result<(), CompileError> {
        folder::prune(&self.folder, keep)
    }
}

impl Verdict {
    fn of(error: &CompileError) -> Option<Self> {
        match error {
            CompileError::Limit(detail) => Some(Self::Limit(detail.clone())),
            CompileError::Refused(detail) => Some(Self::Refused(detail.clone())),
            CompileError::Io { .. } | CompileError::Child(_) => None,
        }
    }
}

impl From<Verdict> for CompileError {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Limit(detail) => Self::Limit(detail),
            Verdict::Refused(detail) => Self::Refused(detail),
        }
    }
}
