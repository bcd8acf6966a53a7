use gear_config::status::Problem;
use gear_module::Digest;
use wasmgear_crds::{ConditionType, Lag, ModuleStatus, Reason};

use super::*;
use crate::{
    failure::Retry,
    observe::{Link, Messages, PodView, View},
    record::{Pin, Record},
};

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

#[test]
fn a_gear_that_serves() {
    let report = Scene::good().report();
    for (kind, expected) in [
        (ConditionType::Ready, "True/Serving"),
        (ConditionType::Available, "True/Serving"),
        (ConditionType::ModuleResolved, "True/Resolved"),
        (ConditionType::CapabilitiesGranted, "True/Granted"),
        (ConditionType::RolledOut, "True/Complete"),
        (ConditionType::StreamConnected, "True/Connected"),
        (ConditionType::LedgerBalanced, "True/Balanced"),
        (ConditionType::Reconciling, "absent"),
        (ConditionType::Stalled, "absent"),
    ] {
        assert_eq!(said(&report, kind), expected, "{kind:?}");
    }
    assert_eq!(report.status.observed_generation, Some(1));
    assert!(report.status.conditions.iter().all(|condition| condition.observed_generation == Some(1)));
    assert_eq!(report.status.selector, "app.kubernetes.io/name=wasmgear-sidecar,gears.fluxrig.org/gear=x");
}

/// What there is, how it differs from a gear that serves, and some of its conditions.
type Situation = (&'static str, fn(&mut Scene), [(ConditionType, &'static str); 5]);

fn refusals() -> Vec<Situation> {
    use ConditionType::{Available, Ready, Reconciling, RolledOut, Stalled};
    vec![
        (
            "nothing runs and the module is refused",
            |s| {
                s.failure = Some(stalled(Reason::NotGranted));
                s.rollout = None;
                s.view = View::default();
            },
            [
                (Ready, "False/NotGranted"),
                (Available, "False/NothingToServe"),
                (RolledOut, "False/NotGranted"),
                (Reconciling, "absent"),
                (Stalled, "True/NotGranted"),
            ],
        ),
        (
            "a newcomer is refused while the last good one serves",
            |s| {
                s.failure = Some(stalled(Reason::ModuleNotFound));
                s.generation = 2;
            },
            [
                (Ready, "False/ModuleNotFound"),
                (Available, "True/Serving"),
                (RolledOut, "False/ModuleNotFound"),
                (Reconciling, "absent"),
                (Stalled, "True/ModuleNotFound"),
            ],
        ),
        (
            "the registry is away when a new generation comes",
            |s| {
                s.failure = Some(passing());
                s.generation = 2;
            },
            [
                (Ready, "False/RegistryUnavailable"),
                (Available, "True/Serving"),
                (RolledOut, "False/RegistryUnavailable"),
                (Reconciling, "True/RegistryUnavailable"),
                (Stalled, "absent"),
            ],
        ),
        (
            "the registry is away after the generation was in place",
            |s| s.failure = Some(passing()),
            [
                (Ready, "True/Serving"),
                (Available, "True/Serving"),
                (RolledOut, "True/Complete"),
                (Reconciling, "True/RegistryUnavailable"),
                (Stalled, "absent"),
            ],
        ),
    ]
}

