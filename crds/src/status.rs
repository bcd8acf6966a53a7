//! What the operator says about a resource. A view: it can be thrown away, and no field moves with messages.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the operator says about a resource.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = json!({ "observedGeneration": -1 })))]
pub struct WasmGearStatus {
    /// Generation that this status speaks of; -1 before the operator has seen the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// What holds and what does not; see the reference of conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,

    /// The module of the newest generation, as far as it could be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<ModuleStatus>,

    /// The revision that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<RevisionStatus>,

    /// The revision that takes over, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<RevisionStatus>,

    /// Pods that exist.
    #[serde(default)]
    pub replicas: i32,

    /// Pods that are ready.
    #[serde(default)]
    pub ready_replicas: i32,

    /// Label selector of the pods, for autoscalers.
    #[serde(default)]
    pub selector: String,

    /// Pods that differ from what is wanted, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub pods: Vec<PodStatus>,

    /// Revisions that served, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<HistoryEntry>,

    /// The books at the start and the end of the newest rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerStatus>,

    /// How far the gear is behind its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Lag>,

    /// Cost of one instance, where `Fresh` instances are dear (above 100us).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_cost: Option<String>,
}

/// A module as the operator looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleStatus {
    /// The reference in the resource.
    pub urn: String,
    /// SHA-256 that it stands for, pinned.
    pub digest: String,
    /// The first 12 hex digits of the digest.
    pub short_digest: String,
    /// Size in bytes.
    pub size: i64,
    /// Calling convention, `flux1` or `rack`; absent when the module was refused before it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abi: Option<String>,
    /// What the module imports, `module.name`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub imports: Vec<String>,
}

/// A revision and its share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Name, `r<n>-<hash>`.
    pub revision: String,
    /// Digest of its module.
    pub digest: String,
    /// Share of the ready pods that run it, while it takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<i32>,
}

/// A pod that differs from what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    /// Name of the pod.
    pub name: String,
    /// Digests of the modules that it has loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub digests: Vec<String>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A revision that served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Name, `r<n>-<hash>`.
    pub revision: String,
    /// Digest of its module.
    pub digest: String,
    /// Reference that the resource had.
    pub module: String,
    /// Generation of the resource that first asked for it.
    pub generation: i64,
    /// When it became the wanted one.
    pub since: Time,
}

/// The books at the start and the end of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerStatus {
    /// Revision that the rollout brought.
    pub revision: String,
    /// Pods of the old revision, just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<LedgerSnapshot>,
    /// Pods of the new revision, when the last one was ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<LedgerSnapshot>,
}

/// Counts of all pods that answered, since each of them started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerSnapshot {
    /// When it was taken.
    pub time: Time,
    /// Pods that answered.
    pub pods: i32,
    /// Deliveries taken from the stream.
    pub received: i64,
    /// Answered OK and acked.
    pub ok: i64,
    /// Dropped by the guest.
    pub dropped: i64,
    /// Rejected by the guest.
    pub rejected: i64,
    /// Dead letters.
    pub dead_lettered: i64,
    /// Whether the books of each pod balance.
    pub balanced: bool,
}

/// How far a gear is behind its input. A class, so that it does not move with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Lag {
    /// No more than one pod has in hand at once.
    None,
    /// More than that, and not rising.
    Low,
    /// Rising.
    Growing,
    /// Messages wait and none is settled.
    Stuck,
}
