//! The stream in memory: the same loop over a twin of the server, for `wasmgear run` and for tests.
//!
//! What it is: inputs from an iterator, redelivery after the ack wait, naks with delay, a duplicate window, dead letters,
//! attempts. It ends by itself when every input is settled.
//! What it is not: a NATS server. Nothing is stored, nothing is shared, and time is the process's own.
//! What it can do beyond the server: go wrong on purpose, by a seed ([`Faults`]).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{HeaderMap, Subject};
use bytes::Bytes;
use gear_config::status::LedgerStatus;
use tokio_util::sync::CancellationToken;

use crate::{
    Gear, Monitor, Tuning,
    engine::{Asides, Carry, Engine, Finish, Plan},
    ledger::Counts,
    link::Lost,
};

mod broker;
mod fault;
mod link;

pub use fault::Faults;

use broker::Broker;
use link::{TwinSink, TwinSource};

/// One message to feed.
#[derive(Debug, Clone)]
pub struct Item {
    /// Subject that it seems to come from.
    pub subject: Subject,
    /// Body.
    pub payload: Bytes,
}

/// What came out.
#[derive(Debug, Clone)]
pub enum Emitted {
    /// A record of the gear. Given once for each record that the twin stored; a duplicate is not given again.
    Output {
        /// Sequence of the input, from 1 in the order of feeding.
        sequence: u64,
        /// Subject.
        subject: Subject,
        /// Headers, as the server would have them.
        headers: HeaderMap,
        /// The record.
        payload: Bytes,
    },
    /// A dead letter, or a part of one.
    DeadLetter {
        /// Sequence of the input.
        sequence: u64,
        /// Why, from a closed list.
        reason: String,
        /// A sentence, a backtrace, a reason of the guest.
        detail: String,
        /// Headers, as the server would have them.
        headers: HeaderMap,
        /// The original bytes.
        payload: Bytes,
    },
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sizes and times.
    pub tuning: Tuning,
    /// One message at a time, in the order of feeding.
    pub ordered: bool,
    /// Time after which an input that was not settled is delivered again.
    pub ack_wait: Duration,
    /// Largest record with headers.
    pub max_payload: usize,
    /// Namespace and name in dead letters.
    pub namespace: String,
    /// As above.
    pub name: String,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tuning: Tuning::default(),
            ordered: false,
            ack_wait: Duration::from_secs(30),
            max_payload: 1 << 20,
            namespace: "local".to_owned(),
            name: "run".to_owned(),
            faults: Faults::default(),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Every input is settled. False only when the run was stopped.
    pub drained: bool,
    /// The counts that balance.
    pub ledger: LedgerStatus,
    /// All counts.
    pub counts: Counts,
}

/// Feeds `inputs` to the gear until all are settled or `stop` is cancelled; what comes out is given to `emit`, in the
/// order in which it is stored.
pub async fn run<G, I, E>(inputs: I, gear: Arc<G>, options: Options, stop: CancellationToken, emit: E) -> Report
where
    G: Gear,
    I: IntoIterator<Item = Item>,
    I::IntoIter: Send + 'static,
    E: FnMut(Emitted) + Send + 'static,
{
    let monitor = Monitor::default();
    let mut carry = Carry::default();
    let plan = plan(&options);
    let shared = Arc::new(Mutex::new(Broker::new(Box::new(inputs.into_iter()), Box::new(emit), &options)));
    let drained = loop {
        let (source, sink) =
            (TwinSource::new(Arc::clone(&shared)), TwinSink::new(Arc::clone(&shared), options.max_payload));
        let finish = one_link(&plan, &monitor, (source, sink), Arc::clone(&gear), &mut carry, &stop).await;
        match finish {
            Finish::Lost(Lost::Drained) => break true,
            Finish::Stopped { .. } => break false,
            Finish::Lost(_) => {
                carry.counts.disconnects += 1;
                shared.lock().unwrap_or_else(PoisonError::into_inner).disconnected();
            }
        }
    };
    let counts = carry.counts;
    Report { drained, ledger: counts.ledger, counts }
}

async fn one_link<G: Gear>(
    plan: &Plan,
    monitor: &Monitor,
    (mut source, mut sink): (TwinSource, TwinSink),
    gear: Arc<G>,
    carry: &mut Carry,
    stop: &CancellationToken,
) -> Finish {
    let caller = Arc::clone(&gear);
    let call = move |key, input| {
        let gear = Arc::clone(&caller);
        async move { (key, gear.process(input).await) }
    };
    let asides = Asides { revision: &|input| gear.revision(input), handed_over: &|| gear.handed_over() };
    let engine = Engine::new(plan, monitor, (&mut source, &mut sink), (call, asides), carry);
    engine.run(stop, plan.ack_wait).await
}

fn plan(options: &Options) -> Plan {
    Plan {
        stream: "memory".to_owned(),
        durable: format!("memory_{}_{}", options.namespace, options.name),
        dead_letters: gear_config::names::dead_letter_subject(&options.namespace, &options.name).into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ordered: options.ordered,
        ack_wait: options.ack_wait,
        tuning: options.tuning.clone(),
    }
}
