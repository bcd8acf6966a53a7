//! Allow rules by namespace: what the gears of a namespace may run, read, write and how many.
//!
//! * Without rules there is one tenant, and everything is allowed.
//! * With rules a namespace gets the first whose selector fits its labels; a namespace that none fits may do nothing.
//! * A list that is left out allows everything of its kind; an empty list allows nothing.
//! * Names may end in `*`. Input subjects are NATS patterns: what a gear reads must lie inside one of them.

use std::collections::BTreeMap;

use gear_config::subject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{ParseExpressionError, Selector, SelectorExt as _};
use serde::Deserialize;

/// The rules, in order.
#[derive(Debug, Clone, Default)]
pub struct Tenants(Vec<Tenant>);

#[derive(Debug, Clone)]
struct Tenant {
    selector: Selector,
    rule: Rule,
}

/// One rule as the chart's values have it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    /// Namespaces that the rule is for.
    pub namespace_selector: LabelSelector,
    /// References, for example `urn:wasm:payments/*`.
    #[serde(default)]
    pub modules: Option<Vec<String>>,
    /// JetStream streams.
    #[serde(default)]
    pub streams: Option<Vec<String>>,
    /// What may be read.
    #[serde(default)]
    pub input: Inputs,
    /// What may be written.
    #[serde(default)]
    pub output: Outputs,
    /// Most pods of one gear.
    #[serde(default)]
    pub max_replicas: Option<i32>,
}

/// What may be read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Racks: every gear and port of them.
    #[serde(default)]
    pub racks: Option<Vec<String>>,
    /// NATS patterns, beyond the racks.
    #[serde(default)]
    pub subjects: Option<Vec<String>>,
}

/// What may be written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Outputs {
    /// Racks that outputs may leave under.
    #[serde(default)]
    pub racks: Option<Vec<String>>,
    /// Gears that outputs may leave under.
    #[serde(default)]
    pub gears: Option<Vec<String>>,
}

/// Rules that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// Not JSON of this shape.
    #[error("tenants: not a list of rules: {0}")]
    Json(#[from] serde_json::Error),
    /// A selector that selects nothing that Kubernetes knows.
    #[error("tenants[{index}].namespaceSelector: {reason}")]
    Selector {
        /// Which rule.
        index: usize,
        /// What is wrong with it.
        #[source]
        reason: ParseExpressionError,
    },
}

/// What a gear asks for, as far as rules speak of it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Its module.
    pub module: &'a str,
    /// Its stream.
    pub stream: &'a str,
    /// Its filter subjects.
    pub subjects: &'a [String],
    /// Rack of its output.
    pub rack: &'a str,
    /// Gear of its output.
    pub gear: &'a str,
    /// Its pods.
    pub replicas: i32,
}

impl Tenants {
    /// Reads a JSON list of rules.
    pub fn parse(json: &str) -> Result<Self, TenantError> {
        let rules: Vec<Rule> = serde_json::from_str(json)?;
        let tenant = |(index, rule): (usize, Rule)| {
            let selector = Selector::try_from(rule.namespace_selector.clone())
                .map_err(|reason| TenantError::Selector { index, reason })?;
            Ok(Tenant { selector, rule })
        };
        rules.into_iter().enumerate().map(tenant).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are any rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a namespace with these labels may do this; else the sentence that says what it may not.
    pub fn check(&self, namespace: &str, labels: &BTreeMap<String, String>, ask: Ask<'_>) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let rule = self.0.iter().find(|tenant| tenant.selector.matches(labels)).map(|tenant| &tenant.rule);
        match rule {
            Some(rule) => rule.check(namespace, ask),
            None => Err(format!(
                "namespace {namespace}: no rule of the operator's tenants selects it, so no gear may run here; label the namespace as one of them expects, or extend tenants"
            )),
        }
    }
}

impl Rule {
    fn check(&self, namespace: &str, ask: Ask<'_>) -> Result<(), String> {
        named(namespace, "module", ask.module, self.modules.as_deref())?;
        named(namespace, "input.stream", ask.stream, self.streams.as_deref())?;
        named(namespace, "output.rack", ask.rack, self.output.racks.as_deref())?;
        named(namespace, "output.gear", ask.gear, self.output.gears.as_deref())?;
        for wanted in ask.subjects {
            if !self.input.allows(wanted) {
                return Err(format!(
                    "input {wanted} is not allowed in namespace {namespace}; allowed are {}",
                    self.input.shown()
                ));
            }
        }
        match self.max_replicas {
            Some(most) if ask.replicas > most => {
                Err(format!("replicas {} is not allowed in namespace {namespace}; at most {most} are", ask.replicas))
            }
            _ => Ok(()),
        }
    }
}

impl Inputs {
    fn allows(&self, wanted: &str) -> bool {
        if self.racks.is_none() && self.subjects.is_none() {
            return true;
        }
        let rack = wanted.strip_prefix("flux.msg.").and_then(|rest| rest.split_once('.')).map(|(rack, _)| rack);
        let by_rack =
            rack.filter(|rack| !["*", ">"].contains(rack)).is_some_and(|rack| any(rack, self.racks.as_deref()));
        by_rack || self.subjects.iter().flatten().any(|pattern| subject::covers(pattern, wanted))
    }

    fn shown(&self) -> String {
        let racks = self.racks.iter().flatten().map(|rack| format!("flux.msg.{rack}.>"));
        list(racks.chain(self.subjects.iter().flatten().cloned()))
    }
}

fn named(namespace: &str, field: &str, value: &str, allowed: Option<&[String]>) -> Result<(), String> {
    match allowed {
        Some(patterns) if !any(value, Some(patterns)) => Err(format!(
            "{field} {value} is not allowed in namespace {namespace}; allowed are {}",
            list(patterns.iter().cloned())
        )),
        _ => Ok(()),
    }
}

fn any(value: &str, patterns: Option<&[String]>) -> bool {
    patterns.into_iter().flatten().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => value == pattern,
    })
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

#[cfg(test)]
mod tests;
