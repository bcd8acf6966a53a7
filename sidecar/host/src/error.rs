//! Why a guest could not be loaded, and why a call ended.
//!
//! The list of failures is closed and decides what becomes of the message. It is made by downcast on wasmtime's `Trap` and on
//! our own marker [`Stop`], never by text.

use std::fmt;

use gear_module::{Denial, Refusal};

mod detail;

pub(crate) use detail::{Fault, Stop};

/// Why a call ended without an answer. The names are reasons of dead letters and labels of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A wasm trap, or an abort that the guest asked for.
    Trap,
    /// More CPU time inside the guest than `limits.guestTime`.
    GuestTime,
    /// More wall time than `limits.messageTime`.
    MessageTime,
    /// A trap or exit after a growth of memory was refused.
    Memory,
    /// Start function or `_initialize` failed.
    Start,
    /// The guest broke the calling convention.
    Abi,
}

impl Failure {
    /// The name, as in dead letters and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "Trap",
            Self::GuestTime => "GuestTime",
            Self::MessageTime => "MessageTime",
            Self::Memory => "Memory",
            Self::Start => "Start",
            Self::Abi => "Abi",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}: {detail}")]
pub struct CallError {
    /// Decides what becomes of the message.
    pub failure: Failure,
    /// One line for people: what happened and where, with the guest's own names. Escaped, and masked where it repeats text
    /// of the guest.
    pub detail: String,
}

/// Why the engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Wasmtime refused the configuration, or the address space for the pool is not there.
    #[error("the wasm engine could not be made for {slots} instances; the process needs address space for 4 GiB each")]
    Wasmtime {
        /// Instances that the pool was to hold.
        slots: u32,
        /// What wasmtime said.
        #[source]
        source: wasmtime::Error,
    },
    /// A thread could not be started.
    #[error("a thread of the wasm engine could not be started")]
    Thread(#[source] std::io::Error),
}

/// Why a revision is not ready to be called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The module can't be a gear, or not with this revision's limits.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The module asks for more than it is granted.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Denied(Vec<Denial>),
    /// The compiled artefact could not be mapped: written by another version of this program, or damaged.
    #[error("the compiled module {path} could not be mapped; remove it and it is compiled again")]
    Artifact {
        /// The file.
        path: String,
        /// What wasmtime said.
        #[source]
        source: wasmtime::Error,
    },
    /// The module and the linker disagree, which the import check should have caught.
    #[error("the module could not be linked")]
    Link(#[source] wasmtime::Error),
    /// Start function or `_initialize` failed in the self-test.
    #[error("the first instance of the module could not be started: {0}")]
    Start(String),
}

impl LoadError {
    /// The CamelCase word for conditions, status and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::Denied(denials) => denials.first().map_or("NotGranted", Denial::reason),
            Self::Artifact { .. } => "ArtifactUnusable",
            Self::Link(_) => "LinkFailed",
            Self::Start(_) => Failure::Start.as_str(),
        }
    }
}
