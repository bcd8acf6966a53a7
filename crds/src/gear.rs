//! The resource: what a person writes.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Absent, WasmGearStatus, absent,
    rule::{at, durations, rule, sizes},
};

mod limits;
mod message;
mod nats;
mod rollout;
mod template;

pub use limits::{Instance, InstanceMode, Limits};
pub use message::{Deliver, Input, OnReject, Output, Retry};
pub use nats::{KeyRef, Nats, SecretRef};
pub use rollout::Rollout;
pub use template::{Resources, Template, TemplateMetadata};

/// What a gear runs, on which messages, with which rights.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[kube(
    group = "gears.fluxrig.org",
    version = "v1alpha1",
    kind = "WasmGear",
    doc = "User logic compiled to WebAssembly, run over a stream of fluxMsg records.",
    namespaced,
    shortname = "wg",
    category = "fluxrig",
    status = "WasmGearStatus",
    selectable = ".spec.module",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = spec_rules()))]
pub struct WasmGearSpec {
    /// The module: `urn:wasm:<name>:<version>`, optionally `@sha256:<64 hex>`. The operator resolves it to a digest once
    /// and pins that.
    #[schemars(length(min = 1, max = 512), extend("x-kubernetes-validations" = module_rules()))]
    pub module: String,

    /// Export to call for each message. Default: `flux_process` if the module exports it, else `process`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128), extend("x-kubernetes-validations" = entrypoint_rules()))]
    pub entrypoint: Option<String>,

    /// The gear's own parameters, read by `flux_config_get`; a part of the revision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "config", extend("x-kubernetes-validations" = config_rules()))]
    pub config: BTreeMap<String, String>,

    /// Parameters out of ConfigMaps and Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::objects", extend("x-kubernetes-validations" = [absent::not_available("configFrom")]))]
    pub config_from: Option<Absent>,

    /// Whether the guest may make HTTP requests. In this release no host function for it exists, so a module that
    /// imports one is refused with the reason `NotAvailable`.
    #[serde(default)]
    pub allow_http: bool,

    /// Whether the guest may use the key-value store. In this release no host function for it exists, so a module that
    /// imports one is refused with the reason `NotAvailable`.
    #[serde(default)]
    pub allow_kv: bool,

    /// Bounds of HTTP requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::object", extend("x-kubernetes-validations" = [absent::not_available("http")]))]
    pub http: Option<Absent>,

    /// Bounds of the key-value store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::object", extend("x-kubernetes-validations" = [absent::not_available("kv")]))]
    pub kv: Option<Absent>,

    /// Approved WASI descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::texts", extend("x-kubernetes-validations" = [absent::not_available("wasi")]))]
    pub wasi: Option<Absent>,

    /// Bounds for each message.
    #[serde(default)]
    pub limits: Limits,

    /// How long an instance lives. Default: `Fresh` for flux1 modules; `Persistent` with one call at a time for rack
    /// modules, whose authors rely on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,

    /// Guest calls (live instances) at once per pod. Default: 16, or 1 for a rack module whose `instance` is not chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub concurrency: Option<u32>,

    /// Where messages come from.
    pub input: Input,

    /// Where messages go. Default: the rack of the input, and the name of this resource as gear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,

    /// What becomes of a message that the guest rejects: a dead letter, or a record on the port `error`.
    #[serde(default)]
    pub on_reject: OnReject,

    /// How often and how fast a message is tried again after a failure of the guest.
    #[serde(default)]
    pub retry: Retry,

    /// Treatment of dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::object", extend("x-kubernetes-validations" = [absent::not_available("deadLetter")]))]
    pub dead_letter: Option<Absent>,

    /// How a new revision takes over.
    #[serde(default)]
    pub rollout: Rollout,

    /// Signatures that the module needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::object", extend("x-kubernetes-validations" = [absent::not_available("verify")]))]
    pub verify: Option<Absent>,

    /// The gear's own way to NATS. Default: the operator's server, and the Secret `wasmgear-nats` of this namespace
    /// where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats: Option<Nats>,

    /// Credentials of a module registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::object", extend("x-kubernetes-validations" = [absent::not_available("registrySecretRef")]))]
    pub registry_secret_ref: Option<Absent>,

    /// Number of pods; at most 1 when `input.ordered`. Leave it out where an autoscaler sets it.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,

    /// Where and how pods run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
}

fn one() -> i32 {
    1
}

fn config(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "maxLength": 8192 },
        "maxProperties": 64,
    })
}