fn rollouts() -> Vec<Situation> {
    use ConditionType::{Available, Ready, Reconciling, RolledOut, Stalled, StreamConnected};
    vec![
        (
            "pods are being made",
            |s| {
                s.previous = WasmGearStatus::default();
                s.rollout = Some(rollout(1, 1, 0));
                s.view = view(&[("a", PodView::default())]);
            },
            [
                (Ready, "False/Progressing"),
                (Available, "False/NoReadyPods"),
                (RolledOut, "False/Progressing"),
                (Reconciling, "True/Progressing"),
                (Stalled, "absent"),
            ],
        ),
        (
            "a rollout takes too long",
            |s| {
                s.previous = WasmGearStatus::default();
                s.rollout = Some(Rollout { late: Some("late".into()), ..rollout(2, 1, 1) });
            },
            [
                (Ready, "False/ProgressDeadlineExceeded"),
                (Available, "True/Serving"),
                (RolledOut, "False/ProgressDeadlineExceeded"),
                (Reconciling, "True/ProgressDeadlineExceeded"),
                (Stalled, "absent"),
            ],
        ),
        (
            "NATS is away and no pod is ready",
            |s| {
                let problem = Problem { reason: "NatsUnavailable".into(), message: "no answer".into() };
                s.view = view(&[(
                    "a",
                    PodView { ready: false, link: Link::Down, stream_problem: Some(problem), ..pod(false) },
                )]);
                s.rollout = Some(rollout(1, 1, 0));
            },
            [
                (Ready, "False/NatsUnavailable"),
                (Available, "False/NoReadyPods"),
                (StreamConnected, "False/NatsUnavailable"),
                (Reconciling, "True/NatsUnavailable"),
                (Stalled, "absent"),
            ],
        ),
        (
            "no pod is wanted",
            |s| {
                s.replicas = 0;
                s.rollout = Some(rollout(0, 0, 0));
                s.view = View::default();
            },
            [
                (Ready, "True/ScaledToZero"),
                (Available, "False/ScaledToZero"),
                (StreamConnected, "Unknown/ScaledToZero"),
                (Reconciling, "absent"),
                (Stalled, "absent"),
            ],
        ),
        (
            "one of two pods restarts long after the rollout",
            |s| {
                s.replicas = 2;
                s.rollout = Some(rollout(2, 2, 1));
                s.view = view(&[("a", pod(true)), ("b", pod(false))]);
            },
            [
                (Ready, "True/Serving"),
                (Available, "True/Serving"),
                (RolledOut, "True/Complete"),
                (Reconciling, "absent"),
                (Stalled, "absent"),
            ],
        ),
    ]
}

#[test]
fn each_situation_in_the_words_of_kstatus() {
    for (case, change, expected) in refusals().into_iter().chain(rollouts()) {
        let mut scene = Scene::good();
        scene.settle();
        change(&mut scene);
        let report = scene.report();
        for (kind, words) in expected {
            assert_eq!(said(&report, kind), words, "{case}: {kind:?}");
        }
    }
}

#[test]
fn stalled_and_reconciling_are_never_both_there() {
    for failure in [None, Some(stalled(Reason::InvalidSpec)), Some(passing())] {
        for rolled in [None, Some(rollout(1, 1, 1)), Some(rollout(1, 0, 0))] {
            for generation in [1, 2] {
                let mut scene = Scene::good();
                scene.settle();
                (scene.failure, scene.rollout, scene.generation) = (failure.clone(), rolled.clone(), generation);
                let report = scene.report();
                let there = |kind| said(&report, kind) != "absent";
                assert!(!(there(ConditionType::Stalled) && there(ConditionType::Reconciling)));
                let is_ready = said(&report, ConditionType::Ready).starts_with("True");
                let going = there(ConditionType::Stalled) || there(ConditionType::Reconciling);
                assert!(is_ready || going, "not ready, and nobody says why: {:?}", report.status.conditions);
            }
        }
    }
}

#[test]
fn the_same_facts_make_the_same_status_and_no_event() {
    let mut scene = Scene::good();
    scene.settle();
    let again = scene.report();
    assert_eq!(again.status, scene.previous);
    assert_eq!(again.notes, []);
}

#[test]
fn a_transition_time_moves_only_when_the_status_flips() {
    let mut scene = Scene::good();
    scene.settle();
    for condition in &mut scene.previous.conditions {
        condition.last_transition_time = time(5);
    }
    scene.rollout = Some(rollout(1, 1, 0));
    scene.view = view(&[("a", pod(false))]);
    let report = scene.report();
    let at = |kind: ConditionType| {
        report.status.conditions.iter().find(|c| c.type_ == kind.as_str()).unwrap().last_transition_time.clone()
    };
    assert_eq!(at(ConditionType::Available), time(100));
    assert_eq!(at(ConditionType::ModuleResolved), time(5));
}

