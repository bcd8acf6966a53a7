//! Where and how pods run.

use std::collections::BTreeMap;

use gear_config::ByteSize;
use k8s_openapi::{
    api::core::v1::{Affinity, ResourceRequirements, Toleration, TopologySpreadConstraint},
    apimachinery::pkg::api::resource::Quantity,
};
use wasmgear_crds::{Resources, Size, WasmGear};

use super::spec::Plain;

/// What a sidecar needs beside its guests.
const BASE: u64 = 128 << 20;
/// Guests that are counted on to be large at once.
const LARGE_AT_ONCE: u32 = 4;
/// Least time that a pod has to finish, in seconds.
const LEAST_GRACE: i64 = 30;
/// What a pod needs to finish beside its slowest message, in seconds.
const FINISH: i64 = 15;

/// Where and how pods run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// Number of pods.
    pub replicas: i32,
    /// Labels of the pods, beyond the operator's.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the pods, beyond the operator's.
    pub annotations: BTreeMap<String, String>,
    /// Requests and limits of the container.
    pub resources: ResourceRequirements,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that pods tolerate.
    pub tolerations: Vec<Toleration>,
    /// Affinity.
    pub affinity: Option<Affinity>,
    /// Spread, when the resource says how.
    pub spread: Option<Vec<TopologySpreadConstraint>>,
    /// Priority class.
    pub priority_class: Option<String>,
    /// Seconds that a pod has to finish.
    pub grace: i64,
    /// Seconds that a rollout may take without progress.
    pub progress_deadline: i32,
}

/// What a gear asks for, filled up.
pub(super) fn placement(gear: &WasmGear, plain: &Plain, concurrency: u32) -> Placement {
    let template = gear.spec.template.clone().unwrap_or_default();
    let metadata = template.metadata.unwrap_or_default();
    let deadline = plain.progress_deadline.get().as_secs();
    Placement {
        replicas: gear.spec.replicas,
        labels: metadata.labels,
        annotations: metadata.annotations,
        resources: resources(template.resources.unwrap_or_default(), plain.limits.memory, concurrency),
        node_selector: template.node_selector,
        tolerations: template.tolerations,
        affinity: template.affinity,
        spread: template.topology_spread_constraints,
        priority_class: template.priority_class_name,
        grace: template.termination_grace_period_seconds.unwrap_or_else(|| {
            let message = plain.limits.message_time.get();
            let whole = message.as_secs() + u64::from(message.subsec_nanos() > 0);
            LEAST_GRACE.max(i64::try_from(whole).unwrap_or(i64::MAX).saturating_add(FINISH))
        }),
        progress_deadline: i32::try_from(deadline).unwrap_or(i32::MAX),
    }
}

/// Memory is set aside and limited alike, so that a guest can't take what the node does not have. There is no CPU limit:
/// guests are stopped by their own CPU time, and a throttled sidecar would only be late.
fn resources(given: Resources, memory: ByteSize, concurrency: u32) -> ResourceRequirements {
    let quantities = |map: BTreeMap<String, Size>| -> BTreeMap<String, Quantity> {
        map.into_iter().map(|(name, size)| (name, Quantity(size.as_str().to_owned()))).collect()
    };
    let needed = memory.get() * u64::from(concurrency.min(LARGE_AT_ONCE)) + BASE;
    let (mut requests, mut limits) = (quantities(given.requests), quantities(given.limits));
    let most = limits.entry("memory".to_owned()).or_insert_with(|| Quantity(ByteSize::new(needed).to_string())).clone();
    requests.entry("memory".to_owned()).or_insert(most);
    ResourceRequirements { requests: Some(requests), limits: Some(limits), ..ResourceRequirements::default() }
}
