//! What can go wrong between a reference and its bytes.

use std::{error::Error, time::Duration};

use gear_module::Digest;

/// A reference that could not be resolved, or bytes that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// No registry takes references of this form.
    #[error("{reference}: no registry takes it; registries take {}; change the reference or the list of registries", allowed.join(", "))]
    NotAllowed {
        /// The reference.
        reference: String,
        /// Prefixes that registries take, in order.
        allowed: Vec<String>,
    },
    /// The registry answers and does not have it.
    #[error("registry {registry} has no {what}; {next}")]
    NotFound {
        /// Name of the registry.
        registry: String,
        /// A reference or a digest.
        what: String,
        /// What to do.
        next: String,
    },
    /// Other bytes, or another digest, than was asked for.
    #[error(
        "{what} in registry {registry}: expected {wanted}, found {found}; it was changed or damaged, push it again under a new version"
    )]
    Mismatch {
        /// Name of the registry.
        registry: String,
        /// What was asked for.
        what: String,
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// Larger than the limit.
    #[error(
        "{what} in registry {registry}: {size} bytes or more, at most {limit} are taken; make the module smaller (strip names and debug sections)"
    )]
    TooLarge {
        /// Name of the registry.
        registry: String,
        /// What was asked for.
        what: String,
        /// The size that was declared, or that had come when reading stopped.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The registry holds something that contradicts itself.
    #[error("{what} in registry {registry}: {problem}; push it again")]
    Invalid {
        /// Name of the registry.
        registry: String,
        /// What was asked for.
        what: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// The version has other bytes; versions are written once.
    #[error(
        "{reference} in registry {registry} is {has}, and versions are written once; give these bytes ({offered}) a new version"
    )]
    VersionTaken {
        /// Name of the registry.
        registry: String,
        /// The reference.
        reference: String,
        /// The digest that it has.
        has: Digest,
        /// The digest that was offered.
        offered: Digest,
    },
    /// The server would let a version be overwritten.
    #[error("registry {registry}: bucket {bucket} is not write-once ({problem}); correct it with: wasmgear init")]
    IndexMutable {
        /// Name of the registry.
        registry: String,
        /// The bucket.
        bucket: String,
        /// Which setting, and what is expected.
        problem: String,
    },
    /// The registry does not answer, or answers with a fault of its own.
    #[error("registry {registry} is unavailable: {doing}")]
    Unavailable {
        /// Name of the registry.
        registry: String,
        /// What was being done.
        doing: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The deadline passed.
    #[error("{what}: not had within {deadline:?}")]
    Deadline {
        /// What was asked for.
        what: String,
        /// The deadline.
        deadline: Duration,
        /// The last fault, when there was one.
        #[source]
        source: Option<Box<SupplyError>>,
    },
    /// The list of registries contradicts itself.
    #[error("registry {registry}: {problem}")]
    Config {
        /// Name of the registry.
        registry: String,
        /// What was found and what is expected.
        problem: String,
    },
    /// The store on disk can't be read or written.
    #[error("module store {path}: {doing}")]
    Store {
        /// The folder or file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// What kind of failure it is. The names are reasons of conditions and labels of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// No registry takes it.
    RegistryNotAllowed,
    /// Not there.
    ModuleNotFound,
    /// Other bytes.
    DigestMismatch,
    /// Too large.
    ModuleTooLarge,
    /// The registry's content contradicts itself.
    RegistryInvalid,
    /// The version has other bytes.
    VersionTaken,
    /// The index can be overwritten.
    IndexMutable,
    /// Not reachable, or not in time.
    RegistryUnavailable,
    /// The local store failed.
    StoreUnavailable,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::RegistryNotAllowed,
        Self::ModuleNotFound,
        Self::DigestMismatch,
        Self::ModuleTooLarge,
        Self::RegistryInvalid,
        Self::VersionTaken,
        Self::IndexMutable,
        Self::RegistryUnavailable,
        Self::StoreUnavailable,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RegistryNotAllowed => "RegistryNotAllowed",
            Self::ModuleNotFound => "ModuleNotFound",
            Self::DigestMismatch => "DigestMismatch",
            Self::ModuleTooLarge => "ModuleTooLarge",
            Self::RegistryInvalid => "RegistryInvalid",
            Self::VersionTaken => "VersionTaken",
            Self::IndexMutable => "IndexMutable",
            Self::RegistryUnavailable => "RegistryUnavailable",
            Self::StoreUnavailable => "StoreUnavailable",
        }
    }

    /// Whether it may get better without a change of a reference, a setting or the registry's content.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::RegistryUnavailable | Self::StoreUnavailable)
    }
}

impl SupplyError {
    /// What kind of failure it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::NotAllowed { .. } => Class::RegistryNotAllowed,
            Self::NotFound { .. } => Class::ModuleNotFound,
            Self::Mismatch { .. } => Class::DigestMismatch,
            Self::TooLarge { .. } => Class::ModuleTooLarge,
            Self::Invalid { .. } | Self::Config { .. } => Class::RegistryInvalid,
            Self::VersionTaken { .. } => Class::VersionTaken,
            Self::IndexMutable { .. } => Class::IndexMutable,
            Self::Unavailable { .. } | Self::Deadline { .. } => Class::RegistryUnavailable,
            Self::Store { .. } => Class::StoreUnavailable,
        }
    }

    /// The sentence with all its causes, for a condition or a terminal.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_of_the_network_or_the_disk_are_transient() {
        let transient: Vec<_> =
            Class::ALL.into_iter().filter(|class| class.is_transient()).map(Class::as_str).collect();
        assert_eq!(transient, ["RegistryUnavailable", "StoreUnavailable"]);
    }

    #[test]
    fn the_chain_names_the_last_fault_behind_a_deadline() {
        let last = SupplyError::Unavailable {
            registry: "main".into(),
            doing: "GET /modules".into(),
            source: "connection refused".into(),
        };
        let error = SupplyError::Deadline {
            what: "sha256:00".into(),
            deadline: Duration::from_secs(1),
            source: Some(Box::new(last)),
        };
        assert_eq!(
            error.chain(),
            "sha256:00: not had within 1s: registry main is unavailable: GET /modules: connection refused"
        );
    }
}
