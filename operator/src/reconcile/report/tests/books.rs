//! The books.

use super::*;

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
fn books_that_do_not_balance_are_told() {
    let mut scene = Scene::good();
    scene.settle();
    scene.view = view(&[("a", PodView { unbalanced: true, ..pod(true) })]);
    let report = scene.report();
    assert_eq!(said(&report, ConditionType::LedgerBalanced), "False/Unbalanced");
    assert_eq!(report.notes[0].reason, "Unbalanced");
    assert_eq!(report.status.pods.len(), 1);
}
