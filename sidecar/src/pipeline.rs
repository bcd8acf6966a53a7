//! One message: from the bytes of the stream to the bytes of the stream. The steps, in this order:
//!
//! 1. **peek**: one walk says whether it is a fluxMsg. What is none is `Malformed`; a probe is a probe, whatever else it is.
//! 2. **arrival hop**: spliced in while the record is copied into guest memory. Nothing else of it changes.
//! 3. **call** the guest.
//! 4. **outputs**: each is walked and checked in guest memory, gets an id when it has none, the output hop and trace
//!    context, loses `flux.port`, and is copied out in the same move. All of them, before the first is published.
//! 5. The `Nats-Msg-Id` of each names the stored input, so that the same input can never count twice.
//!
//! All of it happens on a guest thread, in one job: the runtime of NATS only hands over and takes back. What the outcome
//! leads to is decided by `gear_stream`, nowhere here.

use std::{
    future::pending,
    sync::Arc,
    time::{Instant, SystemTime},
};

use gear_abi::{Edit, Hop, Limits, OutputLimits, Parts, Peek, Shape, peek, splice};
use gear_config::{OnReject, Revision};
use gear_host::{Answer, CallError, Guest, JobError, Threads};
use gear_module::Abi;
use gear_stream::{Failure, Gear, Input, Outcome, RevisionTag, Verdict};
use gear_telemetry::trace::MessageTracer;

use crate::{identity::Wire, metrics::Metrics};

mod emit;

use emit::Emission;

/// Bounds of every record, fluxrig's own defaults.
pub(crate) const RECORD: Limits = Limits { hops: 64, payload: 2 << 20 };

/// What processes the messages of one revision. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(Arc<Inner>);

/// The parts of a [`Pipeline`].
pub struct PipelineParts {
    /// Who the gear is on the wire.
    pub wire: Wire,
    /// The guest, ready to be called.
    pub guest: Guest,
    /// How it is called.
    pub abi: Abi,
    /// Where it runs.
    pub threads: Threads,
    /// Makes spans, when they go anywhere.
    pub tracer: Option<MessageTracer>,
    /// Counts.
    pub metrics: Metrics,
}

struct Inner {
    parts: PipelineParts,
    tag: Arc<RevisionTag>,
    on_reject: OnReject,
    shape: Shape,
    limits: OutputLimits,
}

impl Pipeline {
    /// Joins the parts for one revision.
    #[must_use]
    pub fn new(revision: &Revision, parts: PipelineParts) -> Self {
        let tag =
            RevisionTag { name: revision.name.clone(), digest: revision.digest.to_string(), retry: revision.retry };
        let shape = match parts.abi {
            Abi::Flux1 => Shape::OneOrMany,
            Abi::Rack => Shape::One,
        };
        let limits = OutputLimits {
            messages: usize::try_from(revision.limits.output_messages).unwrap_or(usize::MAX),
            size: revision.limits.output_size.as_usize(),
            record: RECORD,
        };
        Self(Arc::new(Inner { parts, tag: Arc::new(tag), on_reject: revision.on_reject, shape, limits }))
    }
}

impl Gear for Pipeline {
    fn revision(&self, _input: &Input) -> Arc<RevisionTag> {
        Arc::clone(&self.0.tag)
    }

    async fn process(&self, input: Input) -> Verdict {
        let inner = Arc::clone(&self.0);
        // In a box: what a call holds is some KiB, and would be copied at each step of handing it over.
        let job = self.0.parts.threads.queue(async move { Box::pin(inner.work(&input)).await });
        let (outcome, trace) = match job.await {
            Ok(done) => done,
            Err(error @ JobError::Panicked(_)) => {
                let detail = format!("{error}; this is an error of the sidecar, please report it");
                (Outcome::Failed { failure: Failure::Crash, detail }, None)
            }
            // The process is ending: the message stays un-acked and is delivered again.
            Err(JobError::Stopped) => pending().await,
        };
        Verdict { revision: Arc::clone(&self.0.tag), outcome, trace }
    }

    fn handed_over(&self) {
        self.0.parts.threads.wake();
    }
}

impl Inner {
    /// The outcome, and the trace of the message where a dead letter may follow.
    async fn work(&self, input: &Input) -> (Outcome, Option<String>) {
        let record = match peek(&input.payload, &RECORD) {
            Ok(record) => record,
            Err(error) => return (self.malformed(error.to_string()), None),
        };
        if record.is_probe() {
            return (Outcome::Probe, None);
        }
        let outcome = self.process(input, &record).await;
        let ends_well = matches!(outcome, Outcome::Emit(_) | Outcome::Drop | Outcome::Probe);
        let trace = record.traceparent().filter(|_| !ends_well).map(std::borrow::Cow::into_owned);
        (outcome, trace)
    }

    async fn process(&self, input: &Input, record: &Peek<'_>) -> Outcome {
        let PipelineParts { wire, guest, metrics, tracer, .. } = &self.parts;
        let arrival = Hop::new(wire.gear, wire.input, now());
        let parts = match splice(record, &Edit::hop(arrival), &RECORD) {
            Ok(parts) => parts,
            Err(error) => return self.malformed(error.to_string()),
        };
        let span = tracer.as_ref().map(|tracer| {
            let (parent, state) = (record.traceparent(), record.tracestate());
            tracer.begin(&input.subject, &record.id().to_string(), parent.as_deref(), state.as_deref())
        });
        let emission = Emission { input, record, arrival, span: span.as_ref(), revision: self };
        let begin = Instant::now();
        let call = guest.call(&Spliced(&parts), |answer| emission.take(answer)).await;
        let outcome = call.result.unwrap_or_else(failed);
        metrics.called(&call.cost, begin.elapsed(), &outcome);
        if let (Some(span), Outcome::Failed { failure, .. }) = (&span, &outcome) {
            span.failed(failure.as_str());
        }
        outcome
    }

    fn malformed(&self, detail: String) -> Outcome {
        self.parts.metrics.malformed();
        Outcome::Malformed { detail }
    }
}

/// The one place where a failure of the host becomes a failure of the stream.
fn failed(error: CallError) -> Outcome {
    let failure = match error.failure {
        gear_host::Failure::Trap => Failure::Trap,
        gear_host::Failure::GuestTime => Failure::GuestTime,
        gear_host::Failure::MessageTime => Failure::MessageTime,
        gear_host::Failure::Memory => Failure::Memory,
        gear_host::Failure::Start => Failure::Start,
        gear_host::Failure::Abi => Failure::Abi,
    };
    Outcome::Failed { failure, detail: error.detail }
}

/// A record with its arrival hop, on its way into guest memory.
struct Spliced<'a>(&'a Parts<'a>);

impl gear_host::Input for Spliced<'_> {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn write_to(&self, into: &mut [u8]) {
        // The host gives exactly as much room as `length` asks for.
        let fits = self.0.copy_to(into);
        debug_assert!(fits);
    }
}

/// Unix nanoseconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
