//! What a sidecar says while it can't serve, and how it comes back by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use gear_config::{Candidate, Registry, RegistrySource};
use gear_module::{Digest, Grants};
use nkeys::KeyPair;
use serde_json::json;

use crate::world::{World, document, payment, serial, until};

#[tokio::test]
async fn a_forged_document_never_runs_a_module_that_asks_for_more_than_it_is_granted() {
    let world = World::new().await;
    let wasm = guest_fixtures::wasm("imports-http");
    let mut document = world.document(&wasm).await;
    world.write(&document);
    let sidecar = world.start();
    let told = sidecar.unready("NotGranted").await;
    assert_eq!(told, "imports env.flux_req_http, but allowHttp is false");
    assert!(sidecar.get("/livez").0.contains(" 200 "));
    let (line, body) = sidecar.get("/readyz");
    assert!(line.contains(" 503 ") && body.starts_with("NotGranted: imports env.flux_req_http"), "{line} {body}");

    // Granting does not help: what this release does not have is refused, whoever wrote the document.
    document.stable.grants = Grants { allow_http: true, allow_kv: false };
    document.epoch = 2;
    world.write(&document);
    let told = sidecar.unready("NotAvailable").await;
    assert!(told.contains("not available in this release"), "{told}");

    // An honest document is followed without a restart.
    let mut honest = world.document(&guest_fixtures::wasm("echo")).await;
    honest.epoch = 3;
    world.write(&honest);
    sidecar.ready().await;
    assert_eq!(sidecar.status().epoch, 3);
    world.feed([payment(1)]).await;
    assert_eq!(world.outputs(1).await.len(), 1);
}

#[tokio::test]
async fn other_bytes_than_the_operator_pinned_are_never_run() {
    let world = World::new().await;
    let wasm = guest_fixtures::wasm("echo");
    let mut document = world.document(&wasm).await;
    // Somebody who can write the object store puts other bytes under a digest that they control.
    let wanted = Digest::of(b"what the operator saw");
    let subject = |digest: &Digest| format!("$O.wasm_modules.M.{}", base64(&digest.to_string()));
    let stored = world.js.get_stream("OBJ_wasm_modules").await.unwrap();
    let meta = stored.get_last_raw_message_by_subject(&subject(&Digest::of(&wasm))).await.unwrap();
    let mut meta: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&meta.payload).unwrap();
    meta.insert("name".into(), json!(wanted.to_string()));
    let forged = serde_json::to_vec(&meta).unwrap();
    world.js.publish(subject(&wanted), forged.into()).await.unwrap().await.unwrap();
    document.stable.digest = wanted;
    world.write(&document);
    let sidecar = world.start();
    let told = sidecar.unready("DigestMismatch").await;
    assert!(told.contains(&Digest::of(&wasm).to_string()), "{told}");
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE};
    URL_SAFE.encode(text)
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_waited_for() {
    let mut world = World::new().await;
    let document = world.document(&guest_fixtures::wasm("echo")).await;
    world.write(&document);
    world.broker.kill().unwrap();
    let sidecar = world.start();
    let told = sidecar.unready("NatsUnavailable").await;
    assert!(told.contains("127.0.0.1"), "{told}");
    world.broker.resume().unwrap();
    sidecar.ready().await;

    // And again while it serves.
    world.broker.kill().unwrap();
    sidecar.unready("NatsUnavailable").await;
    world.broker.resume().unwrap();
    sidecar.ready().await;
    world.feed([payment(1)]).await;
    assert_eq!(world.outputs(1).await.len(), 1);
}

#[tokio::test]
async fn a_module_that_is_nowhere_is_told_with_what_to_do() {
    let world = World::new().await;
    world.write(&document(&world.broker.url(), Digest::of(b"nowhere"), 100));
    let sidecar = world.start();
    let told = sidecar.unready("ModuleNotFound").await;
    assert!(told.contains("push"), "{told}");
}

#[tokio::test]
async fn documents_that_can_not_be_followed_are_told_by_field() {
    let world = World::new().await;
    let sidecar = world.start();
    let told = sidecar.unready("DocumentInvalid").await;
    assert!(told.contains("gear.json"), "{told}");
    world.write_text("{\"version\": 9}");
    until("another sentence", async || sidecar.unready("DocumentInvalid").await.contains("missing field")).await;

    let mut document = world.document(&guest_fixtures::wasm("echo")).await;
    document.candidate = Some(Candidate { revision: document.stable.clone(), percent: 10 });
    world.write(&document);
    let told = sidecar.unready("NotAvailable").await;
    assert!(told.contains("candidate"), "{told}");

    document.candidate = None;
    document.stable.output.prefix = "flux.msg.>".into();
    world.write(&document);
    until("the prefix", async || sidecar.unready("DocumentInvalid").await.contains("flux.msg.>.out")).await;
}

#[tokio::test]
async fn a_module_that_is_in_the_cache_needs_no_registry() {
    let world = World::new().await;
    let mut document = world.document(&guest_fixtures::wasm("echo")).await;
    world.write(&document);
    let first = world.start();
    first.ready().await;
    assert_eq!(first.stop(), 0);
    let nowhere = RegistrySource::Operator { url: "http://127.0.0.1:1".into() };
    document.registries = vec![Registry { name: "away".into(), source: nowhere }];
    world.write(&document);
    let second = world.start();
    second.ready().await;
    // A file that was tampered with counts as absent.
    assert_eq!(second.stop(), 0);
    let module = world.folder.path().join("cache/modules").join(document.stable.digest.hex() + ".wasm");
    std::fs::write(&module, b"\0asm tampered").unwrap();
    let third = world.start();
    let told = third.unready("RegistryUnavailable").await;
    assert!(told.contains("127.0.0.1:1"), "{told}");
}

