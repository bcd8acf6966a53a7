//! What a sidecar says while it can't serve, and how it comes back by itself.

use std::{collections::BTreeMap, time::Duration};

use gear_config::{Candidate, Registry, RegistrySource};
use gear_module::{Digest, Grants};
use serde_json::json;

use crate::world::{World, document, payment, until};

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
    assert!(first.stop().unwrap().clean);
    let nowhere = RegistrySource::Operator { url: "http://127.0.0.1:1".into() };
    document.registries = vec![Registry { name: "away".into(), source: nowhere }];
    world.write(&document);
    let second = world.start();
    second.ready().await;
    // A file that was tampered with counts as absent.
    assert!(second.stop().unwrap().clean);
    let module = world.folder.path().join("cache/modules").join(document.stable.digest.hex() + ".wasm");
    std::fs::write(&module, b"\0asm tampered").unwrap();
    let third = world.start();
    let told = third.unready("RegistryUnavailable").await;
    assert!(told.contains("127.0.0.1:1"), "{told}");
}

#[tokio::test]
async fn a_missing_stream_is_told_and_waited_for() {
    let world = World::new().await;
    let mut document = world.document(&guest_fixtures::wasm("echo")).await;
    document.input.stream = "not-there".into();
    world.write(&document);
    let sidecar = world.start();
    let told = sidecar.unready("StreamMissing").await;
    assert!(told.contains("not-there"), "{told}");
    assert!(sidecar.status().revisions[0].prepared, "the module is ready meanwhile");
    let end = tokio::time::timeout(Duration::from_secs(20), async { sidecar.stop() }).await;
    assert!(end.unwrap().unwrap().clean);
}
