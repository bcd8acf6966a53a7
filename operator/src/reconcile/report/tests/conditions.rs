//! Conditions: which, when, and in which words.

use super::*;

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
fn a_reason_of_a_sidecar_must_be_a_word() {
    let mut scene = Scene::good();
    let problem = Problem { reason: "not a word!".into(), message: "m".into() };
    scene.view = view(&[("a", PodView { link: Link::Down, stream_problem: Some(problem), ..pod(true) })]);
    assert_eq!(said(&scene.report(), ConditionType::StreamConnected), "False/SidecarProblem");
}

#[test]
fn conditions_are_all_of_the_reference() {
    let reports = [Scene::good().report(), Scene { failure: Some(passing()), generation: 3, ..Scene::good() }.report()];
    for condition in reports.iter().flat_map(|report| &report.status.conditions) {
        assert!(ConditionType::ALL.iter().any(|kind| kind.as_str() == condition.type_));
        assert!(Reason::find(&condition.reason).is_some(), "{}", condition.reason);
    }
}
