//! Exit codes that mean something.

use std::process::ExitCode;

use gear_host::Failure;
use gear_supply::{Class, FileError, SupplyError};
use wasmgear_sidecar::problem::{Trouble, chain};

/// How the program ends. `docs/reference/cli.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done; with `run`, no message was rejected, malformed or dead-lettered.
    Done,
    /// A fault: a file, a server, the network.
    Fault,
    /// `run` came to the end, and some messages were not OK.
    NotOk,
    /// The module can't be a gear, costs too much to compile, fails at its start, or asks for more than it is granted.
    Refused,
    /// The registry has no such module, or other bytes under that version.
    Registry,
    /// Arguments that can't be followed.
    Usage,
}

impl Exit {
    /// Every code.
    pub const ALL: [Self; 6] = [Self::Done, Self::Fault, Self::NotOk, Self::Refused, Self::Registry, Self::Usage];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::NotOk => 2,
            Self::Refused => 3,
            Self::Registry => 4,
            Self::Usage => 64,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub struct Failed {
    /// How the program ends.
    pub exit: Exit,
    /// One sentence.
    pub message: String,
}

impl Failed {
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, message: message.into() }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }
}

impl From<SupplyError> for Failed {
    fn from(error: SupplyError) -> Self {
        let exit = match error.class() {
            Class::ModuleNotFound
            | Class::VersionTaken
            | Class::DigestMismatch
            | Class::RegistryInvalid
            | Class::RegistryNotAllowed
            | Class::IndexMutable => Exit::Registry,
            Class::ModuleTooLarge => Exit::Refused,
            Class::RegistryUnavailable | Class::StoreUnavailable => Exit::Fault,
        };
        Self { exit, message: error.chain() }
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        let exit = if matches!(error, FileError::TooLarge { .. }) { Exit::Refused } else { Exit::Fault };
        Self { exit, message: chain(&error) }
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        let Trouble { problem, transient } = trouble;
        // A pod tries a failed start again: its CPU may have been taken. Here nothing tries again, and what failed is the
        // module or its configuration, no file and no server.
        let refused = !transient || problem.reason == Failure::Start.as_str();
        let exit = if refused { Exit::Refused } else { Exit::Fault };
        Self { exit, message: format!("{}: {}", problem.reason, problem.message) }
    }
}
