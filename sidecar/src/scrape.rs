//! Figures that are read when somebody asks: the ledger, the stream, the revision.

use std::fmt;

use gear_config::status::LedgerStatus;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use crate::state::State;

/// Adds the figures to a scrape.
#[derive(Debug)]
pub(crate) struct Scrape(pub(crate) State);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.ledger(&mut encoder)?;
        self.stream(&mut encoder)?;
        self.process(&mut encoder)
    }
}

impl Scrape {
    fn ledger(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.0.monitor().counts();
        let ledger = counts.ledger;
        let mut deliveries = encoder.encode_descriptor(
            "wasmgear_deliveries",
            "Deliveries by what became of them",
            None,
            MetricType::Counter,
        )?;
        for (class, count) in classes(&ledger) {
            labelled(&mut deliveries, "class", class, count)?;
        }
        let mut outputs = encoder.encode_descriptor(
            "wasmgear_outputs",
            "Outputs by what the server made of them",
            None,
            MetricType::Counter,
        )?;
        for (class, count) in [
            ("confirmed", ledger.confirmed),
            ("confirmedDuplicate", ledger.confirmed_duplicate),
            ("abandoned", ledger.abandoned),
        ] {
            labelled(&mut outputs, "class", class, count)?;
        }
        let help = "Dead letters confirmed by reason";
        let mut letters = encoder.encode_descriptor("wasmgear_dead_letters", help, None, MetricType::Counter)?;
        for (reason, count) in counts.dead_letters() {
            labelled(&mut letters, "reason", reason.as_str(), count)?;
        }
        for (name, help, count) in [
            ("wasmgear_deliveries_received", "Deliveries taken from the stream", ledger.received),
            ("wasmgear_outputs_emitted", "Outputs handed to the publisher", ledger.emitted),
            ("wasmgear_redeliveries", "Deliveries that were not the first of their message", counts.redelivered),
            ("wasmgear_suspects", "Redeliveries without a recorded outcome", counts.suspects),
            ("wasmgear_lookups", "Outputs that the server called duplicates and that were looked at", counts.lookups),
            ("wasmgear_collisions", "Outputs whose id was taken by something else", counts.collisions),
            ("wasmgear_late", "Deliveries whose ack wait passed before they were done", counts.late),
            ("wasmgear_disconnects", "Connections to NATS that were lost", counts.disconnects),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        gauge(encoder, "wasmgear_deliveries_in_flight", "Deliveries in hand", ledger.in_flight)?;
        gauge(encoder, "wasmgear_deliveries_held", "Deliveries in hand that wait for NATS", ledger.held)?;
        gauge(
            encoder,
            "wasmgear_outputs_in_flight",
            "Outputs that the server has not confirmed",
            ledger.outputs_in_flight,
        )?;
        gauge(encoder, "wasmgear_ledger_balanced", "1 while both sums of the ledger hold", ledger.balances())
    }

    fn stream(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stream = self.0.monitor().status();
        gauge(encoder, "wasmgear_stream_connected", "1 while messages can flow", stream.connected)?;
        gauge(encoder, "wasmgear_stream_pending", "Messages that wait in the stream", stream.pending)?;
        let help = "Messages delivered and not settled, on all pods";
        gauge(encoder, "wasmgear_stream_ack_pending", help, stream.ack_pending)?;
        let help = "Time of the last message that this pod received, Unix milliseconds; 0 when there was none";
        let last = u64::try_from(stream.last_message_ms).unwrap_or_default();
        gauge(encoder, "wasmgear_last_message_timestamp_ms", help, last)
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(encoder, "wasmgear_ready", "1 while the pod is ready", self.0.not_ready().is_none())?;
        let (Some(serving), Some(revision)) = self.0.serving() else { return Ok(()) };
        let instances = u64::try_from(serving.engine.instances()).unwrap_or(u64::MAX);
        gauge(encoder, "wasmgear_instances", "Instances of guests that live now", instances)?;
        let help = "Calls of the guest at once, after what fits into memory";
        gauge(encoder, "wasmgear_concurrency", help, u64::from(serving.concurrency))?;
        let help = "Instantiate, initialize and drop one instance: CPU time in microseconds, median of nine";
        gauge(encoder, "wasmgear_instance_cost_us", help, revision.instance_cost_us.unwrap_or_default())?;
        let help = "The revision that serves";
        let mut info = encoder.encode_descriptor("wasmgear_revision", help, None, MetricType::Info)?;
        let digest = revision.digest.to_string();
        info.encode_info(&[
            ("revision", revision.name.as_str()),
            ("digest", digest.as_str()),
            ("module", serving.module.as_str()),
            ("abi", serving.abi),
        ])
    }
}

fn classes(ledger: &LedgerStatus) -> [(&'static str, u64); 9] {
    [
        ("ok", ledger.ok),
        ("dropped", ledger.dropped),
        ("rejected", ledger.rejected),
        ("deadLettered", ledger.dead_lettered),
        ("probe", ledger.probes),
        ("retried", ledger.retried),
        ("released", ledger.released),
        ("alreadyEmitted", ledger.already_emitted),
        ("unconfirmed", ledger.unconfirmed),
    ]
}

fn labelled(family: &mut MetricEncoder<'_>, key: &str, value: &str, count: u64) -> fmt::Result {
    ConstCounter::new(count).encode(family.encode_family(&[(key, value)])?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: impl Into<u64>) -> fmt::Result {
    let value = i64::try_from(value.into()).unwrap_or(i64::MAX);
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}
