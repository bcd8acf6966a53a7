//! The loop on a real server: what it promises when all is well.

use std::{sync::atomic::Ordering, time::Duration};

use async_nats::jetstream::consumer::DeliverPolicy;
use gear_config::Span;
use gear_stream::{Settings, wire};

use crate::{
    gear::Script,
    rig::{DURABLE, INPUT, LETTERS, OUTPUT, Rig, STREAM, header, numbered, start, until},
};

#[tokio::test]
async fn outputs_are_stored_with_their_headers_and_inputs_are_acked() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    running.well().await;
    rig.feed(["one", "fan 3", "drop", "probe", "none"]).await;
    running.done(5).await;
    let ledger = running.monitor.ledger();
    assert_eq!((ledger.ok, ledger.dropped, ledger.probes, ledger.emitted, ledger.confirmed), (3, 1, 1, 4, 4));
    let outputs = rig.outputs().await;
    assert_eq!(outputs.len(), 4);
    let headers = outputs[0].headers.as_ref();
    let input = rig.read(STREAM, INPUT).await;
    let info = input[0].info().unwrap();
    let nanos = info.published.unix_timestamp_nanos();
    let id = format!("1-{OUTPUT}@1.{nanos:x}.0");
    assert_eq!(header(headers, "Nats-Msg-Id"), Some(id));
    assert_eq!(header(headers, "Wasmgear-Input"), Some(format!("{STREAM}:1")));
    assert_eq!(header(headers, "Wasmgear-Digest"), Some(running.script.revision.digest.clone()));
    assert_eq!(header(headers, "Nats-Expected-Stream"), Some(STREAM.to_owned()));
    let status = running.monitor.status();
    assert!(status.connected && status.last_message_ms > 0, "{status:?}");
    assert!(running.stop().await.clean);
    let consumer = rig.consumer().await;
    assert_eq!((consumer.num_ack_pending, consumer.num_pending, consumer.ack_floor.stream_sequence), (0, 0, 5));
    assert_eq!(consumer.num_waiting, 0, "nobody pulls any more");
}

#[tokio::test]
async fn the_consumer_is_made_as_the_contract_says_and_the_position_is_written() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    running.well().await;
    rig.feed(numbered(0..10)).await;
    running.done(10).await;
    running.stop().await;
    let config = rig.consumer().await.config;
    assert_eq!((config.max_deliver, config.max_ack_pending, config.deliver_policy), (-1, 4096, DeliverPolicy::All));
    assert_eq!(config.filter_subjects, [INPUT, "flux.msg.wasmgear-replay.payments.script"]);
    assert_eq!(config.inactive_threshold, Duration::from_hours(1));
    assert_eq!(config.metadata[wire::META_UID], "7f6c");
    assert_eq!(config.metadata[wire::META_CLUSTER], "0a1b2c3d");
    assert_eq!(config.metadata[wire::META_GENERATION], "1");
    let bucket = rig.admin().await.get_key_value("wasmgear_state").await.unwrap();
    let position = bucket.get(format!("p.{DURABLE}")).await.unwrap().expect("a position");
    let position: serde_json::Value = serde_json::from_slice(&position).unwrap();
    assert_eq!((position["ackFloor"].as_u64(), position["uid"].as_str()), (Some(10), Some("7f6c")), "{position}");
}

#[tokio::test]
async fn a_newer_generation_changes_the_consumer_and_an_older_one_does_not() {
    let rig = Rig::new().await;
    let with = |generation, seconds| {
        let mut settings = rig.settings.clone();
        settings.input.generation = generation;
        settings.input.ack_wait = Span::from_secs(seconds);
        settings
    };
    for (generation, seconds, expected) in [(1, 2, 2), (3, 7, 7), (2, 9, 7)] {
        let running = start(&Script::new(3), with(generation, seconds));
        running.well().await;
        running.stop().await;
        assert_eq!(rig.consumer().await.config.ack_wait.as_secs(), expected, "generation {generation}");
    }
}

