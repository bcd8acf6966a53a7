//! One revision, ready to be called.
//!
//! * A permit of the revision's concurrency is taken before an instance is made or picked, and given back after the call.
//! * **Fresh**: a new instance for each message, see [`fresh`]. **Persistent**: instances are kept, see [`kept`].
//! * What a call cost is told with its result, whatever the result is.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use gear_config::{Instance as Life, Limits};
use gear_module::{Grants, Inspection};
use tokio::sync::Semaphore;

use crate::{
    CallError, Engine, LoadError, Module, clock::Clock, error::Fault, instance::Instance, log, template::Template,
};

mod fresh;
mod kept;
mod selftest;

use kept::Kept;

/// Everything that decides what a guest may do and how it is run.
#[derive(Clone)]
pub struct Policy {
    /// Name of the revision, for log lines.
    pub revision: Arc<str>,
    /// Export to call for each message.
    pub entrypoint: String,
    /// What the guest may do beyond computing.
    pub grants: Grants,
    /// Bounds for each message. `outputMessages` and `outputSize` are the caller's to check.
    pub limits: Limits,
    /// How long an instance lives.
    pub instance: Life,
    /// The gear's own parameters.
    pub config: Arc<BTreeMap<String, String>>,
    /// Calls at once.
    pub concurrency: u32,
    /// Where log lines go.
    pub log: Arc<dyn log::Sink>,
}

/// Bytes that a guest is given.
pub trait Input: Send + Sync {
    /// How many there are.
    fn length(&self) -> usize;

    /// Writes all of them to `into`, which is exactly as long.
    fn write_to(&self, into: &mut [u8]);
}

impl Input for [u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn write_to(&self, into: &mut [u8]) {
        into.copy_from_slice(self);
    }
}

/// What a guest made of a message, as it lies in guest memory. Gone when the call is over: copy what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Code 0: one record or an array of them, not looked at yet. Never empty.
    Output(&'a [u8]),
    /// Code 1, or the guest's own number from 3 to 255.
    Reject {
        /// The number.
        code: u8,
        /// Text of the guest, may be empty, may be as long as its memory.
        reason: &'a str,
    },
    /// Code 2.
    Drop,
}

/// How a call ended, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Call<R> {
    /// What the caller made of the answer, or why there was none.
    pub result: Result<R, CallError>,
    /// What it cost.
    pub cost: Cost,
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// CPU time of the guest and of the host functions that it called.
    pub guest_time: Duration,
    /// Most bytes of linear memory that the instance had; 0 when there was none.
    pub memory: usize,
    /// Log lines that pointed outside of memory.
    pub ignored_log_lines: u32,
}

/// One revision, ready to be called. Cheap to clone.
#[derive(Clone)]
pub struct Guest(Arc<Inner>);

struct Inner {
    engine: Engine,
    template: Template,
    permits: Semaphore,
    /// `None` when each message has an instance of its own.
    kept: Option<Kept>,
    instance_cost: Duration,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({})", self.0.template.shared.revision)
    }
}

impl Guest {
    /// Checks, links and tries a module: after this it can be called. Runs guest code on the guest threads.
    pub async fn prepare(
        engine: &Engine,
        module: &Module,
        inspection: &Inspection,
        policy: Policy,
    ) -> Result<Self, LoadError> {
        let template = Template::new(engine, module, inspection, &policy)?;
        let permits = usize::try_from(policy.concurrency.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        let permits = permits.min(Semaphore::MAX_PERMITS);
        let kept = match policy.instance {
            Life::Fresh => None,
            Life::Persistent { max_messages } => {
                Some(Kept::new(max_messages, permits, policy.limits.memory.as_usize()))
            }
        };
        let inner = Inner {
            engine: engine.clone(),
            template,
            permits: Semaphore::new(permits),
            kept,
            instance_cost: Duration::ZERO,
        };
        let tested = engine.threads().run(selftest::run(inner)).await;
        let inner = tested.unwrap_or_else(|error| Err(LoadError::Start(error.to_string())))?;
        Ok(Self(Arc::new(inner)))
    }

    /// Instantiate + `_initialize` + drop, CPU time, median of nine.
    #[must_use]
    pub fn instance_cost(&self) -> Duration {
        self.0.instance_cost
    }

    /// Whether an instance waits for a message; never with a fresh one for each.
    #[must_use]
    pub fn has_waiting_instance(&self) -> bool {
        self.0.kept.as_ref().is_some_and(|kept| !kept.is_empty())
    }

    /// Gives one message to the guest. Poll it on guest threads ([`crate::Threads::run`]); dropping it gives the call up.
    ///
    /// `take` is called with the answer while it lies in guest memory.
    pub async fn call<I, R>(&self, input: &I, take: impl FnOnce(Answer<'_>) -> R + Send) -> Call<R>
    where
        I: Input + ?Sized,
        R: Send,
    {
        // The semaphore is never closed, so there always is a permit in the end.
        let _permit = self.0.permits.acquire().await.ok();
        match &self.0.kept {
            Some(kept) => self.call_kept(kept, input, take).await,
            None => self.call_fresh(input, take).await,
        }
    }

    /// Polls `call` under `clock`.
    async fn timed<R>(&self, clock: &Clock, call: impl Future<Output = Result<R, CallError>>) -> Result<R, CallError> {
        let ended = crate::clock::timed(clock, self.0.engine.alarms(), call).await;
        ended.unwrap_or_else(|stop| Err(Fault::Stop(stop).into_call_error(None)))
    }
}

impl Cost {
    fn note(&mut self, instance: &Instance) {
        self.memory = instance.memory_size();
        self.ignored_log_lines = instance.ignored_lines();
    }
}