#[test]
fn silence_is_told_once_and_forgotten_with_the_first_message() {
    let mut scene = Scene::good();
    scene.settle();
    scene.view.messages = Messages::Silent { waiting: false };
    let report = scene.settle();
    assert_eq!(said(&report, ConditionType::StreamConnected), "True/NoMessagesYet");
    assert_eq!(report.notes.iter().map(|note| note.reason.as_str()).collect::<Vec<_>>(), ["NoMessagesYet"]);
    assert!(report.notes[0].message.contains("no message came on a.b for 60 s"), "{}", report.notes[0].message);
    assert_eq!(scene.settle().notes, []);
    scene.view.messages = Messages::Came;
    assert_eq!(said(&scene.settle(), ConditionType::StreamConnected), "True/Receiving");
    for later in [Messages::Unknown, Messages::Silent { waiting: true }] {
        scene.view.messages = later;
        assert_eq!(said(&scene.settle(), ConditionType::StreamConnected), "True/Receiving", "a restart is no silence");
    }
}

#[test]
fn events_tell_changes_and_nothing_twice() {
    let mut scene = Scene::good();
    let words = |report: &Report| -> Vec<(bool, String)> {
        report.notes.iter().map(|note| (note.warning, note.reason.clone())).collect()
    };
    scene.rollout = None;
    scene.view = View::default();
    scene.failure = Some(stalled(Reason::NotGranted));
    assert_eq!(words(&scene.settle()), [(true, "NotGranted".into())]);
    assert_eq!(words(&scene.settle()), []);
    scene.failure = Some(stalled(Reason::NotAvailable));
    assert_eq!(words(&scene.settle()), [(true, "NotAvailable".into())]);
    let good = Scene::good();
    (scene.failure, scene.rollout, scene.view) = (None, good.rollout, good.view);
    let told = words(&scene.settle());
    assert!(told.contains(&(false, "Serving".into())), "{told:?}");
    scene.restored = vec!["Deployment x was edited (spec.replicas) and put back".into()];
    assert_eq!(words(&scene.settle()), [(true, "ChildRestored".into())]);
}

#[test]
fn a_new_revision_takes_over_by_share_of_ready_pods() {
    let mut scene = Scene::good();
    scene.settle();
    scene.record = record(2);
    scene.replicas = 2;
    scene.rollout = Some(rollout(3, 1, 2));
    let new = PodView { revision: "r2-00000001".into(), ..pod(true) };
    scene.view = view(&[("a", pod(true)), ("b", new.clone())]);
    let status = scene.report().status;
    assert_eq!(status.stable.unwrap().revision, "r1-00000000");
    let candidate = status.candidate.unwrap();
    assert_eq!((candidate.revision.as_str(), candidate.percent), ("r2-00000001", Some(50)));
    let progressing = status.conditions.iter().find(|condition| condition.type_ == "RolledOut").unwrap();
    assert_eq!(progressing.message, "1 of 2 pods run r2-00000001, 2 are ready, 2 still run another revision");
    // The last old pod is still ready while it finishes what it has in hand; its Deployment does not count it any more.
    let leaving = PodView { leaving: true, ..pod(true) };
    scene.view = view(&[("a", leaving), ("b", new.clone()), ("c", new)]);
    scene.rollout = Some(rollout(2, 2, 2));
    let status = scene.report().status;
    assert_eq!((status.stable.unwrap().revision.as_str(), status.candidate), ("r2-00000001", None));
    let history: Vec<_> = status.history.iter().map(|entry| entry.revision.as_str()).collect();
    assert_eq!(history, ["r2-00000001", "r1-00000000"]);
}

