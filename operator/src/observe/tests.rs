use gear_config::status::{RevisionStatus, StreamStatus};
use gear_module::Digest;
use serde_json::json;

use super::*;

fn pod(name: &str) -> Arc<Pod> {
    let pod =
        json!({ "metadata": { "name": name, "uid": name, "annotations": { "gears.fluxrig.org/revision": "r1-a" } } });
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn status() -> SidecarStatus {
    SidecarStatus {
        version: "1".into(),
        uid: "u".into(),
        epoch: 1,
        revisions: vec![RevisionStatus {
            name: "r1-a".into(),
            digest: Digest::of(b""),
            prepared: true,
            problem: None,
            instance_cost_us: Some(7),
        }],
        stream: StreamStatus { connected: true, ..StreamStatus::default() },
        ledger: LedgerStatus::default(),
        not_ready: None,
    }
}

fn observations(silence: Duration) -> Observations {
    let observations = Observations::new(silence, Duration::from_millis(500), Duration::from_mins(1));
    observations.pace("u", true);
    observations
}

fn tell(observations: &Observations, pods: &[Arc<Pod>], status: Option<&SidecarStatus>) -> bool {
    let round = pods.iter().map(|pod| (pod.uid().unwrap(), status.cloned())).collect();
    observations.take("u", pods, round)
}

#[test]
fn messages_that_flow_are_no_news() {
    let (observations, pods) = (observations(Duration::from_mins(1)), [pod("a")]);
    let mut status = status();
    status.stream.last_message_ms = 1;
    assert!(tell(&observations, &pods, Some(&status)));
    for n in 2..100 {
        status.stream.last_message_ms = n;
        status.stream.pending = u64::try_from(n).unwrap() % 7;
        status.ledger.received += 100;
        status.ledger.ok += 100;
        assert!(!tell(&observations, &pods, Some(&status)));
    }
}

#[test]
fn silence_is_told_only_after_a_while_and_says_whether_messages_wait() {
    let (observations, pods) = (observations(Duration::ZERO), [pod("a")]);
    let mut status = status();
    status.stream.connected = false;
    tell(&observations, &pods, Some(&status));
    assert_eq!(observations.view("u", &pods).messages, Messages::Unknown);
    status.stream.connected = true;
    tell(&observations, &pods, Some(&status));
    assert_eq!(observations.view("u", &pods).messages, Messages::Silent { waiting: false });
    status.stream.pending = 3;
    tell(&observations, &pods, Some(&status));
    assert_eq!(observations.view("u", &pods).messages, Messages::Silent { waiting: true });
    status.stream.last_message_ms = 5;
    assert!(tell(&observations, &pods, Some(&status)));
    assert_eq!(observations.view("u", &pods).messages, Messages::Came);
}

#[test]
fn a_pod_that_does_not_answer_is_unknown() {
    let (observations, pods) = (observations(Duration::ZERO), [pod("a")]);
    tell(&observations, &pods, Some(&status()));
    assert!(observations.view("u", &pods).pods["a"].answered());
    assert!(tell(&observations, &pods, None));
    let view = observations.view("u", &pods);
    assert!(view.pods["a"].link == Link::Unknown);
    assert_eq!(view.messages, Messages::Unknown);
}

#[test]
fn books_that_do_not_balance_once_are_looked_at_again_first() {
    let (observations, pods) = (observations(Duration::ZERO), [pod("a")]);
    let mut status = status();
    status.ledger.received = 1;
    tell(&observations, &pods, Some(&status));
    assert!(!observations.view("u", &pods).pods["a"].unbalanced);
    tell(&observations, &pods, Some(&status));
    assert!(observations.view("u", &pods).pods["a"].unbalanced);
    status.ledger.ok = 1;
    tell(&observations, &pods, Some(&status));
    assert!(!observations.view("u", &pods).pods["a"].unbalanced);
}

#[test]
fn a_gear_that_changes_is_due_again_soon_and_one_at_rest_is_not() {
    let observations = Observations::new(Duration::ZERO, Duration::ZERO, Duration::from_mins(1));
    let due = || observations.due(["u".to_owned()].into_iter()).len();
    observations.pace("u", true);
    assert_eq!((due(), due()), (1, 1));
    observations.pace("u", false);
    assert_eq!((due(), due()), (1, 0));
    observations.pace("u", true);
    assert_eq!(due(), 1, "a change makes it due at once");
}

#[test]
fn the_ledger_adds_up_the_pods_that_answered() {
    let (observations, pods) = (observations(Duration::ZERO), [pod("a"), pod("b"), pod("c")]);
    let mut status = status();
    (status.ledger.received, status.ledger.ok) = (5, 5);
    let round = vec![("a".to_owned(), Some(status.clone())), ("b".to_owned(), Some(status)), ("c".to_owned(), None)];
    observations.take("u", &pods, round);
    let (sum, answered, balanced) = observations.ledger("u", &pods);
    assert_eq!((sum.received, sum.ok, answered, balanced), (10, 10, 2, true));
}
