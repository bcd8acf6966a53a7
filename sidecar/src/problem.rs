//! Why the sidecar does not serve: reasons in one place, sentences from the errors.

use gear_config::status::Problem;
use gear_host::{LoadError, compile::CompileError};
use gear_module::{Denial, Refusal};
use gear_supply::{Class, SupplyError};

/// Reasons of the sidecar's own; those of its parts come with their errors.
pub mod reason {
    /// The process has just started.
    pub const STARTING: &str = "Starting";
    /// `gear.json` is missing, can't be read or contradicts itself.
    pub const DOCUMENT_INVALID: &str = "DocumentInvalid";
    /// The document asks for something that this release does not have.
    pub const NOT_AVAILABLE: &str = "NotAvailable";
    /// The module asks for more than it is granted.
    pub const NOT_GRANTED: &str = "NotGranted";
    /// The wasm engine could not be made.
    pub const ENGINE_UNAVAILABLE: &str = "EngineUnavailable";
    /// The process is ending.
    pub const SHUTTING_DOWN: &str = "ShuttingDown";
}

/// A cause, and whether it may go away without another document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Reason and sentence.
    pub problem: Problem,
    /// Whether trying again may help.
    pub transient: bool,
}

impl Trouble {
    /// A cause that stays until the document changes.
    #[must_use]
    pub fn lasting(reason: &str, message: impl Into<String>) -> Self {
        Self { problem: problem(reason, message), transient: false }
    }

    /// A cause that may go away by itself.
    #[must_use]
    pub fn passing(reason: &str, message: impl Into<String>) -> Self {
        Self { problem: problem(reason, message), transient: true }
    }
}

/// A reason with its sentence.
#[must_use]
pub fn problem(reason: &str, message: impl Into<String>) -> Problem {
    Problem { reason: reason.to_owned(), message: message.into() }
}

/// An error and its causes, in one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl From<SupplyError> for Trouble {
    fn from(error: SupplyError) -> Self {
        let class = error.class();
        // What a registry lacks can be put there without a new document: it is asked again, slowly. Whoever gave wrong
        // bytes for a digest is not asked again until the document changes.
        Self { problem: problem(class.as_str(), error.chain()), transient: class != Class::DigestMismatch }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::lasting(refusal.reason(), refusal.to_string())
    }
}

impl From<Vec<Denial>> for Trouble {
    fn from(denials: Vec<Denial>) -> Self {
        let reason = denials.first().map_or(reason::NOT_GRANTED, Denial::reason);
        Self::lasting(reason, denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

impl From<CompileError> for Trouble {
    fn from(error: CompileError) -> Self {
        let transient = matches!(error, CompileError::Io { .. } | CompileError::Child(_));
        Self { problem: problem(error.reason(), chain(&error)), transient }
    }
}

impl From<LoadError> for Trouble {
    fn from(error: LoadError) -> Self {
        let transient = matches!(error, LoadError::Start(_) | LoadError::Artifact { .. });
        Self { problem: problem(error.reason(), chain(&error)), transient }
    }
}

#[cfg(test)]
mod tests {
    use gear_module::Digest;

    use super::*;

    #[test]
    fn a_registry_that_gave_wrong_bytes_is_not_asked_again_and_one_that_had_none_is() {
        let (registry, what) = ("main".to_owned(), "sha256:00".to_owned());
        let (wanted, found) = (Digest::of(b"wanted"), Digest::of(b"found"));
        let mismatch = SupplyError::Mismatch { registry: registry.clone(), what: what.clone(), wanted, found };
        let trouble = Trouble::from(mismatch);
        assert_eq!((trouble.problem.reason.as_str(), trouble.transient), ("DigestMismatch", false));
        let unavailable = SupplyError::Unavailable { registry, doing: what, source: "refused".into() };
        let trouble = Trouble::from(unavailable);
        assert_eq!((trouble.problem.message.ends_with(": refused"), trouble.transient), (true, true));
    }
}
