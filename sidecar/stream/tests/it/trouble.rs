//! The loop on a real server when something goes wrong: named, nothing lost, back by itself.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use gear_config::{Deliver, Span};
use gear_stream::{Monitor, problem};

use crate::{
    gear::Script,
    rig::{DURABLE, INPUT, OUTPUT, Rig, Running, STREAM, header, numbered, start, until},
};

async fn ok(monitor: &Monitor, count: u64) {
    until(&format!("{count} ok"), || async { monitor.ledger().ok + monitor.ledger().already_emitted >= count }).await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing_and_doubles_nothing() {
    let rig = Rig::new().await;
    rig.feed(numbered(0..6_000)).await;
    let mut redelivered = 0;
    for round in 0..3 {
        let running = rig.start(&Script::new(3));
        ok(&running.monitor, 200 + round * 300).await;
        redelivered += running.counts().redelivered;
        running.kill().await;
    }
    let last = rig.start(&Script::new(3));
    until("all acked", || async { rig.consumer().await.ack_floor.stream_sequence >= 6_000 }).await;
    redelivered += last.counts().redelivered;
    assert!(redelivered > 0, "nothing was in hand when the process died: this proves nothing");
    rig.each_once(6_000).await;
    assert!(rig.letters().await.is_empty());
    last.stop().await;
}

#[tokio::test]
async fn a_message_that_kills_the_process_is_buried_as_crash_and_its_neighbours_are_not() {
    let rig = Rig::new().await;
    let mut settings = rig.settings.clone();
    settings.input.ack_wait = Span::from_millis(300);
    let mut texts = numbered(0..20);
    texts.insert(10, "slow 600000".to_owned());
    rig.feed(texts).await;
    // One attempt and three more are allowed, the first delivery is no suspicion: five deaths, then it is over.
    let mut deaths = 0;
    let last = loop {
        let running = start(&Script::new(1), settings.clone());
        let done = || async {
            let in_guest = running.script.calls.load(Ordering::Relaxed) > 0 && running.monitor.ledger().in_flight == 1;
            in_guest || running.monitor.ledger().dead_lettered == 1
        };
        until("only the killer is in the guest, or it is buried", done).await;
        if running.monitor.ledger().dead_lettered == 1 {
            break running;
        }
        deaths += 1;
        running.kill().await;
    };
    assert_eq!(deaths, 5);
    let letters = rig.letters().await;
    let [letter] = &letters[..] else { panic!("{} letters", letters.len()) };
    assert_eq!(header(letter.headers.as_ref(), "Wasmgear-Reason").as_deref(), Some("Crash"));
    assert_eq!(letter.payload, "slow 600000");
    rig.each_once(20).await;
    last.stop().await;
}

#[tokio::test]
async fn suspects_of_a_crash_are_called_one_at_a_time() {
    let rig = Rig::new().await;
    let mut settings = rig.settings.clone();
    settings.input.ack_wait = Span::from_millis(500);
    rig.feed(vec!["slow 200"; 10]).await;
    let first = start(&Script::new(1), settings.clone());
    until("all in the guest", || async { first.script.running.0.load(Ordering::Relaxed) == 10 }).await;
    first.kill().await;
    let second = start(&Script::new(1), settings);
    ok(&second.monitor, 10).await;
    assert_eq!((second.counts().suspects, second.script.running.1.load(Ordering::Relaxed)), (10, 1));
    second.stop().await;
}

#[tokio::test]
async fn a_killed_server_is_found_again_within_five_seconds() {
    let mut rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    rig.feed(numbered(0..2_000)).await;
    ok(&running.monitor, 500).await;
    rig.broker.kill().unwrap();
    running.problem(problem::NATS_UNAVAILABLE).await;
    let before = running.monitor.ledger();
    assert!(before.balances() && before.in_flight == 0, "{before:?}");
    rig.broker.resume().unwrap();
    let listening = Instant::now();
    rig.feed(numbered(2_000..2_010)).await;
    until("messages flow", || async { running.monitor.ledger().received > before.received }).await;
    let took = listening.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    until("every input came out", || async { rig.bodies().await.len() == 2_010 }).await;
    rig.each_once(2_010).await;
    running.well().await;
    assert!(running.counts().disconnects > 0);
    assert!(running.stop().await.clean);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let mut rig = Rig::new().await;
    rig.feed(numbered(0..10)).await;
    rig.broker.kill().unwrap();
    let running = rig.start(&Script::new(3));
    running.problem(problem::NATS_UNAVAILABLE).await;
    assert!(!running.monitor.status().connected);
    rig.broker.resume().unwrap();
    ok(&running.monitor, 10).await;
    rig.each_once(10).await;
    running.stop().await;
}

#[tokio::test]
async fn a_missing_stream_and_missing_stores_are_named_one_after_the_other() {
    let rig = Rig::bare("");
    let running = rig.start(&Script::new(1));
    running.problem(problem::STREAM_MISSING).await;
    let message = running.monitor.status().problem.unwrap().message;
    assert!(message.contains("flux-msg"), "{message}");
    rig.make_stream().await;
    running.problem(problem::STATE_MISSING).await;
    let message = running.monitor.status().problem.unwrap().message;
    assert!(message.contains("wasmgear init"), "{message}");
    rig.make_stores().await;
    running.well().await;
    rig.feed(["one"]).await;
    running.done(1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_deleted_and_made_again_is_not_guessed_at() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    rig.feed(numbered(0..5)).await;
    running.done(5).await;
    written(&rig, 5).await;
    rig.admin().await.delete_stream(STREAM).await.unwrap();
    running.problem(problem::STREAM_MISSING).await;
    rig.make_stream().await;
    // The recorded position speaks of another stream: begin anew only when a person says so.
    running.problem(problem::POSITION_UNKNOWN).await;
    let bucket = rig.admin().await.get_key_value("wasmgear_state").await.unwrap();
    bucket.purge(format!("p.{DURABLE}")).await.unwrap();
    running.well().await;
    rig.feed(numbered(5..10)).await;
    running.done(10).await;
    running.stop().await;
}

/// Waits until the position is recorded.
async fn written(rig: &Rig, floor: u64) {
    until("the position is recorded", || async {
        let bucket = rig.admin().await.get_key_value("wasmgear_state").await.unwrap();
        let Some(value) = bucket.get(format!("p.{DURABLE}")).await.unwrap() else { return false };
        serde_json::from_slice::<serde_json::Value>(&value).unwrap()["ackFloor"].as_u64() >= Some(floor)
    })
    .await;
}

#[tokio::test]
async fn a_consumer_that_is_deleted_is_made_again_where_it_stood() {
    let rig = Rig::new().await;
    let mut settings = rig.settings.clone();
    // What was published before the gear was there is not for it, not even after the loss of its consumer.
    rig.feed(["too early"]).await;
    settings.input.deliver = Deliver::Time { start: created_now() };
    let running = start(&Script::new(3), settings);
    running.well().await;
    rig.feed(numbered(0..5)).await;
    running.done(5).await;
    written(&rig, 6).await;
    rig.admin().await.get_stream(STREAM).await.unwrap().delete_consumer(DURABLE).await.unwrap();
    running.problem(problem::CONSUMER_MISSING).await;
    rig.feed(numbered(5..10)).await;
    until("the rest came out", || async { rig.bodies().await.len() == 10 }).await;
    rig.each_once(10).await;
    running.well().await;
    let ledger = running.monitor.ledger();
    assert_eq!((ledger.received, ledger.already_emitted), (10, 0), "it began after what was settled");
    running.stop().await;
}

/// Now, as the resource's creation time would be; a second is rounded down, so it waits for the next one.
fn created_now() -> String {
    std::thread::sleep(Duration::from_millis(1_100));
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn another_gears_consumer_is_left_alone() {
    let rig = Rig::new().await;
    let first = rig.start(&Script::new(3));
    first.well().await;
    first.stop().await;
    rig.feed(numbered(0..3)).await;
    let mut settings = rig.settings.clone();
    settings.identity.uid = "another".into();
    let running = start(&Script::new(3), settings);
    running.problem(problem::CONSUMER_FOREIGN).await;
    let message = running.monitor.status().problem.unwrap().message;
    assert!(message.contains("nats consumer rm flux-msg"), "{message}");
    assert_eq!((running.monitor.ledger().received, rig.consumer().await.num_waiting), (0, 0));
    rig.admin().await.get_stream(STREAM).await.unwrap().delete_consumer(DURABLE).await.unwrap();
    running.well().await;
    running.stop().await;
}

/// Processes what needs a store that is away; the store comes; all is well.
async fn held(rig: &Rig, running: &Running, reason: &str) {
    running.problem(reason).await;
    until("it is held", || async { running.monitor.ledger().held > 0 }).await;
    rig.feed(numbered(0..50)).await;
    ok(&running.monitor, 50).await;
    rig.make_stores().await;
    running.well().await;
}

#[tokio::test]
async fn a_dead_letter_waits_for_its_stream_and_holds_nobody_else() {
    let rig = Rig::new().await;
    rig.admin().await.delete_stream("flux-dlq").await.unwrap();
    let running = rig.start(&Script::new(1));
    rig.feed(["malformed"]).await;
    held(&rig, &running, problem::DEAD_LETTER_MISSING).await;
    until("buried", || async { running.monitor.ledger().dead_lettered == 1 }).await;
    assert_eq!(rig.letters().await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_attempt_waits_for_its_bucket_and_costs_nothing_meanwhile() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(2));
    running.well().await;
    rig.admin().await.delete_stream("KV_wasmgear_state").await.unwrap();
    rig.feed(["trap"]).await;
    held(&rig, &running, problem::STATE_MISSING).await;
    until("buried", || async { running.monitor.ledger().dead_lettered == 1 }).await;
    let letters = rig.letters().await;
    assert_eq!(header(letters[0].headers.as_ref(), "Wasmgear-Attempts").as_deref(), Some("2"));
    running.stop().await;
}

#[tokio::test]
async fn an_output_without_a_stream_is_held_and_then_given_back_without_an_attempt() {
    let rig = Rig::new().await;
    let script = Script::with_prefix(1, "nowhere.edge.script");
    let running = rig.start(&script);
    rig.feed(["one"]).await;
    running.problem(problem::STREAM_MISSING).await;
    let message = running.monitor.status().problem.unwrap().message;
    assert!(message.contains("nowhere.edge.script.out"), "{message}");
    until("given back", || async { running.monitor.ledger().released == 1 }).await;
    assert_eq!(running.monitor.ledger().abandoned, 1);
    let config = async_nats::jetstream::stream::Config {
        name: STREAM.into(),
        subjects: vec!["flux.msg.>".into(), "nowhere.>".into()],
        ..Default::default()
    };
    rig.admin().await.update_stream(config).await.unwrap();
    ok(&running.monitor, 1).await;
    assert!(rig.letters().await.is_empty() && running.counts().suspects == 0);
    assert_eq!(rig.read(STREAM, "nowhere.>").await.len(), 1);
    running.well().await;
    running.stop().await;
}

#[tokio::test]
async fn a_full_stream_holds_and_goes_on_when_there_is_room() {
    let rig = Rig::new().await;
    let context = rig.admin().await;
    let mut config = context.get_stream(STREAM).await.unwrap().cached_info().config.clone();
    config.discard = async_nats::jetstream::stream::DiscardPolicy::New;
    config.max_messages = 10;
    context.update_stream(config.clone()).await.unwrap();
    rig.feed(numbered(0..10)).await;
    let running = rig.start(&Script::new(1));
    running.problem(problem::STREAM_REFUSES).await;
    config.max_messages = 1_000;
    context.update_stream(config).await.unwrap();
    ok(&running.monitor, 10).await;
    rig.each_once(10).await;
    running.well().await;
    running.stop().await;
}

#[tokio::test]
async fn a_frozen_server_is_given_up_and_nothing_is_sent_late() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    running.well().await;
    let pid = rig.broker.pid().unwrap().to_string();
    let signal = |name: &str| std::process::Command::new("kill").args([name, &pid]).status().unwrap();
    rig.feed(numbered(0..200)).await;
    signal("-STOP");
    running.problem(problem::NATS_UNAVAILABLE).await;
    signal("-CONT");
    until("every input came out", || async { rig.bodies().await.len() == 200 }).await;
    rig.each_once(200).await;
    running.well().await;
    running.stop().await;
    assert_eq!(rig.read(STREAM, INPUT).await.len() + rig.read(STREAM, OUTPUT).await.len(), 400);
}
