//! What others may see of a running stream.

use std::sync::{Arc, Mutex, PoisonError};

use gear_config::status::{LedgerStatus, Problem, StreamStatus};

use crate::ledger::{Counts, Ledger};

/// A view of a running stream. Cheap to clone; reading never waits for the loop.
#[derive(Debug, Clone, Default)]
pub struct Monitor {
    ledger: Ledger,
    status: Arc<Mutex<StreamStatus>>,
}

impl Monitor {
    /// Connected or why not, and how much waits.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The counts that balance.
    #[must_use]
    pub fn ledger(&self) -> LedgerStatus {
        self.ledger.read().ledger
    }

    /// All counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ledger.read()
    }

    pub(crate) fn publish(&self, counts: &Counts) {
        self.ledger.publish(counts);
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut StreamStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Up and running.
    pub(crate) fn connected(&self) {
        self.update(|status| {
            status.connected = true;
            status.problem = None;
        });
    }

    /// Not running, for this reason. Said once in the log, not at every attempt.
    pub(crate) fn down(&self, problem: Problem) {
        self.trouble(problem, |status| status.connected = false);
    }

    /// Running, but something is in the way.
    pub(crate) fn hindered(&self, problem: Problem) {
        self.trouble(problem, |_| ());
    }

    fn trouble(&self, problem: Problem, change: impl FnOnce(&mut StreamStatus)) {
        self.update(|status| {
            if status.problem.as_ref() != Some(&problem) {
                tracing::warn!(reason = problem.reason, "{}", problem.message);
            }
            change(status);
            status.problem = Some(problem);
        });
    }

    pub(crate) fn unhindered(&self) {
        self.update(|status| {
            if status.problem.take().is_some() {
                tracing::info!("the stream flows again");
            }
        });
    }
}