const URN: &str = "^urn:wasm:[a-z0-9]([-a-z0-9]*[a-z0-9])?(/[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\
    :v(0|[1-9][0-9]*)([.](0|[1-9][0-9]*)){0,2}\
    (-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)([.](0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?\
    (@sha256:[0-9a-f]{64})?$";

fn module_rules() -> Value {
    let later = "self.startsWith('oci://') || self.startsWith('https://') || self.startsWith('snake://')";
    json!([
        rule(
            &format!("!({later})"),
            "module {self} is of a kind that is not available in this release: name it urn:wasm:<name>:<version>",
        ),
        rule(
            &format!("{later} || self.matches('{URN}')"),
            "module {self} is not urn:wasm:<name>:<version> with an optional @sha256:<64 hex>: a name is lower-case letters, digits and inner hyphens joined by single slashes, a version is SemVer with a leading v and without build metadata, as in urn:wasm:fraud-scorer:v2.1",
        ),
    ])
}

fn entrypoint_rules() -> Value {
    json!([rule(
        r"self.matches('^[^\\x00-\\x20\\x7f]+$')",
        "entrypoint {self} is empty or has blanks or control characters: write the export's name as the module has it",
    )])
}

fn config_rules() -> Value {
    json!([rule(
        "self.all(k, size(k) <= 128 && k.matches('^[-._/A-Za-z0-9]+$'))",
        "config has the key {self.filter(k, size(k) > 128 || !k.matches('^[-._/A-Za-z0-9]+$'))[0]}: a key is 1 to 128 letters, digits, - _ . and /; rename it",
    )])
}

/// Rules that look at more than one field of the specification.
fn spec_rules() -> Value {
    // Selected as a map's value: the server's cost estimate knows the bound of that, not of a field.
    let limit = "self.template.resources.limits['memory']";
    json!([
        at(
            "limits.messageTime",
            &durations(
                &["self.limits.messageTime", "self.input.ackWait"],
                "duration(self.limits.messageTime) < duration(self.input.ackWait)"
            ),
            "limits.messageTime {self.limits.messageTime} is not below input.ackWait {self.input.ackWait}: the server would deliver a message again while it is still worked on; lower messageTime or raise ackWait",
        ),
        at(
            "output",
            "has(self.input.rack) || !has(self.input.subjects) || has(self.output) && has(self.output.rack)",
            "output.rack is missing: input is given as subjects, so name the rack that outputs leave under",
        ),
        at(
            "replicas",
            "!self.input.ordered || self.replicas <= 1",
            "replicas above 1 does not go with input.ordered: order is kept by one pod, so set replicas to 1 or 0, or ordered to false",
        ),
        at(
            "template.terminationGracePeriodSeconds",
            &durations(
                &["self.limits.messageTime"],
                "!has(self.template) || !has(self.template.terminationGracePeriodSeconds) || self.template.terminationGracePeriodSeconds >= duration(self.limits.messageTime).getSeconds() + 15"
            ),
            "template.terminationGracePeriodSeconds is too short for limits.messageTime {self.limits.messageTime}: leave it out, or set it to messageTime plus 15 s or more",
        ),
        at(
            "template.resources",
            &format!(
                "!has(self.template) || !has(self.template.resources) || !has(self.template.resources.limits) || !('memory' in self.template.resources.limits) || {}",
                sizes(
                    &[limit, "self.limits.memory"],
                    &format!(
                        "quantity(string({limit})).compareTo(quantity(string(self.limits.memory)).add(quantity('128Mi'))) >= 0"
                    )
                )
            ),
            "template.resources.limits.memory {string(self.template.resources.limits['memory'])} is too small for limits.memory {string(self.limits.memory)}: the sidecar needs that plus 128Mi; raise it or leave it out",
        ),
    ])
}

/// Rules that need the name of the resource.
pub(crate) fn root_rules() -> Value {
    let rack = "(has(self.spec.output) && has(self.spec.output.rack) ? self.spec.output.rack : self.spec.input.rack)";
    let gear = "(has(self.spec.output) && has(self.spec.output.gear) ? self.spec.output.gear : self.metadata.name)";
    json!([
        rule(
            "self.metadata.name.matches('^[^.]{1,52}$')",
            "metadata.name {self.metadata.name} is longer than 52 characters or has dots: it becomes a consumer name, a subject token and a label; choose a shorter name",
        ),
        rule(
            &format!(
                "!has(self.spec.input.rack) || !has(self.spec.input.gear) || {rack} != self.spec.input.rack || {gear} != self.spec.input.gear"
            ),
            "output would be the gear that input reads, {self.spec.input.rack + '/' + self.spec.input.gear}, and each message would come back for ever: set output.gear or output.rack",
        ),
    ])
}
