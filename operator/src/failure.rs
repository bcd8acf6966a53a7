//! Why a gear can't have what it asks for, in the words of conditions.

use wasmgear_crds::Reason;

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// When the resource changes: nothing else can help.
    OnChange,
    /// Now and then: somebody may push a module or make a Secret, and nobody tells us.
    Outside,
    /// With backoff: it comes back by itself.
    Backoff,
}

/// Why a gear can't have what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The word of the condition, the Event and the metric.
    pub reason: Reason,
    /// One sentence: what, where, what helps.
    pub message: String,
    /// When to look again.
    pub retry: Retry,
}

impl Failure {
    /// A failure that only a change of the resource ends.
    pub(crate) fn on_change(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry: Retry::OnChange }
    }

    /// Whether nothing will change before somebody changes something.
    #[must_use]
    pub(crate) fn is_stalled(&self) -> bool {
        self.retry != Retry::Backoff
    }
}

/// A chain of causes as one sentence.
#[must_use]
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