#[tokio::test]
async fn a_failing_message_is_tried_again_and_then_buried_with_everything_known() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    rig.feed(["trap"]).await;
    running.done(3).await;
    let counts = running.counts();
    assert_eq!((counts.ledger.retried, counts.ledger.dead_lettered, counts.suspects), (2, 1, 0));
    let letters = rig.letters().await;
    let [letter] = &letters[..] else { panic!("{} letters", letters.len()) };
    let headers = letter.headers.as_ref();
    assert_eq!(letter.payload, "trap");
    for (name, expected) in [
        ("Wasmgear-Reason", "Trap"),
        ("Wasmgear-Detail", "unreachable"),
        ("Wasmgear-Attempts", "3"),
        ("Wasmgear-Subject", INPUT),
        ("Wasmgear-Input", "flux-msg:1"),
        ("Wasmgear-Revision", "r1-00000000"),
        ("Wasmgear-Version", "0.1.0"),
        ("traceparent", "00-0-0-01"),
    ] {
        assert_eq!(header(headers, name).as_deref(), Some(expected), "{name}");
    }
    let id = header(headers, "Nats-Msg-Id").unwrap();
    assert!(id.starts_with(&format!("dlq-{DURABLE}-1-")), "{id}");
    let bucket = rig.admin().await.get_key_value("wasmgear_state").await.unwrap();
    let record = bucket.get(format!("a.{DURABLE}.1")).await.unwrap().expect("attempts");
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    assert_eq!((record["attempts"].as_u64(), record["reason"].as_str()), (Some(2), Some("Trap")), "{record}");
    let raw = rig.admin().await.get_stream("KV_wasmgear_state").await.unwrap();
    let raw = raw.get_last_raw_message_by_subject(&format!("$KV.wasmgear_state.a.{DURABLE}.1")).await.unwrap();
    assert_eq!(header(Some(&raw.headers), "Nats-TTL").as_deref(), Some("24h"));
    running.stop().await;
    assert_eq!(rig.consumer().await.num_ack_pending, 0, "terminated");
}

#[tokio::test]
async fn what_is_malformed_is_buried_and_terminated_at_once() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    rig.feed(["malformed", "reject", "port"]).await;
    running.done(3).await;
    let ledger = running.monitor.ledger();
    assert_eq!((ledger.dead_lettered, ledger.rejected, ledger.received), (1, 2, 3));
    let reasons: Vec<_> =
        rig.letters().await.iter().map(|letter| header(letter.headers.as_ref(), "Wasmgear-Reason").unwrap()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.contains(&"Malformed".to_owned()) && reasons.contains(&"Rejected".to_owned()), "{reasons:?}");
    assert_eq!(rig.read(STREAM, "flux.msg.edge.script.error").await.len(), 1);
    running.stop().await;
    let consumer = rig.consumer().await;
    assert_eq!((consumer.num_ack_pending, consumer.num_redelivered), (0, 0));
}

#[tokio::test]
async fn an_output_that_does_not_fit_fails_before_anything_of_its_input_is_sent() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(1));
    rig.feed(["large"]).await;
    running.done(1).await;
    assert!(rig.outputs().await.is_empty());
    let letters = rig.letters().await;
    assert_eq!(header(letters[0].headers.as_ref(), "Wasmgear-Reason").as_deref(), Some("Output"));
    let detail = header(letters[0].headers.as_ref(), "Wasmgear-Detail").unwrap();
    assert!(detail.contains("takes at most 1048576"), "{detail}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_fills_a_message_is_buried_in_parts() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(1));
    let mut body = b"malformed ".to_vec();
    body.resize((1 << 20) - 10, b'x');
    rig.feed([body.clone()]).await;
    running.done(1).await;
    let letters = rig.letters().await;
    let parts: Vec<_> =
        letters.iter().map(|letter| header(letter.headers.as_ref(), "Wasmgear-Part").unwrap()).collect();
    assert_eq!(parts, ["1/2", "2/2"]);
    let joined: Vec<u8> = letters.iter().flat_map(|letter| letter.payload.to_vec()).collect();
    assert!(joined == body, "{} bytes", joined.len());
    running.stop().await;
}

#[tokio::test]
async fn a_slow_message_is_kept_by_signs_of_life() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    // Twice the ack wait.
    rig.feed(["slow 4000"]).await;
    running.done(1).await;
    assert_eq!(running.script.calls.load(Ordering::Relaxed), 1);
    assert_eq!((running.monitor.ledger().ok, running.counts().late), (1, 0));
    running.stop().await;
    assert_eq!(rig.consumer().await.num_redelivered, 0);
}

#[tokio::test]
async fn two_pods_share_the_work() {
    let rig = Rig::new().await;
    let (one, two) = (rig.start(&Script::new(3)), rig.start(&Script::new(3)));
    one.well().await;
    two.well().await;
    rig.feed(numbered(0..5_000)).await;
    until("all done", || async { one.monitor.ledger().ok + two.monitor.ledger().ok == 5_000 }).await;
    rig.each_once(5_000).await;
    assert!(one.stop().await.clean && two.stop().await.clean);
}

