//! Bounds for each message, and how long an instance lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Absent, Duration, Size, absent,
    rule::{at, duration, duration_within, durations, size, size_within},
};

/// Bounds for each message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Limits {
    /// Linear memory of an instance, 64Ki to 1Gi.
    #[schemars(extend("x-kubernetes-validations" = [size("limits.memory")]))]
    pub memory: Size,

    /// CPU time inside the guest, at least 1ms and at most `messageTime`.
    #[schemars(extend("x-kubernetes-validations" = [duration("limits.guestTime")]))]
    pub guest_time: Duration,

    /// Wall time of a call, host functions included; below `input.ackWait`.
    #[schemars(extend("x-kubernetes-validations" = [duration("limits.messageTime")]))]
    pub message_time: Duration,

    /// Records that one message may become.
    #[schemars(range(min = 1, max = 4096))]
    pub output_messages: u32,

    /// Bytes of all records that one message becomes, 1Ki to 64Mi.
    #[schemars(extend("x-kubernetes-validations" = [size("limits.outputSize")]))]
    pub output_size: Size,

    /// Bytes of log text per message, at most 1Mi.
    #[schemars(extend("x-kubernetes-validations" = [size("limits.logSize")]))]
    pub log_size: Size,

    /// Key-value calls per message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::number", extend("x-kubernetes-validations" = [absent::not_available("limits.kvCalls")]))]
    pub kv_calls: Option<Absent>,

    /// HTTP requests per message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::number", extend("x-kubernetes-validations" = [absent::not_available("limits.httpCalls")]))]
    pub http_calls: Option<Absent>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: "64Mi".into(),
            guest_time: "100ms".into(),
            message_time: "5s".into(),
            output_messages: 64,
            output_size: "1Mi".into(),
            log_size: "16Ki".into(),
            kv_calls: None,
            http_calls: None,
        }
    }
}

fn rules() -> Value {
    json!([
        at(
            "guestTime",
            &durations(&["self.guestTime"], "duration(self.guestTime) >= duration('1ms')"),
            "limits.guestTime {self.guestTime} is below 1ms: no guest can answer in that time; choose 1ms or more",
        ),
        at(
            "guestTime",
            &durations(
                &["self.guestTime", "self.messageTime"],
                "duration(self.guestTime) <= duration(self.messageTime)"
            ),
            "limits.guestTime {self.guestTime} is above limits.messageTime {self.messageTime}, which includes it: lower guestTime or raise messageTime",
        ),
        duration_within("limits", "messageTime", "1ms", "1h"),
        size_within("limits", "memory", "64Ki", "1Gi"),
        size_within("limits", "outputSize", "1Ki", "64Mi"),
        size_within("limits", "logSize", "0", "1Mi"),
    ])
}

/// How long an instance lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = instance_rules()))]
pub struct Instance {
    /// `Fresh`: a new instance for each message. `Persistent`: guest globals live on.
    pub mode: InstanceMode,

    /// Messages after which a persistent instance is replaced. Default 100000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub max_messages: Option<u32>,
}

/// Whether an instance outlives its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InstanceMode {
    /// A new instance for each message.
    Fresh,
    /// Guest globals live on; retired after a trap, a timeout, a denied growth or `maxMessages`.
    Persistent,
}

fn instance_rules() -> Value {
    json!([at(
        "maxMessages",
        "!has(self.maxMessages) || self.mode == 'Persistent'",
        "instance.maxMessages goes with mode Persistent only, a Fresh instance sees one message: remove it or set mode to Persistent",
    )])
}
