//! Where and how the pods of a gear run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Size, rule::rule};

/// Where and how the pods of a gear run. What is left out is the operator's choice.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Labels and annotations of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<TemplateMetadata>,

    /// Requests and limits of the container. Default: memory for `limits.memory` times `concurrency`, at most times 4,
    /// plus 128Mi; no CPU limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "node_selector", extend("x-kubernetes-validations" = [labels_rule("template.nodeSelector")]))]
    pub node_selector: BTreeMap<String, String>,

    /// Taints that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub tolerations: Vec<Toleration>,

    /// Affinity of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub affinity: Option<Affinity>,

    /// Spread of the pods. Default: over hosts and zones, where possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,

    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub priority_class_name: Option<String>,

    /// Time that a pod has to finish; at least `limits.messageTime` plus 15 s. Default: that, or 30 if it is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub termination_grace_period_seconds: Option<i64>,
}

/// Labels and annotations of the pods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMetadata {
    /// Labels of the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels", extend("x-kubernetes-validations" = label_rules()))]
    pub labels: BTreeMap<String, String>,

    /// Annotations of the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations", extend("x-kubernetes-validations" = annotation_rules()))]
    pub annotations: BTreeMap<String, String>,
}

/// Requests and limits of the container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// What is set aside on the node.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts", extend("x-kubernetes-validations" = [amounts_rule("template.resources.requests")]))]
    pub requests: BTreeMap<String, Size>,

    /// What is never exceeded; `memory` at least `limits.memory` plus 128Mi.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts", extend("x-kubernetes-validations" = [amounts_rule("template.resources.limits")]))]
    pub limits: BTreeMap<String, Size>,
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "maxLength": 63 },
        "maxProperties": 32,
    })
}

fn node_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "maxLength": 63 },
        "maxProperties": 16,
        "x-kubernetes-map-type": "atomic",
    })
}

fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "maxLength": 4096 },
        "maxProperties": 32,
    })
}

fn amounts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "x-kubernetes-int-or-string": true,
            "maxLength": 32,
        },
        "maxProperties": 16,
    })
}

fn label_rules() -> Value {
    json!([
        rule(
            "self.all(k, !k.startsWith('gears.fluxrig.org/') && !k.startsWith('app.kubernetes.io/'))",
            "template.metadata.labels has {self.filter(k, k.startsWith('gears.fluxrig.org/') || k.startsWith('app.kubernetes.io/'))[0]}: labels under gears.fluxrig.org/ and app.kubernetes.io/ belong to the operator; choose another prefix",
        ),
        labels_rule("template.metadata.labels"),
    ])
}

fn labels_rule(field: &str) -> Value {
    let bad = "format.qualifiedName().validate(k).hasValue() || format.labelValue().validate(self[k]).hasValue()";
    rule(
        &format!("self.all(k, !({bad}))"),
        &format!(
            "{field} has {{self.filter(k, {bad})[0]}}: a key is a qualified name and a value at most 63 letters, digits, - _ and . that begin and end with a letter or digit"
        ),
    )
}

fn annotation_rules() -> Value {
    let bad = "k.startsWith('gears.fluxrig.org/') || format.qualifiedName().validate(k.lowerAscii()).hasValue()";
    json!([rule(
        &format!("self.all(k, !({bad}))"),
        &format!(
            "template.metadata.annotations has {{self.filter(k, {bad})[0]}}: a key is a qualified name, and gears.fluxrig.org/ belongs to the operator; rename it"
        ),
    )])
}

fn amounts_rule(field: &str) -> Value {
    rule(
        "self.all(k, isQuantity(string(self[k])))",
        &format!(
            "{field} has {{self.filter(k, !isQuantity(string(self[k])))[0]}} with a value that is no quantity: write it as in 500m or 256Mi"
        ),
    )
}
