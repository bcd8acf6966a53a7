//! Labels, annotations and names that more than one program writes or reads.

/// Label of every child and pod: name of the gear.
pub const GEAR_LABEL: &str = "gears.fluxrig.org/gear";
/// Prefix of labels and annotations that belong to the operator.
pub const PREFIX: &str = "gears.fluxrig.org/";
/// Annotation of the pod template: name of the revision that the pods of it run.
pub const REVISION_ANNOTATION: &str = "gears.fluxrig.org/revision";
/// Annotation of the pod template: hash of what else a sidecar reads at its start.
pub const SETTINGS_ANNOTATION: &str = "gears.fluxrig.org/settings";
/// Annotation of every child: hash of what the operator applied, so that somebody else's edit is told from a change.
pub const APPLIED_ANNOTATION: &str = "gears.fluxrig.org/applied";
/// `app.kubernetes.io/name` of the pods and of everything that selects them.
pub const POD_APP: &str = "wasmgear-sidecar";
/// Value of `app.kubernetes.io/managed-by`, and the one field manager of server-side apply.
pub const MANAGER: &str = "wasmgear-operator";
/// Secret with NATS credentials that a gear of its namespace uses when it names no other.
pub const DEFAULT_NATS_SECRET: &str = "wasmgear-nats";
/// Key of a credentials Secret when the resource names no other.
pub const DEFAULT_CREDENTIALS_KEY: &str = "nats.creds";
/// Most characters of a gear's name; with [`CHILD_SUFFIX`] it still is a DNS label.
pub const MAX_NAME: usize = 52;
/// What the names of a gear's children end with, so that they do not meet a person's own objects.
pub const CHILD_SUFFIX: &str = "-wasmgear";
/// NetworkPolicy of a namespace with gears.
pub const NETWORK_POLICY: &str = "wasmgear-pods";

/// Name of a gear's Deployment, ConfigMap, ServiceAccount and PodDisruptionBudget.
#[must_use]
pub fn child_name(gear: &str) -> String {
    format!("{gear}{CHILD_SUFFIX}")
}
