//! The list of `docs/reference/nats-permissions.md` is exact: it suffices, and every line of it is needed.

use std::time::Duration;

use gear_config::Nats;
use gear_stream::{Settings, problem};

use crate::{
    gear::Script,
    rig::{DURABLE, INPUT, OUTPUT, Rig, STREAM, start, until},
};

const PAGE: &str = include_str!("../../../../docs/reference/nats-permissions.md");

/// The first block of the page, for the gear of the rig.
fn lines() -> Vec<(String, String)> {
    let (_, rest) = PAGE.split_once("```text\n").expect("a block");
    let (block, _) = rest.split_once("```").expect("an end");
    let filled = block
        .replace("<stream>", STREAM)
        .replace("<durable>", DURABLE)
        .replace("<rack>", "edge")
        .replace("<gear>", "script")
        .replace("<namespace>", "payments")
        .replace("<name>", "script");
    let lines = filled.lines().map(|line| line.split_once(' ').expect("two words"));
    lines.map(|(kind, subject)| (kind.to_owned(), subject.trim().to_owned())).collect()
}

/// A server with an administrator and a sidecar's user who may do exactly this.
async fn rig(lines: &[(String, String)]) -> (Rig, Settings) {
    let list = |kind: &str| {
        let subjects = lines.iter().filter(|line| line.0 == kind).map(|line| format!("\"{}\"", line.1));
        let subjects = subjects.collect::<Vec<_>>().join(", ");
        // An empty list would allow everything.
        if subjects.is_empty() { "{ deny: \">\" }".to_owned() } else { format!("{{ allow: [ {subjects} ] }}") }
    };
    let key = nkeys::KeyPair::new_user();
    let rig = Rig::bare(&format!(
        "authorization {{ users: [ {{ user: admin, password: admin }}, {{ nkey: {}, permissions: {{ publish: {}, subscribe: {} }} }} ] }}",
        key.public_key(),
        list("publish"),
        list("subscribe")
    ));
    rig.make_stream().await;
    rig.make_stores().await;
    let seed = rig.broker.folder().join("seed");
    std::fs::write(&seed, key.seed().unwrap()).unwrap();
    let mut settings = rig.settings.clone();
    settings.nats = Nats { credentials: Some(seed), ..settings.nats };
    settings.tuning.answer = Duration::from_millis(300);
    (rig, settings)
}

/// A life of a gear: outputs, a dead letter, a retry, a duplicate, a lost consumer. Returns whether all of it worked.
async fn lives(lines: &[(String, String)], patience: Duration) -> bool {
    let (rig, settings) = rig(lines).await;
    let script = Script::new(2);
    // With one filter, as on a stream that has no replay subject.
    let mut narrow = settings.clone();
    narrow.input.subjects = vec!["flux.msg.>".into()];
    let life = async {
        let running = start(&script, narrow);
        running.well().await;
        running.stop().await;
        rig.admin().await.get_stream(STREAM).await.unwrap().delete_consumer(DURABLE).await.unwrap();
        rig.feed(["echo", "trap", "malformed", "twin"]).await;
        let inputs = rig.read(STREAM, INPUT).await;
        let nanos = inputs[3].info().unwrap().published.unix_timestamp_nanos();
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", format!("4-{OUTPUT}@4.{nanos:x}.0"));
        headers.insert("Wasmgear-Input", "flux-msg:4");
        rig.admin().await.publish_with_headers(OUTPUT, headers, "twin".into()).await.unwrap().await.unwrap();
        let running = start(&script, settings.clone());
        until("all settled", || async {
            let ledger = running.monitor.ledger();
            ledger.ok >= 1 && ledger.dead_lettered == 2 && ledger.retried >= 1 && ledger.already_emitted == 1
        })
        .await;
        until("the position", || async { position(&rig).await >= Some(4) }).await;
        let ended = running.stop().await;
        assert!(ended.clean && rig.consumer().await.num_ack_pending == 0);
    };
    tokio::time::timeout(patience, life).await.is_ok()
}

async fn position(rig: &Rig) -> Option<u64> {
    let bucket = rig.admin().await.get_key_value("wasmgear_state").await.ok()?;
    let value = bucket.get(format!("p.{DURABLE}")).await.ok()??;
    serde_json::from_slice::<serde_json::Value>(&value).ok()?["ackFloor"].as_u64()
}

#[tokio::test]
async fn the_list_suffices() {
    let lines = lines();
    assert_eq!(lines.len(), 15, "{lines:?}");
    assert!(lives(&lines, Duration::from_secs(30)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_needed() {
    let lines = lines();
    let mut lives_without = tokio::task::JoinSet::new();
    for index in 0..lines.len() {
        let mut fewer = lines.clone();
        let line = fewer.remove(index);
        lives_without.spawn(async move { (line, lives(&fewer, Duration::from_secs(25)).await) });
    }
    while let Some(life) = lives_without.join_next().await {
        let (line, lived) = life.unwrap();
        assert!(!lived, "everything works without {line:?}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_subject() {
    let fewer: Vec<_> = lines().into_iter().filter(|line| !line.1.contains("MSG.NEXT")).collect();
    let (_rig, settings) = rig(&fewer).await;
    let running = start(&Script::new(1), settings);
    running.problem(problem::PERMISSION_DENIED).await;
    let message = running.monitor.status().problem.unwrap().message;
    assert!(message.contains("$JS.API.CONSUMER.MSG.NEXT.flux-msg.wasmgear_0a1b2c3d_payments_script"), "{message}");
    running.stop().await;
}