#[test]
fn the_books_are_kept_at_the_start_and_the_end_of_a_rollout_only() {
    let mut scene = Scene::good();
    let first = scene.settle().status.ledger.unwrap();
    assert!(first.start.is_none() && first.end.is_some());
    let kept = scene.settle().status.ledger.unwrap();
    assert_eq!(kept, first);
    scene.record = record(2);
    scene.rollout = Some(rollout(2, 1, 1));
    scene.previous.observed_generation = Some(0);
    let second = scene.settle().status.ledger.unwrap();
    assert_eq!(second.revision, "r2-00000001");
    assert!(second.start.is_some() && second.end.is_none());
}

#[test]
fn only_pods_that_differ_are_named_and_not_more_than_twenty() {
    let mut scene = Scene::good();
    assert_eq!(scene.report().status.pods, []);
    let problem = Problem { reason: "CompileLimit".into(), message: "too large".into() };
    let bad = PodView { problem: Some(problem), ..pod(false) };
    let names: Vec<String> = (0..30).map(|n| format!("p{n:02}")).collect();
    scene.view = view(&names.iter().map(|name| (name.as_str(), bad.clone())).collect::<Vec<_>>());
    scene.rollout = Some(rollout(30, 30, 0));
    scene.replicas = 30;
    let report = scene.report();
    assert_eq!(report.status.pods.len(), 20);
    assert_eq!(report.status.pods[0].error.as_deref(), Some("CompileLimit: too large"));
    let condition = report.status.conditions.iter().find(|c| c.type_ == "RolledOut").unwrap();
    assert!(condition.message.ends_with("pod p00: CompileLimit: too large"), "{}", condition.message);
}

#[test]
fn a_dear_instance_is_told_once_with_what_it_allows() {
    let mut scene = Scene::good();
    scene.settle();
    scene.view.instance_cost = Some(250);
    let report = scene.settle();
    assert_eq!(report.status.instance_cost.as_deref(), Some("250us"));
    assert!(report.notes.iter().any(|note| note.message.contains("at most 4000 messages per second")));
    scene.view.instance_cost = Some(260);
    let again = scene.settle();
    assert_eq!(again.status.instance_cost.as_deref(), Some("250us"), "it does not move");
    assert_eq!(again.notes, []);
}

#[test]
fn lag_stays_while_nobody_knows() {
    let mut scene = Scene::good();
    scene.view.lag = Some(Lag::Low);
    scene.settle();
    scene.view.lag = None;
    assert_eq!(scene.report().status.lag, Some(Lag::Low));
}

#[test]
fn a_reason_of_a_sidecar_must_be_a_word() {
    let mut scene = Scene::good();
    let problem = Problem { reason: "not a word!".into(), message: "m".into() };
    scene.view = view(&[("a", PodView { link: Link::Down, stream_problem: Some(problem), ..pod(true) })]);
    assert_eq!(said(&scene.report(), ConditionType::StreamConnected), "False/SidecarProblem");
}

#[test]
fn books_that_do_not_balance_are_told() {
    let mut scene = Scene::good();
    scene.settle();
    scene.view = view(&[("a", PodView { unbalanced: true, ..pod(true) })]);
    let report = scene.report();
    assert_eq!(said(&report, ConditionType::LedgerBalanced), "False/Unbalanced");
    assert_eq!(report.notes[0].reason, "Unbalanced");
    assert_eq!(report.status.pods.len(), 1);
}

#[test]
fn conditions_are_all_of_the_reference() {
    let reports = [Scene::good().report(), Scene { failure: Some(passing()), generation: 3, ..Scene::good() }.report()];
    for condition in reports.iter().flat_map(|report| &report.status.conditions) {
        assert!(ConditionType::ALL.iter().any(|kind| kind.as_str() == condition.type_));
        assert!(Reason::find(&condition.reason).is_some(), "{}", condition.reason);
    }
}
