//! What others may see of this process: the one place that says whether it is ready, and why not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gear_config::{
    Document,
    status::{Problem, RevisionStatus, SidecarStatus},
};
use gear_host::Engine;
use gear_stream::Monitor;

use crate::problem::{problem, reason};

/// The state of this process. Cheap to clone; reading never waits for a message.
#[derive(Debug, Clone)]
pub struct State(Arc<Mutex<Phase>>);

#[derive(Debug, Clone)]
struct Phase {
    uid: String,
    epoch: u64,
    serving: Option<Serving>,
    revision: Option<RevisionStatus>,
    problem: Option<Problem>,
    monitor: Monitor,
}

/// What serves.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) engine: Engine,
    pub(crate) module: String,
    pub(crate) abi: &'static str,
    pub(crate) concurrency: u32,
}

impl Default for State {
    fn default() -> Self {
        let starting = problem(reason::STARTING, "the process has just started");
        Self(Arc::new(Mutex::new(Phase {
            uid: String::new(),
            epoch: 0,
            serving: None,
            revision: None,
            problem: Some(starting),
            monitor: Monitor::default(),
        })))
    }
}

impl State {
    /// Counts and state of the stream.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.lock().monitor.clone()
    }

    /// A document is being followed from now on.
    pub(crate) fn follow(&self, document: &Document) {
        let mut phase = self.lock();
        phase.uid.clone_from(&document.gear.uid);
        phase.epoch = document.epoch;
        let stable = &document.stable;
        phase.revision = Some(RevisionStatus {
            name: stable.name.clone(),
            digest: stable.digest,
            prepared: false,
            problem: None,
            instance_cost_us: None,
        });
    }

    /// The process can't serve, for this reason. Said once in the log, not at every attempt.
    pub(crate) fn hindered(&self, problem: Problem) {
        let mut phase = self.lock();
        if phase.problem.as_ref() != Some(&problem) {
            tracing::warn!(reason = problem.reason, "not ready: {}", problem.message);
        }
        if let Some(revision) = &mut phase.revision {
            revision.problem = Some(problem.clone());
        }
        phase.problem = Some(problem);
    }

    /// The revision is loaded and tested.
    pub(crate) fn prepared(&self, status: RevisionStatus, serving: Serving) {
        let mut phase = self.lock();
        (phase.revision, phase.serving, phase.problem) = (Some(status), Some(serving), None);
    }

    /// The stream that may be looked at from now on.
    pub(crate) fn attach(&self, monitor: Monitor) {
        self.lock().monitor = monitor;
    }

    /// The process is ending: no new work.
    pub(crate) fn ending(&self) {
        self.lock().problem = Some(problem(reason::SHUTTING_DOWN, "the process is ending"));
    }

    /// Why the process is not ready; `None` when it is: stable loaded and self-tested, stream connected.
    #[must_use]
    pub fn not_ready(&self) -> Option<Problem> {
        self.lock().not_ready()
    }

    /// The answer of `GET /status`.
    #[must_use]
    pub fn status(&self) -> SidecarStatus {
        let phase = self.lock().clone();
        SidecarStatus {
            version: env!("CARGO_PKG_VERSION").into(),
            not_ready: phase.not_ready(),
            stream: phase.monitor.status(),
            ledger: phase.monitor.ledger(),
            revisions: phase.revision.into_iter().collect(),
            uid: phase.uid,
            epoch: phase.epoch,
        }
    }

    pub(crate) fn serving(&self) -> (Option<Serving>, Option<RevisionStatus>) {
        let phase = self.lock();
        (phase.serving.clone(), phase.revision.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        // Whole values are exchanged under the lock: a poisoned one holds a sound state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn not_ready(&self) -> Option<Problem> {
        if let Some(problem) = &self.problem {
            return Some(problem.clone());
        }
        let stream = self.monitor.status();
        let connecting = || problem(reason::STARTING, "the stream is being connected");
        (!stream.connected).then(|| stream.problem.unwrap_or_else(connecting))
    }
}
