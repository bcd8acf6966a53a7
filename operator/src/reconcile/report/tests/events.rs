//! Events: a change is told, and nothing twice.

use super::*;

#[test]
fn the_same_facts_make_the_same_status_and_no_event() {
    let mut scene = Scene::good();
    scene.settle();
    let again = scene.report();
    assert_eq!(again.status, scene.previous);
    assert_eq!(again.notes, []);
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
