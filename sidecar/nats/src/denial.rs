//! What the server forbade. A refused publish has no answer of its own: the server sends an error line to the
//! connection, and whoever waits for the answer would only see time pass. So refusals are kept here by subject.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// Subjects kept; beyond that only their number matters, and one is enough to act on.
const KEPT: usize = 64;

/// Subjects that the server refused on one connection.
#[derive(Debug, Clone)]
pub struct Denials {
    seen: watch::Sender<BTreeSet<String>>,
}

impl Default for Denials {
    fn default() -> Self {
        Self { seen: watch::Sender::new(BTreeSet::new()) }
    }
}

impl Denials {
    pub(crate) fn note(&self, error: &str) {
        let Some(subject) = denied_subject(error) else { return };
        tracing::warn!(subject, "NATS refused: the user has no permission for this subject");
        self.seen.send_if_modified(|seen| seen.len() < KEPT && seen.insert(subject.to_owned()));
    }

    /// All subjects refused so far.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.seen.borrow().clone()
    }

    /// Waits until any subject is refused, and names it; for ever when none is.
    pub async fn first(&self) -> String {
        let mut seen = self.seen.subscribe();
        // The sender lives in `self`, so that waiting can't end otherwise.
        let seen = seen.wait_for(|seen| !seen.is_empty()).await.map(|seen| seen.first().cloned());
        seen.ok().flatten().unwrap_or_default()
    }

    /// Waits until this subject is refused; for ever when it never is.
    pub async fn of(&self, subject: &str) {
        let mut seen = self.seen.subscribe();
        // The sender lives in `self`, so that waiting can't end otherwise.
        let _ = seen.wait_for(|seen| seen.contains(subject)).await;
    }
}

/// The subject in the server's error line `Permissions Violation for Publish to "subject"`, if it is one.
#[must_use]
pub fn denied_subject(error: &str) -> Option<&str> {
    let (kind, rest) = error.split_once(" to \"")?;
    let known =
        kind.ends_with("Permissions Violation for Publish") || kind.ends_with("Permissions Violation for Subscription");
    let (subject, _) = rest.split_once('"')?;
    known.then_some(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_subject_is_known_by_name() {
        let denials = Denials::default();
        denials.note("nats: Permissions Violation for Publish to \"$JS.API.STREAM.INFO.flux-msg\"");
        denials.note("nats: maximum connections exceeded");
        denials.of("$JS.API.STREAM.INFO.flux-msg").await;
        assert_eq!(denials.all().len(), 1);
        assert_eq!(denials.first().await, "$JS.API.STREAM.INFO.flux-msg");
    }
}
