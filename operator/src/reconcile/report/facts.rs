//! Everything that the status is made of.

use gear_config::status::LedgerStatus;
use k8s_openapi::{api::apps::v1::Deployment, apimachinery::pkg::apis::meta::v1::Time};
use wasmgear_crds::{ModuleStatus, Reason, WasmGearStatus};

use crate::{failure::Failure, observe::View, record::Record};

/// Everything that the status is made of.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// Name of the gear.
    pub name: &'a str,
    /// Generation that was worked on.
    pub generation: i64,
    /// The status that is stored.
    pub previous: &'a WasmGearStatus,
    /// The time.
    pub now: Time,
    /// Pods that are wanted.
    pub replicas: i32,
    /// Why the newest generation can't have what it asks for.
    pub failure: Option<&'a Failure>,
    /// What is known of the module.
    pub module: Option<ModuleStatus>,
    /// What is wrong with the module, if that is what is wrong.
    pub module_failure: Option<&'a Failure>,
    /// What is wrong with its imports; `None` before it was looked at.
    pub imports: Option<Result<(), &'a Failure>>,
    /// The record, as it is stored now.
    pub record: Option<&'a Record>,
    /// How far the pods are.
    pub rollout: Option<Rollout>,
    /// What sidecars say.
    pub sidecars: Sidecars<'a>,
    /// Subjects that messages come from.
    pub subjects: &'a [String],
    /// Each message gets an instance of its own.
    pub fresh: bool,
    /// Edits of others that were put back.
    pub restored: &'a [String],
}

/// What sidecars say.
#[derive(Debug)]
pub(crate) struct Sidecars<'a> {
    /// What a person would be told.
    pub view: &'a View,
    /// Their books, added up; how many answered; whether each balances.
    pub ledger: (LedgerStatus, i32, bool),
}

/// How far the pods of a Deployment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollout {
    /// The controller has seen the newest Deployment.
    pub seen: bool,
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods of the newest template.
    pub updated: i32,
    /// Pods that are available.
    pub available: i32,
    /// It took too long, says the controller.
    pub late: Option<String>,
}

impl Rollout {
    /// Reads a Deployment.
    #[must_use]
    pub(crate) fn of(deployment: &Deployment) -> Self {
        let status = deployment.status.clone().unwrap_or_default();
        let late = status.conditions.iter().flatten().find(|condition| {
            condition.type_ == "Progressing" && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
        });
        Self {
            seen: status.observed_generation.unwrap_or(0) >= deployment.metadata.generation.unwrap_or(0),
            replicas: status.replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            updated: status.updated_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
            late: late.map(|condition| condition.message.clone().unwrap_or_default()),
        }
    }
}

impl<'a> Facts<'a> {
    /// Nothing is known.
    #[must_use]
    pub(crate) fn nothing(name: &'a str, generation: i64, previous: &'a WasmGearStatus, now: Time) -> Self {
        static NOBODY: View = View {
            pods: std::collections::BTreeMap::new(),
            messages: crate::observe::Messages::Unknown,
            lag: None,
            instance_cost: None,
        };
        Self {
            name,
            generation,
            previous,
            now,
            replicas: 0,
            failure: None,
            module: None,
            module_failure: None,
            imports: None,
            record: None,
            rollout: None,
            sidecars: Sidecars { view: &NOBODY, ledger: (LedgerStatus::default(), 0, true) },
            subjects: &[],
            fresh: false,
            restored: &[],
        }
    }

    /// Whether the newest generation was in place before, so that a passing fault takes nothing away from it.
    #[must_use]
    pub(crate) fn settled(&self) -> bool {
        self.previous.observed_generation == Some(self.generation) && self.was(wasmgear_crds::ConditionType::RolledOut)
    }

    /// A fault that passes, over a generation that is in place: children are as they were.
    #[must_use]
    pub(crate) fn passing(&self) -> Option<&'a Failure> {
        self.failure.filter(|failure| !failure.is_stalled() && self.settled())
    }

    /// The failure that holds the newest generation up.
    #[must_use]
    pub(crate) fn blocking(&self) -> Option<&'a Failure> {
        if self.passing().is_some() { None } else { self.failure }
    }

    /// Whether a condition was True.
    #[must_use]
    pub(crate) fn was(&self, kind: wasmgear_crds::ConditionType) -> bool {
        self.last(kind).is_some_and(|condition| condition.status == "True")
    }

    /// Whether the reason of a condition was this.
    #[must_use]
    pub(crate) fn reason_was(&self, kind: wasmgear_crds::ConditionType, reason: Reason) -> bool {
        self.last(kind).is_some_and(|condition| condition.reason == reason.as_str())
    }

    /// A condition as it is stored.
    #[must_use]
    pub(crate) fn last(
        &self,
        kind: wasmgear_crds::ConditionType,
    ) -> Option<&'a k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition> {
        self.previous.conditions.iter().find(|condition| condition.type_ == kind.as_str())
    }
}
