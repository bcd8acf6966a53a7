//! A gear on its stream: connect, bind, run the loop, and do it again when something breaks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gear_config::{Identity, Input, Nats, names, status::Problem};
use gear_nats::{ConnectError, Endpoint, Session};
use tokio_util::sync::CancellationToken;

use crate::{
    Gear, Monitor, Tuning,
    attempts::jittered,
    engine::{Asides, Carry, Engine, Finish, Plan},
    jetstream::{self, Bound, JetStreamSink, JetStreamSource, Keeper, Names},
    link::Lost,
    problem::{self, problem},
};

/// First and longest pause between two attempts to connect or to bind. Short: everybody's traffic waits.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// A link that lived so long was good: the next attempt comes at once.
const GOOD: Duration = Duration::from_secs(10);
/// Longest wait for the last bytes to be written at the end.
const FLUSH: Duration = Duration::from_secs(2);

/// Everything that a stream is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose stream it is.
    pub identity: Identity,
    /// Where messages come from.
    pub input: Input,
    /// How to reach NATS.
    pub nats: Nats,
    /// Version of the program, for dead letters.
    pub version: String,
    /// Sizes and times.
    pub tuning: Tuning,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Everything in hand was settled.
    pub clean: bool,
    /// Deliveries that were left to the server.
    pub left: usize,
}

/// A gear on its stream.
#[derive(Debug)]
pub struct Stream<G> {
    settings: Settings,
    gear: Arc<G>,
    monitor: Monitor,
}

/// A link, ready to run.
struct Attached {
    session: Session,
    source: JetStreamSource,
    sink: JetStreamSink,
    keeper: Keeper,
    plan: Plan,
}

impl<G: Gear> Stream<G> {
    /// Nothing happens before [`Stream::run`].
    #[must_use]
    pub fn new(settings: Settings, gear: Arc<G>) -> Self {
        Self { settings, gear, monitor: Monitor::default() }
    }

    /// What others may see of it.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Runs until `stop` is cancelled and everything in hand is settled, at the latest `grace` after that. Whatever is
    /// missing meanwhile is named by the monitor and tried again.
    pub async fn run(self, stop: CancellationToken, grace: Duration) -> Ended {
        let mut carry = Carry::default();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let started = Instant::now();
            let lost = match self.attach().await {
                Err(problem) => {
                    failures += 1;
                    problem
                }
                Ok(attached) => match self.one_link(attached, &mut carry, &stop, grace).await {
                    Finish::Stopped { left } => return Ended { clean: left == 0, left },
                    Finish::Lost(lost) => {
                        failures = if started.elapsed() >= GOOD { 0 } else { failures + 1 };
                        carry.counts.disconnects += 1;
                        self.explain(lost)
                    }
                },
            };
            self.monitor.down(lost);
            let pause = jittered(PAUSE.1.min(PAUSE.0 * 2u32.pow(failures.min(5))), u64::from(failures) ^ seed(started));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        Ended { clean: true, left: 0 }
    }

    async fn one_link(
        &self,
        mut attached: Attached,
        carry: &mut Carry,
        stop: &CancellationToken,
        grace: Duration,
    ) -> Finish {
        let caller = Arc::clone(&self.gear);
        let call = move |key, input| {
            let gear = Arc::clone(&caller);
            async move { (key, gear.process(input).await) }
        };
        let asides = Asides { revision: &|input| self.gear.revision(input), handed_over: &|| self.gear.handed_over() };
        let halves = (&mut attached.source, &mut attached.sink);
        let engine = Engine::new(&attached.plan, &self.monitor, halves, (call, asides), carry);
        let finish = tokio::select! {
            finish = engine.run(stop, grace) => finish,
            () = attached.keeper.keep(&self.monitor) => Finish::Lost(Lost::Disconnected),
        };
        if let Finish::Stopped { .. } = finish {
            let last = async {
                attached.keeper.once(&self.monitor).await;
                // An error here means that the connection is gone: there is nothing left to write to.
                let _ = attached.session.client().flush().await;
            };
            let _ = tokio::time::timeout(FLUSH, last).await;
        }
        finish
    }

    async fn attach(&self) -> Result<Attached, Problem> {
        let Settings { identity, input, nats, version, tuning } = &self.settings;
        let durable = identity.durable();
        let endpoint = Endpoint::new(nats).map_err(|error| unreachable_nats(&error))?;
        let session = Session::open(&endpoint, &durable, &jetstream::inbox_prefix(&durable))
            .await
            .map_err(|error| unreachable_nats(&error))?;
        let names = Names::new(&endpoint, session.client(), identity, input);
        let bound = jetstream::bind(&session, &names, identity, input, unix_ms()).await?;
        let Bound { ack_wait, max_message, keeper, pending, ack_pending } = bound;
        self.monitor.update(|status| (status.pending, status.ack_pending) = (pending, ack_pending));
        let (source, mut sink) =
            jetstream::link(&session, names, max_message).await.map_err(|fault| fault.problem("the inbox"))?;
        sink.pulling(tuning);
        let plan = Plan {
            stream: input.stream.clone(),
            dead_letters: names::dead_letter_subject(&identity.namespace, &identity.name).into(),
            durable,
            version: version.clone(),
            ordered: input.ordered,
            ack_wait,
            tuning: tuning.clone(),
        };
        Ok(Attached { session, source, sink, keeper, plan })
    }

    fn explain(&self, lost: Lost) -> Problem {
        match lost {
            Lost::Broken(problem) => problem,
            Lost::Disconnected | Lost::Drained => {
                let url = Endpoint::new(&self.settings.nats).map(|endpoint| endpoint.servers().to_owned());
                problem(
                    problem::NATS_UNAVAILABLE,
                    format!("the connection to NATS at {} was lost; connecting again", url.unwrap_or_default()),
                )
            }
        }
    }
}

fn unreachable_nats(error: &ConnectError) -> Problem {
    let reason = if error.may_pass() { problem::NATS_UNAVAILABLE } else { problem::NATS_SETTINGS };
    problem(reason, jetstream::chain(error))
}

/// Pods that lost the same server must not come back in step.
fn seed(started: Instant) -> u64 {
    u64::from(std::process::id()) ^ u64::from(started.elapsed().subsec_nanos())
}

fn unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