#[tokio::test]
async fn a_missing_stream_is_told_and_waited_for() {
    let world = World::bare("").await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let sidecar = world.start();
    let told = sidecar.unready("StreamMissing").await;
    assert!(told.contains("flux-msg"), "{told}");
    assert!(sidecar.status().revisions[0].prepared, "the module is ready meanwhile");
    // Somebody makes it: no restart is needed.
    world.make_stream(Duration::from_mins(2)).await;
    sidecar.ready().await;
    world.feed([payment(1)]).await;
    assert_eq!(world.outputs(1).await.len(), 1);
    // And somebody deletes it while it serves.
    world.js.delete_stream("flux-msg").await.unwrap();
    sidecar.unready("StreamMissing").await;
    assert!(sidecar.get("/livez").0.contains(" 200 "));
    assert_eq!(sidecar.stop(), 0);
}

/// The exact permissions of `docs/reference/nats-permissions.md`: what a sidecar needs for its stream and its module.
fn permissions() -> Vec<String> {
    let page = include_str!("../../../docs/reference/nats-permissions.md");
    let blocks = page.split("```text\n").skip(1).take(2).map(|rest| rest.split_once("```").unwrap().0);
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("publish"));
    let known = [
        ("<stream>", "flux-msg"),
        ("<durable>", "wasmgear_0a1b2c3d_payments_gear"),
        ("<rack>", "edge-a"),
        ("<gear>", "gear"),
        ("<namespace>", "payments"),
        ("<name>", "gear"),
    ];
    let filled = lines.map(|line| known.iter().fold(line.trim().to_owned(), |line, (word, is)| line.replace(word, is)));
    filled.collect()
}

fn users(key: &KeyPair, publish: &[String]) -> String {
    let publish: Vec<String> = publish.iter().map(|subject| format!("\"{subject}\"")).collect();
    format!(
        "authorization {{ users: [ {{ user: admin, password: admin }}, {{ nkey: {}, permissions: {{ publish: {{ allow: [ {} ] }}, \
         subscribe: {{ allow: \"_INBOX_wasmgear_0a1b2c3d_payments_gear.>\" }} }} }} ] }}",
        key.public_key(),
        publish.join(", ")
    )
}

#[tokio::test]
async fn a_missing_permission_is_told_with_its_subject_and_waited_for() {
    let key = KeyPair::new_user();
    let all = permissions();
    assert!(all.iter().all(|subject| !subject.contains('<')) && all.len() > 10, "{all:?}");
    let first = ["DIRECT.GET.OBJ_wasm_modules", "STREAM.INFO.flux-msg", "CONSUMER.CREATE", "CONSUMER.MSG.NEXT"];
    for missing in first {
        let fewer: Vec<String> = all.iter().filter(|subject| !subject.contains(missing)).cloned().collect();
        assert!(fewer.len() < all.len(), "{missing}");
        let (few, many) = (users(&key, &fewer), users(&key, &all));
        let world = World::bare(&few).await;
        world.make_stream(Duration::from_mins(2)).await;
        let seed = world.folder.path().join("seed");
        std::fs::write(&seed, key.seed().unwrap()).unwrap();
        let mut document = world.document(&guest_fixtures::wasm("echo")).await;
        document.nats.credentials = Some(seed);
        world.write(&document);
        let sidecar = world.start();
        let told = sidecar.unready("PermissionDenied").await;
        assert!(told.contains(missing), "{missing}: {told}");
        // Somebody corrects the server's configuration: no restart is needed.
        world.reconfigure(&few, &many);
        sidecar.ready().await;
        world.feed([payment(1)]).await;
        assert_eq!(world.outputs(1).await.len(), 1);
        assert_eq!(sidecar.stop(), 0);
    }
}

#[tokio::test]
async fn whether_a_message_ever_came_is_in_the_status() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    // From this the operator makes NoMessagesYet: connected, and never a message.
    let stream = sidecar.status().stream;
    assert!(stream.connected && stream.last_message_ms == 0, "{stream:?}");
    let before = now_ms();
    world.feed([payment(1)]).await;
    sidecar.ledger("one message", |ledger| ledger.ok == 1).await;
    let last = sidecar.status().stream.last_message_ms;
    assert!((before..=now_ms()).contains(&last), "{last}");
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn asked_to_end_it_finishes_what_it_has_and_leaves_the_rest_to_the_next_one() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let first = world.start();
    first.ready().await;
    let feeding = world.feed((0..5_000).map(payment));
    let stopping = async {
        first.ledger("some messages", |ledger| ledger.ok > 500).await;
        first.end()
    };
    let ((), (code, log)) = tokio::join!(feeding, stopping);
    assert_eq!(code, 0);
    // Its last words: everything that it took is finished or given back.
    let last = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let closed = last.into_iter().find(|line| line["message"] == "the ledger of this pod is closed").unwrap();
    assert_eq!((&closed["balanced"], &closed["in_flight"]), (&true.into(), &0.into()), "{closed}");
    assert!(closed["received"].as_u64() >= closed["ok"].as_u64() && closed["ok"].as_u64() > Some(500), "{closed}");
    let second = world.start();
    second.ready().await;
    second.ledger("the rest", |ledger| ledger.ok > 0 && ledger.in_flight == 0).await;
    let outputs = world.outputs(5_000).await;
    let serials: BTreeSet<u64> = outputs.iter().map(|(_, record)| serial(record)).collect();
    assert_eq!((outputs.len(), serials.len()), (5_000, 5_000));
}
