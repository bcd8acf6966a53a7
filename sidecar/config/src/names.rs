//! Names on the wire, each made in one place.
//!
//! Sources: `docs/reference/wire.md`; subjects of fluxrig are `flux.msg.<rack>.<gear>.<port>`.

/// Stream that holds dead letters.
pub const DEAD_LETTER_STREAM: &str = "flux-dlq";
/// KV bucket with attempts, positions and ledgers of gears.
pub const STATE_BUCKET: &str = "wasmgear_state";
/// KV bucket of the module index of registry kind `nats`.
pub const INDEX_BUCKET: &str = "wasm_index";
/// Object store with the module bytes of registry kind `nats`.
pub const MODULE_BUCKET: &str = "wasm_modules";
/// Reserved metadata key of a guest's output: picks the output port and is removed.
pub const PORT_KEY: &str = "flux.port";
/// Port that outputs leave by when nothing else is said.
pub const DEFAULT_PORT: &str = "out";
/// Port of rejected messages with `onReject: ErrorPort`.
pub const ERROR_PORT: &str = "error";

/// Metadata key of a consumer: UID of the gear that it belongs to.
pub const CONSUMER_UID: &str = "wasmgear.uid";

/// The durable consumer of a gear: `wasmgear_<clusterId>_<namespace>_<name>`.
#[must_use]
pub fn durable(cluster_id: &str, namespace: &str, name: &str) -> String {
    format!("wasmgear_{cluster_id}_{namespace}_{name}")
}

/// Subject prefix of what a gear emits: `flux.msg.<rack>.<gear>`; a port is appended with a dot.
#[must_use]
pub fn emission_prefix(rack: &str, gear: &str) -> String {
    format!("flux.msg.{rack}.{gear}")
}

/// Subject of a gear's dead letters: `flux.dlq.<namespace>.<gear>`.
#[must_use]
pub fn dead_letter_subject(namespace: &str, name: &str) -> String {
    format!("flux.dlq.{namespace}.{name}")
}

/// Subject on which dead letters are replayed to one gear alone.
#[must_use]
pub fn replay_subject(namespace: &str, name: &str) -> String {
    format!("flux.msg.wasmgear-replay.{namespace}.{name}")
}
