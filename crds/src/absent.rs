//! Fields of the design whose code is not there yet.
//!
//! They are declared, so that a client without strict validation is told too, and a rule refuses every value. To open
//! one, give it its type and take the rule away.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rule::rule;

/// What somebody wrote into a field that is not available. The API server lets none through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Absent(pub Value);

/// The rule that refuses whatever is written into `spec.<field>`.
pub(crate) fn not_available(field: &str) -> Value {
    rule("false", &format!("spec.{field} is not available in this release: remove it"))
}

pub(crate) fn object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

pub(crate) fn objects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
    })
}

pub(crate) fn texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" } })
}

pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

pub(crate) fn number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer" })
}

pub(crate) fn switch(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "boolean" })
}
