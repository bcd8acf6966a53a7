//! How a new revision takes over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Absent, Duration, absent,
    rule::{duration, duration_within, rule},
};

/// How a new revision takes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [duration_within("rollout", "progressDeadline", "10s", "24h")]))]
pub struct Rollout {
    /// `Immediate`: pods of the new revision replace those of the old one, one more at a time.
    #[schemars(length(max = 32), extend("x-kubernetes-validations" = strategy_rules()))]
    pub strategy: String,

    /// Time that a rollout may take without progress, 10s to 24h.
    #[schemars(extend("x-kubernetes-validations" = [duration("rollout.progressDeadline")]))]
    pub progress_deadline: Duration,

    /// Shares of the messages and how long each is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::objects", extend("x-kubernetes-validations" = [absent::not_available("rollout.steps")]))]
    pub steps: Option<Absent>,

    /// Time that the old revision stays loaded after the new one took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::text", extend("x-kubernetes-validations" = [absent::not_available("rollout.bake")]))]
    pub bake: Option<Absent>,

    /// Share of errors that ends a rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::number", extend("x-kubernetes-validations" = [absent::not_available("rollout.maxErrorPercent")]))]
    pub max_error_percent: Option<Absent>,

    /// Messages that a step needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::number", extend("x-kubernetes-validations" = [absent::not_available("rollout.minMessages")]))]
    pub min_messages: Option<Absent>,

    /// Whether the rollout stands still.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::switch", extend("x-kubernetes-validations" = [absent::not_available("rollout.paused")]))]
    pub paused: Option<Absent>,

    /// Revisions to remember.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "absent::number", extend("x-kubernetes-validations" = [absent::not_available("rollout.historyLimit")]))]
    pub history_limit: Option<Absent>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            strategy: "Immediate".to_owned(),
            progress_deadline: "10m".into(),
            steps: None,
            bake: None,
            max_error_percent: None,
            min_messages: None,
            paused: None,
            history_limit: None,
        }
    }
}

fn strategy_rules() -> Value {
    json!([rule(
        "self == 'Immediate'",
        "rollout.strategy {self} is not available in this release: Immediate is the only strategy; leave it out",
    )])
}
