use gear_config::status::Problem;
use gear_module::Digest;
use wasmgear_crds::{ConditionType, Lag, ModuleStatus, Reason};

use super::*;
use crate::{
    failure::Retry,
    observe::{Link, Messages, PodView, View},
    record::{Pin, Record},
};

mod books;
mod conditions;
mod events;
mod revisions;

fn time(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn record(revisions: usize) -> Record {
    let mut record = None;
    for n in 0..revisions {
        let pin = Pin {
            module: format!("urn:wasm:x:v{n}"),
            digest: Digest::of(&[u8::try_from(n).unwrap()]),
            size: 1,
            registry: "nats".into(),
            generation: 1,
        };
        record = Some(Record::next(record.as_ref(), pin, &format!("{n:08}"), 1, time(1)));
    }
    record.unwrap()
}

fn rollout(replicas: i32, updated: i32, ready: i32) -> Rollout {
    Rollout { seen: true, replicas, ready, updated, available: ready, late: None }
}

fn pod(ready: bool) -> PodView {
    PodView { ready, revision: "r1-00000000".into(), link: Link::Up, ..PodView::default() }
}

fn view(pods: &[(&str, PodView)]) -> View {
    View { pods: pods.iter().map(|(name, pod)| ((*name).to_owned(), pod.clone())).collect(), ..View::default() }
}

fn module() -> ModuleStatus {
    rest::module_status("urn:wasm:x:v0", &Digest::of(b""), 7, None, None)
}

/// A gear with one pod of its first revision, ready and connected.
struct Scene {
    previous: WasmGearStatus,
    view: View,
    record: Record,
    failure: Option<Failure>,
    rollout: Option<Rollout>,
    replicas: i32,
    generation: i64,
    restored: Vec<String>,
    imports: Option<Failure>,
}

impl Scene {
    fn good() -> Self {
        Self {
            previous: WasmGearStatus::default(),
            view: view(&[("a", pod(true))]),
            record: record(1),
            failure: None,
            rollout: Some(rollout(1, 1, 1)),
            replicas: 1,
            generation: 1,
            restored: Vec::new(),
            imports: None,
        }
    }

    fn report(&self) -> Report {
        let subjects = ["a.b".to_owned()];
        let facts = Facts {
            replicas: self.replicas,
            failure: self.failure.as_ref(),
            module: Some(module()),
            imports: Some(self.imports.as_ref().map_or(Ok(()), Err)),
            record: Some(&self.record).filter(|_| self.rollout.is_some()),
            rollout: self.rollout.clone(),
            sidecars: Sidecars { view: &self.view, ledger: (gear_config::status::LedgerStatus::default(), 1, true) },
            subjects: &subjects,
            fresh: true,
            restored: &self.restored,
            ..Facts::nothing("x", self.generation, &self.previous, time(100))
        };
        compose(&facts)
    }

    /// Reports, and stores what was reported.
    fn settle(&mut self) -> Report {
        let report = self.report();
        self.previous = report.status.clone();
        report
    }
}

/// `Type=Status/Reason` of a report.
fn said(report: &Report, kind: ConditionType) -> String {
    let condition = report.status.conditions.iter().find(|condition| condition.type_ == kind.as_str());
    condition.map_or_else(|| "absent".to_owned(), |c| format!("{}/{}", c.status, c.reason))
}

fn stalled(reason: Reason) -> Failure {
    Failure::on_change(reason, "sentence")
}

fn passing() -> Failure {
    Failure { reason: Reason::RegistryUnavailable, message: "away".into(), retry: Retry::Backoff }
}
