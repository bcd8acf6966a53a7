//! Revisions, pods and lag.

use super::*;

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
fn lag_stays_while_nobody_knows() {
    let mut scene = Scene::good();
    scene.view.lag = Some(Lag::Low);
    scene.settle();
    scene.view.lag = None;
    assert_eq!(scene.report().status.lag, Some(Lag::Low));
}
