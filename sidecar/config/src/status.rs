//! What a sidecar answers on `GET /status`: no message data, no keys, no guest text.

use gear_module::Digest;
use serde::{Deserialize, Serialize};

/// The answer of `GET /status` on port 8082.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SidecarStatus {
    /// Version of the sidecar program.
    pub version: String,
    /// UID of the gear that this pod serves.
    pub uid: String,
    /// Epoch of the document that is in force here.
    pub epoch: u64,
    /// Revisions that are loaded, stable first.
    pub revisions: Vec<RevisionStatus>,
    /// State of the stream side.
    pub stream: StreamStatus,
    /// Counts since this process started.
    pub ledger: LedgerStatus,
    /// Why the pod is not ready; `None` when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_ready: Option<Problem>,
}

/// One revision as this pod has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Name of the revision.
    pub name: String,
    /// Digest of its module, as this pod computed it.
    pub digest: Digest,
    /// Loaded and self-tested.
    pub prepared: bool,
    /// Why not, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Instantiate + `_initialize` + drop, median of nine, in microseconds; `None` before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_cost_us: Option<u64>,
}

/// A named cause and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// CamelCase, from a closed list; becomes a condition's reason.
    pub reason: String,
    /// What happened, with what, and what to do next.
    pub message: String,
}

/// State of the stream side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// Connected, and the consumer is there and ours.
    pub connected: bool,
    /// Why not, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Messages that wait in the stream for this consumer, as the server last said.
    pub pending: u64,
    /// Messages delivered and not yet settled, on all pods, as the server last said.
    pub ack_pending: u64,
    /// Unix milliseconds of the last message that this pod received; 0 when there was none.
    pub last_message_ms: i64,
}

/// Counts of the ledger. Two sums hold whenever a sidecar is asked.
///
/// ```text
/// received = ok + dropped + rejected + deadLettered + probes + retried + released + alreadyEmitted + unconfirmed + inFlight
/// emitted  = confirmed + confirmedDuplicate + abandoned + outputsInFlight
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LedgerStatus {
    /// Deliveries taken from the stream.
    pub received: u64,
    /// Guest answered OK, outputs confirmed, input acked.
    pub ok: u64,
    /// Guest answered Drop, input acked.
    pub dropped: u64,
    /// Guest answered Reject; dead letter or error port confirmed, input acked.
    pub rejected: u64,
    /// Dead letter confirmed, input terminated.
    pub dead_lettered: u64,
    /// Probes of fluxrig, acked and ignored.
    pub probes: u64,
    /// Given back with a delay after a failure of the guest.
    pub retried: u64,
    /// Given back for another reason (shutdown, hold), or left to the server.
    pub released: u64,
    /// Redeliveries whose outputs were already in the stream.
    pub already_emitted: u64,
    /// The server did not confirm the ack; it will deliver again.
    pub unconfirmed: u64,
    /// Deliveries in hand now.
    pub in_flight: u64,
    /// Deliveries in hand that wait for NATS, a part of `in_flight`.
    pub held: u64,
    /// Outputs handed to the publisher.
    pub emitted: u64,
    /// Outputs that the server confirmed.
    pub confirmed: u64,
    /// Outputs that the server confirmed as already there.
    pub confirmed_duplicate: u64,
    /// Outputs given up before the server answered.
    pub abandoned: u64,
    /// Outputs in hand now.
    pub outputs_in_flight: u64,
}

impl LedgerStatus {
    /// Whether both sums hold.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.delivery_sum() == Some(self.received) && self.output_sum() == Some(self.emitted)
    }

    fn delivery_sum(&self) -> Option<u64> {
        [
            self.ok,
            self.dropped,
            self.rejected,
            self.dead_lettered,
            self.probes,
            self.retried,
            self.released,
            self.already_emitted,
            self.unconfirmed,
            self.in_flight,
        ]
        .into_iter()
        .try_fold(0u64, u64::checked_add)
    }

    fn output_sum(&self) -> Option<u64> {
        [self.confirmed, self.confirmed_duplicate, self.abandoned, self.outputs_in_flight]
            .into_iter()
            .try_fold(0u64, u64::checked_add)
    }
}
