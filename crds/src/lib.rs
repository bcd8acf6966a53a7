//! The Kubernetes contract of `WasmGear`: the resource's types, the rules that the API server holds it to, its status,
//! and the words (labels, condition types, reasons) that operator, command line and people share.
//!
//! What it is not: behaviour. Durations and sizes stay the text that people wrote; the operator reads them once.
//! How it fails: it does not; what is wrong with a resource is said by the rules, at `kubectl apply`.
//!
//! `crds/wasmgear.yaml`, the chart's copy and `docs/reference/{wasmgear,conditions}.md` are generated from here by
//! `crdgen`; tests compare them.
#![deny(missing_docs)]

mod absent;
mod condition;
mod gear;
mod page;
mod rule;
mod schema;
mod status;
mod text;
pub mod words;

pub use absent::Absent;
pub use condition::{ConditionType, Reason};
pub use gear::{
    Deliver, Input, Instance, InstanceMode, KeyRef, Limits, Nats, OnReject, Output, Resources, Retry, Rollout,
    SecretRef, Template, TemplateMetadata, WasmGear, WasmGearSpec,
};
pub use page::{conditions_page, fields_page};
pub use schema::{crd, crd_yaml};
pub use status::{
    HistoryEntry, Lag, LedgerSnapshot, LedgerStatus, ModuleStatus, PodStatus, RevisionStatus, WasmGearStatus,
};
pub use text::{Duration, Size};

/// API group.
pub const GROUP: &str = "gears.fluxrig.org";
/// API version.
pub const VERSION: &str = "v1alpha1";
