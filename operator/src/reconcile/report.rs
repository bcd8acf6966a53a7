//! Stage 5: status, and Events where it changed.
//!
//! * One function for each condition, pure; `observedGeneration` and the conditions of that generation in one write.
//! * A status that says the same as the one that is stored is not written, so at rest nothing is.
//! * Events follow a status that was written, never the other way round: an operator that starts anew repeats nothing.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;
use wasmgear_crds::{GROUP, VERSION, WasmGear, WasmGearStatus, words};

mod condition;
mod event;
mod facts;
mod ledger;
mod rest;

pub(crate) use condition::standing;
pub(crate) use event::Note;
pub(crate) use facts::{Facts, Rollout, Sidecars};
pub(crate) use rest::module_status;

use crate::{failure::Failure, metrics::Metrics};

/// The status could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The API server did not answer, or refused.
    #[error("the status can't be written")]
    Status(#[source] kube::Error),
}

/// What stage 5 says, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// The status.
    pub status: WasmGearStatus,
    /// What people are told.
    pub notes: Vec<Note>,
}

/// Makes the status and the notes. Pure.
#[must_use]
pub(crate) fn compose(facts: &Facts<'_>) -> Report {
    let conditions = condition::conditions(facts);
    let status = WasmGearStatus {
        observed_generation: Some(facts.generation),
        conditions,
        module: rest::module(facts),
        stable: rest::stable(facts),
        candidate: rest::candidate(facts),
        replicas: facts.rollout.as_ref().map_or(0, |rollout| rollout.replicas),
        ready_replicas: facts.rollout.as_ref().map_or(0, |rollout| rollout.ready),
        selector: super::build::pod_selector(facts.name),
        pods: rest::pods(facts),
        history: rest::history(facts),
        ledger: ledger::ledger(facts),
        lag: facts.sidecars.view.lag.or(facts.previous.lag),
        instance_cost: rest::instance_cost(facts),
    };
    let notes = event::notes(facts, &status);
    Report { status, notes }
}

/// Writes what changed.
pub(crate) async fn write(
    client: &Client,
    gear: &WasmGear,
    namespace: &str,
    report: &Report,
    pod_name: &str,
) -> Result<(), ReportError> {
    let name = gear.metadata.name.clone().unwrap_or_default();
    if gear.status.as_ref() != Some(&report.status) {
        let api: Api<WasmGear> = Api::namespaced(client.clone(), namespace);
        let patch = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": "WasmGear",
            "metadata": { "name": name, "uid": gear.metadata.uid },
            "status": report.status,
        });
        let params = PatchParams::apply(words::MANAGER).force();
        match api.patch_status(&name, &params, &Patch::Apply(&patch)).await {
            Ok(_) => {}
            // It went away meanwhile; there is nobody left to tell.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(error) => return Err(ReportError::Status(error)),
        }
    }
    event::publish(client, gear, namespace, &report.notes, pod_name).await;
    Ok(())
}

/// How a gear that can't even be read is reported: by name, without its specification.
#[must_use]
pub(crate) fn unreadable(generation: i64, error: &str, name: &str) -> WasmGearStatus {
    let failure = Failure::on_change(
        wasmgear_crds::Reason::Unreadable,
        format!("the resource can't be read: {error}; upgrade the chart so that definition and operator fit"),
    );
    let previous = WasmGearStatus::default();
    let facts =
        Facts { failure: Some(&failure), ..Facts::nothing(name, generation, &previous, Time(Timestamp::now())) };
    compose(&facts).status
}

/// Counts how a gear stands.
pub(crate) fn count(status: &WasmGearStatus, uid: &str, standings: &crate::context::Standing, metrics: &Metrics) {
    standings.set(uid, Some(standing(&status.conditions)), metrics);
}

#[cfg(test)]
mod tests;
