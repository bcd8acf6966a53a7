//! Where messages come from, where they go, and what becomes of those that fail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Duration,
    rule::{at, duration, duration_within, durations, rule},
};

/// Where messages come from: a port of a gear, or a list of subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = input_rules()))]
pub struct Input {
    /// Rack of the gear to read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("x-kubernetes-validations" = [token("input.rack")]))]
    pub rack: Option<String>,

    /// Gear to read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("x-kubernetes-validations" = [token("input.gear")]))]
    pub gear: Option<String>,

    /// Port of that gear. Default `out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("x-kubernetes-validations" = [token("input.port")]))]
    pub port: Option<String>,

    /// Subjects in place of `rack` and `gear`; `*` and a last `>` are wildcards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "subjects", extend("x-kubernetes-validations" = subject_rules()))]
    pub subjects: Option<Vec<String>>,

    /// JetStream stream. Can't be changed.
    #[serde(default = "flux_msg")]
    #[schemars(length(max = 64), extend("x-kubernetes-validations" = [stream_rule()]))]
    pub stream: String,

    /// Where a new consumer begins: `New`, with what is stored after this resource was made, or `All`. Can't be changed.
    #[serde(default)]
    pub deliver: Deliver,

    /// Time after which the server delivers an unanswered message again, 1s to 1h.
    #[serde(default = "thirty_seconds")]
    #[schemars(extend("x-kubernetes-validations" = [duration("input.ackWait")]))]
    pub ack_wait: Duration,

    /// One message at a time, in the order of the stream. Can't be changed.
    #[serde(default)]
    pub ordered: bool,

    /// Time after which the server forgets an unused consumer and its position, 1m to 8784h.
    #[serde(default = "one_week")]
    #[schemars(extend("x-kubernetes-validations" = [duration("input.forgetAfter")]))]
    pub forget_after: Duration,
}

/// Where a new consumer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Deliver {
    /// With what is stored after the resource was made.
    #[default]
    New,
    /// With the oldest message of the stream.
    All,
}

fn flux_msg() -> String {
    "flux-msg".to_owned()
}

fn thirty_seconds() -> Duration {
    "30s".into()
}

fn one_week() -> Duration {
    "168h".into()
}

fn input_rules() -> Value {
    let keeps = |field: &str, sentence: &str| {
        at(field, &format!("self.{field} == oldSelf.{field}"), &format!("input.{field} can't be changed{sentence}"))
    };
    json!([
        rule(
            "has(self.subjects) || has(self.rack) || has(self.gear)",
            "input names no source: give input.rack and input.gear, or input.subjects",
        ),
        at(
            "subjects",
            "!has(self.subjects) || !has(self.rack) && !has(self.gear)",
            "input.subjects does not go with input.rack and input.gear: keep one of the two ways to name a source",
        ),
        rule(
            "has(self.subjects) || has(self.rack) == has(self.gear)",
            "input.rack and input.gear go together: add the one that is missing",
        ),
        at(
            "port",
            "!has(self.port) || !has(self.subjects)",
            "input.port {self.port} does not go with input.subjects: put the port into the subjects",
        ),
        keeps(
            "stream",
            " from {oldSelf.stream} to {self.stream}: a consumer belongs to one stream; make a new WasmGear"
        ),
        keeps(
            "deliver",
            " from {oldSelf.deliver} to {self.deliver}: it only says where a new consumer begins; make a new WasmGear"
        ),
        keeps(
            "ordered",
            " from {oldSelf.ordered ? 'true' : 'false'} to {self.ordered ? 'true' : 'false'}: messages in hand would overtake each other; make a new WasmGear"
        ),
        duration_within("input", "ackWait", "1s", "1h"),
        duration_within("input", "forgetAfter", "1m", "8784h"),
    ])
}

/// A part of a subject of fluxrig.
fn token(field: &str) -> Value {
    rule(
        "self.matches('^[a-z0-9_-]{1,63}$')",
        &format!("{field} {{self}} is not a name of fluxrig: use 1 to 63 lower-case letters, digits, - and _"),
    )
}

fn stream_rule() -> Value {
    rule(
        "self.matches('^[A-Za-z0-9_-]{1,64}$')",
        "input.stream {self} is not a stream name: use 1 to 64 letters, digits, - and _",
    )
}

fn subjects(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "items": { "type": "string", "maxLength": 255 },
        "minItems": 1,
        "maxItems": 16,
        "x-kubernetes-list-type": "set",
    })
}

fn subject_rules() -> Value {
    let good = r"^([^\\s.*>]+|[*])([.]([^\\s.*>]+|[*]))*([.]>)?$";
    json!([rule(
        &format!("self.all(s, s == '>' || s.matches('{good}'))"),
        &format!(
            "input.subjects has {{self.filter(s, s != '>' && !s.matches('{good}'))[0]}}: a subject is tokens joined by dots, a token is text without blanks or a lone *, the last may be >"
        ),
    )])
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Rack that outputs leave under. Default: the rack of the input; needed with `input.subjects`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("x-kubernetes-validations" = [token("output.rack")]))]
    pub rack: Option<String>,

    /// Gear that outputs leave under. Default: the name of this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), extend("x-kubernetes-validations" = [token("output.gear")]))]
    pub gear: Option<String>,

    /// Ports beyond `out`; the meta key `flux.port` of an output picks one and is removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "ports", extend("x-kubernetes-validations" = port_rules()))]
    pub ports: Vec<String>,
}

fn ports(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "items": { "type": "string", "maxLength": 63 },
        "maxItems": 16,
        "x-kubernetes-list-type": "set",
    })
}

fn port_rules() -> Value {
    json!([rule(
        "self.all(p, p.matches('^[a-z0-9_-]+$'))",
        "output.ports has {self.filter(p, !p.matches('^[a-z0-9_-]+$'))[0]}: use 1 to 63 lower-case letters, digits, - and _",
    )])
}

/// What becomes of a message that the guest rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum OnReject {
    /// A dead letter.
    #[default]
    DeadLetter,
    /// A record on the port `error`.
    ErrorPort,
}

/// How often and how fast a message is tried again after a failure of the guest. Delays double and are jittered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = retry_rules()))]
pub struct Retry {
    /// Failures of the guest after which a message becomes a dead letter.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,

    /// Delay before the second attempt, 10ms to 1h.
    #[schemars(extend("x-kubernetes-validations" = [duration("retry.backoff")]))]
    pub backoff: Duration,

    /// Longest delay, at most 1h.
    #[schemars(extend("x-kubernetes-validations" = [duration("retry.maxBackoff")]))]
    pub max_backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, backoff: "1s".into(), max_backoff: "30s".into() }
    }
}

fn retry_rules() -> Value {
    json!([
        at(
            "backoff",
            &durations(&["self.backoff", "self.maxBackoff"], "duration(self.backoff) <= duration(self.maxBackoff)"),
            "retry.backoff {self.backoff} is above retry.maxBackoff {self.maxBackoff}: lower backoff or raise maxBackoff",
        ),
        duration_within("retry", "backoff", "10ms", "1h"),
        duration_within("retry", "maxBackoff", "10ms", "1h"),
    ])
}
