//! What is counted, under fluxrig's names where one exists. `docs/reference/metrics.md` lists all of it; a test compares.
//!
//! Counts of the ledger and states of the stream are read when somebody asks; a message itself costs a few counters and
//! two histograms.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use gear_host::{Cost, log::Level};
use gear_stream::{Failure, Outcome};
use gear_telemetry::metrics::Registry;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
};

/// Whose messages these are, as fluxrig labels its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct GearLabels {
    /// Name of the gear.
    pub gear: String,
    /// Identity of the gear.
    pub flux_id: String,
    /// Name of the gear again, as fluxrig has it.
    pub flux_name: String,
}

/// A reason or class out of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LevelLabel {
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoadResult {
    result: String,
}

/// The counters of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Process {
    messages_in: Family<GearLabels, Counter>,
    messages_out: Family<GearLabels, Counter>,
    errors: Family<GearLabels, Counter>,
    processing_time: Family<GearLabels, Histogram, fn() -> Histogram>,
    failures: Family<Reason, Counter>,
    malformed: Counter,
    guest_time: Histogram,
    memory: Gauge,
    log_lines: Family<LevelLabel, Counter>,
    log_dropped: Counter,
    log_ignored: Counter,
    loads: Family<LoadResult, Counter>,
}

/// Milliseconds, 0.05 to about 13,000: from a kept instance to the longest `messageTime` that people set.
fn processing_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.05, 4.0, 10))
}

impl Process {
    /// Makes the counters and adds them to a registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let this = Self {
            messages_in: Family::default(),
            messages_out: Family::default(),
            errors: Family::default(),
            processing_time: Family::new_with_constructor(processing_buckets),
            failures: Family::default(),
            malformed: Counter::default(),
            // 1 µs to about 4 s of CPU time.
            guest_time: Histogram::new(exponential_buckets(1e-6, 4.0, 12)),
            memory: Gauge::default(),
            log_lines: Family::default(),
            log_dropped: Counter::default(),
            log_ignored: Counter::default(),
            loads: Family::default(),
        };
        let gear = "flux_gear_";
        registry.register(format!("{gear}messages_in"), "Messages given to the guest", this.messages_in.clone());
        registry.register(format!("{gear}messages_out"), "Messages that the guest emitted", this.messages_out.clone());
        registry.register(format!("{gear}errors"), "Messages on which the guest failed", this.errors.clone());
        let help = "Time from a message's arrival to its outcome, in milliseconds";
        registry.register(format!("{gear}processing_time_ms"), help, this.processing_time.clone());
        registry.register("wasmgear_failures", "Failures of the guest by reason", this.failures.clone());
        registry.register("wasmgear_malformed", "Inputs that are no fluxMsg", this.malformed.clone());
        registry.register("wasmgear_guest_seconds", "CPU time of one call of the guest", this.guest_time.clone());
        let help = "Most linear memory that an instance had after a call";
        registry.register("wasmgear_guest_memory_peak_bytes", help, this.memory.clone());
        registry.register(
            "wasmgear_guest_log_lines",
            "Log lines of the guest that were written",
            this.log_lines.clone(),
        );
        let help = "Log lines of the guest that were not written, because there were too many at once";
        registry.register("wasmgear_guest_log_dropped", help, this.log_dropped.clone());
        let help = "Log lines of the guest that pointed outside of its memory";
        registry.register("wasmgear_guest_log_ignored", help, this.log_ignored.clone());
        registry.register("wasmgear_module_loads", "Modules loaded, ok or by reason of failure", this.loads.clone());
        this.open();
        this
    }

    /// Makes every series of a closed list, so that a rate is right from the first event on.
    fn open(&self) {
        for failure in Failure::ALL {
            drop(self.failures.get_or_create(&Reason { reason: failure.as_str() }));
        }
        for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
            drop(self.log_lines.get_or_create(&LevelLabel { level: level.as_str() }));
        }
        drop(self.loads.get_or_create(&LoadResult { result: "ok".into() }));
    }

    /// The counters of one gear's messages.
    #[must_use]
    pub fn gear(&self, labels: &GearLabels) -> Metrics {
        let failures = Failure::ALL
            .map(|failure| (failure, self.failures.get_or_create_owned(&Reason { reason: failure.as_str() })));
        Metrics(Arc::new(Inner {
            messages_in: self.messages_in.get_or_create_owned(labels),
            messages_out: self.messages_out.get_or_create_owned(labels),
            errors: self.errors.get_or_create_owned(labels),
            processing_time: self.processing_time.get_or_create_owned(labels),
            failures,
            malformed: self.malformed.clone(),
            guest_time: self.guest_time.clone(),
            memory: self.memory.clone(),
            log_ignored: self.log_ignored.clone(),
        }))
    }

    /// A module was loaded (`ok`), or was not, for this reason.
    pub fn loaded(&self, result: &str) {
        self.loads.get_or_create(&LoadResult { result: result.to_owned() }).inc();
    }

    /// A log line of the guest was written.
    pub fn log_line(&self, level: Level) {
        self.log_lines.get_or_create(&LevelLabel { level: level.as_str() }).inc();
    }

    /// A log line of the guest was not written.
    pub fn log_dropped(&self) {
        self.log_dropped.inc();
    }
}

/// The counters of one gear's messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    messages_in: Counter,
    messages_out: Counter,
    errors: Counter,
    processing_time: Histogram,
    failures: [(Failure, Counter); 8],
    malformed: Counter,
    guest_time: Histogram,
    memory: Gauge,
    log_ignored: Counter,
}

impl Metrics {
    /// A message was given to the guest, with this cost and this outcome.
    pub(crate) fn called(&self, cost: &Cost, elapsed: Duration, outcome: &Outcome) {
        let inner = &*self.0;
        inner.messages_in.inc();
        inner.processing_time.observe(elapsed.as_secs_f64() * 1e3);
        inner.guest_time.observe(cost.guest_time.as_secs_f64());
        let memory = i64::try_from(cost.memory).unwrap_or(i64::MAX);
        if memory > inner.memory.get() {
            inner.memory.inner().fetch_max(memory, Ordering::Relaxed);
        }
        if cost.ignored_log_lines > 0 {
            inner.log_ignored.inc_by(cost.ignored_log_lines.into());
        }
        match outcome {
            Outcome::Emit(outputs) => {
                inner.messages_out.inc_by(outputs.len() as u64);
            }
            Outcome::Reject { to_port: Some(_), .. } => {
                inner.messages_out.inc();
            }
            Outcome::Failed { failure, .. } => {
                inner.errors.inc();
                if let Some((_, counter)) = inner.failures.iter().find(|(known, _)| known == failure) {
                    counter.inc();
                }
            }
            _ => {}
        }
    }

    /// An input was no fluxMsg.
    pub(crate) fn malformed(&self) {
        self.0.malformed.inc();
    }
}