#[tokio::test]
async fn order_is_kept_also_across_failures() {
    let rig = Rig::new().await;
    let mut settings: Settings = rig.settings.clone();
    settings.input.ordered = true;
    let running = start(&Script::new(2), settings);
    running.well().await;
    let mut texts = numbered(0..50);
    texts.insert(25, "trap".to_owned());
    rig.feed(texts).await;
    running.done(52).await;
    let bodies: Vec<_> =
        rig.outputs().await.iter().map(|message| String::from_utf8(message.payload.to_vec()).unwrap()).collect();
    assert_eq!(bodies, numbered(0..50));
    assert_eq!(rig.letters().await.len(), 1);
    assert_eq!(rig.consumer().await.config.max_ack_pending, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_replayed_letter_reaches_its_gear_alone() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(3));
    running.well().await;
    let context = rig.admin().await;
    context.publish("flux.msg.wasmgear-replay.payments.script", "again".into()).await.unwrap().await.unwrap();
    context.publish("flux.msg.wasmgear-replay.payments.other", "not mine".into()).await.unwrap().await.unwrap();
    running.done(1).await;
    assert_eq!(rig.bodies().await.into_keys().collect::<Vec<_>>(), ["again"]);
    running.stop().await;
}

#[tokio::test]
async fn an_output_that_is_there_already_is_looked_at() {
    let rig = Rig::new().await;
    rig.feed(["mine", "taken"]).await;
    // As if an earlier process had sent the first and died before the ack; and as if somebody had taken the second's id.
    let inputs = rig.read(STREAM, INPUT).await;
    let context = rig.admin().await;
    for (sequence, input, whose) in [(1, &inputs[0], "flux-msg:1"), (2, &inputs[1], "flux-msg:999")] {
        let nanos = input.info().unwrap().published.unix_timestamp_nanos();
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", format!("{sequence}-{OUTPUT}@{sequence}.{nanos:x}.0"));
        headers.insert("Wasmgear-Input", whose);
        context.publish_with_headers(OUTPUT, headers, "before".into()).await.unwrap().await.unwrap();
    }
    let running = rig.start(&Script::new(3));
    running.done(2).await;
    let counts = running.counts();
    assert_eq!((counts.lookups, counts.collisions), (2, 1));
    assert_eq!((counts.ledger.already_emitted, counts.ledger.ok), (1, 1));
    assert_eq!((counts.ledger.confirmed_duplicate, counts.ledger.confirmed), (1, 1));
    let outputs = rig.outputs().await;
    assert_eq!(outputs.len(), 3, "the collision did not swallow the output");
    assert!(header(outputs[2].headers.as_ref(), "Nats-Msg-Id").unwrap().ends_with(".0.x1"));
    running.stop().await;
}

#[tokio::test]
async fn a_stop_leaves_no_dead_letter_and_the_next_pod_gets_the_rest_at_once() {
    let rig = Rig::new().await;
    let mut settings = rig.settings.clone();
    settings.tuning.calls = 8;
    settings.input.ack_wait = Span::from_secs(30);
    let running = start(&Script::new(1), settings.clone());
    rig.feed(vec!["slow 400"; 40]).await;
    until("calls begun", || async { running.script.calls.load(Ordering::Relaxed) >= 8 }).await;
    let monitor = running.monitor.clone();
    let ended = running.stop().await;
    assert!(ended.clean, "{ended:?}");
    let ledger = monitor.ledger();
    assert_eq!((ledger.ok, ledger.dead_lettered, ledger.unconfirmed), (8, 0, 0), "{ledger:?}");
    settings.tuning.calls = 64;
    let next = start(&Script::new(1), settings);
    // Far sooner than the ack wait: they were given back. And none of them is taken for the cause of a crash.
    tokio::time::timeout(Duration::from_secs(10), next.done(32)).await.expect("the rest comes at once");
    assert_eq!((next.monitor.ledger().ok, next.counts().suspects), (32, 0));
    assert!(rig.letters().await.is_empty());
    assert_eq!(rig.outputs().await.len(), 40);
    next.stop().await;
}

#[tokio::test]
async fn a_stop_that_takes_too_long_leaves_the_rest_to_the_server() {
    let rig = Rig::new().await;
    let running = rig.start(&Script::new(1));
    rig.feed(["slow 60000"]).await;
    until("the call begun", || async { running.script.calls.load(Ordering::Relaxed) == 1 }).await;
    let monitor = running.monitor.clone();
    let ended = running.stop().await;
    assert!(!ended.clean && ended.left == 1, "{ended:?}");
    assert_eq!((monitor.ledger().released, monitor.ledger().dead_lettered), (1, 0));
    assert!(rig.read("flux-dlq", LETTERS).await.is_empty());
}
