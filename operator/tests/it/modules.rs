//! Modules: found or not, right or wrong, and never near a pod before that is known.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use gear_module::Digest;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::{Value, json};
use wasmgear_crds::WasmGear;

use crate::world::{PROCESS, World, message, said, wait, wasm};

const HTTP: &str = r#"(import "env" "flux_req_http" (func (param i32 i32 i32 i32 i32 i32) (result i32)))"#;

/// A gear's name and what it asks for, the condition that is False, its reason, and a part of its sentence.
type Refusal = (&'static str, Value, &'static str, &'static str, &'static str);

fn refusals() -> [Refusal; 11] {
    let other = format!("urn:wasm:local/good:v1@{}", Digest::of(b"other"));
    [
        (
            "unknown",
            json!({ "module": "urn:wasm:local/nobody:v1" }),
            "ModuleResolved",
            "ModuleNotFound",
            "has no urn:wasm:local/nobody:v1",
        ),
        ("elsewhere", json!({ "module": "urn:wasm:free/x:v1" }), "ModuleResolved", "ModuleNotFound", "free/x"),
        ("mismatch", json!({ "module": other }), "ModuleResolved", "DigestMismatch", "expected sha256:"),
        ("huge", json!({ "module": "urn:wasm:local/huge:v1" }), "ModuleResolved", "ModuleTooLarge", "16777217 bytes"),
        (
            "bomb",
            json!({ "module": "urn:wasm:local/bomb:v1" }),
            "ModuleResolved",
            "CompileLimit",
            "2001 locals and parameters, at most 2000",
        ),
        ("text", json!({ "module": "urn:wasm:local/text:v1" }), "ModuleResolved", "NotAWasmModule", "WebAssembly text"),
        (
            "bare",
            json!({ "module": "urn:wasm:local/bare:v1" }),
            "ModuleResolved",
            "MissingExport",
            "flux_process or process",
        ),
        ("typed", json!({ "module": "urn:wasm:local/typed:v1" }), "ModuleResolved", "WrongExportType", "flux_process"),
        (
            "denied",
            json!({ "module": "urn:wasm:local/http:v1" }),
            "CapabilitiesGranted",
            "NotGranted",
            "imports env.flux_req_http, but allowHttp is false",
        ),
        (
            "absent",
            json!({ "module": "urn:wasm:local/http:v1", "allowHttp": true }),
            "CapabilitiesGranted",
            "NotAvailable",
            "HTTP is not available in this release",
        ),
        (
            "alien",
            json!({ "module": "urn:wasm:local/alien:v1" }),
            "CapabilitiesGranted",
            "UnknownImport",
            "imports env.launch",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_module_is_told_and_no_pod_ever_sees_it() {
    let mut world = World::new().await;
    // Watches over the whole test: nothing may ever be made.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (list, api) = (Arc::clone(&seen), world.api::<Deployment>());
    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(async move {
        let mut made = watcher(api, watcher::Config::default()).applied_objects().boxed();
        while let Some(Ok(deployment)) = made.next().await {
            list.lock().unwrap().push(deployment.name_any());
        }
    });
    world.module("text", "v1", b"(module)");
    world.module("huge", "v1", &vec![0; (16 << 20) + 1]);
    world.module("bomb", "v1", &wasm(&format!("(func (local {})) {PROCESS}", "i32 ".repeat(2_001))));
    world.module("bare", "v1", &wasm(""));
    world.module("typed", "v1", &wasm(r#"(func (export "flux_process") (param i32))"#));
    world.module("http", "v1", &wasm(&format!("{HTTP} {PROCESS}")));
    world.module("alien", "v1", &wasm(&format!(r#"(import "env" "launch" (func)) {PROCESS}"#)));
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let table = refusals();
    for (name, spec, ..) in &table {
        let mut spec = spec.clone();
        spec["output"] = json!({ "rack": world.namespace, "gear": name });
        world.gear(name, spec).await;
    }
    for (name, _, kind, reason, sentence) in &table {
        let gear = world.until(name, kind, &format!("False/{reason}")).await;
        assert!(message(&gear, kind).contains(sentence), "{name}: {}", message(&gear, kind));
        assert_eq!(said(&gear, "Ready"), format!("False/{reason}"), "{name}");
        assert_eq!(said(&gear, "Stalled"), format!("True/{reason}"), "{name}");
        assert_eq!(said(&gear, "Available"), "False/NothingToServe", "{name}");
        wait("the Event", || async { world.events(name).await.contains(&(*reason).to_owned()).then_some(()) })
            .await
            .unwrap();
    }
    assert!(world.api::<ConfigMap>().list(&kube::api::ListParams::default()).await.unwrap().items.is_empty());
    assert_eq!(seen.lock().unwrap().as_slice(), &[] as &[String]);
    // The watch does see what is made: the same module under another name and with the grant withdrawn from it.
    world.module("nobody", "v1", &wasm(PROCESS));
    world.until("unknown", "Ready", "False/Progressing").await;
    wait("the watch", || async { seen.lock().unwrap().contains(&"unknown-wasmgear".to_owned()).then_some(()) })
        .await
        .unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_newcomer_leaves_the_last_good_one_exactly_as_it_is() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.module("good", "v2", &wasm(&format!("{HTTP} {PROCESS}")));
    world.operate().await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    world.until("masker", "Ready", "True/Serving").await;
    let version = |world: &World| {
        let (map, deployment) = (world.api::<ConfigMap>(), world.api::<Deployment>());
        async move {
            let map = map.get("masker-wasmgear").await.unwrap().resource_version();
            (map, deployment.get("masker-wasmgear").await.unwrap().resource_version())
        }
    };
    let before = version(&world).await;
    for (module, reason) in [("urn:wasm:local/good:v2", "NotGranted"), ("urn:wasm:local/good:v3", "ModuleNotFound")] {
        world.gear("masker", json!({ "module": module, "config": { "changed": "too" } })).await;
        let gear = world.until("masker", "Ready", &format!("False/{reason}")).await;
        assert_eq!(said(&gear, "Available"), "True/Serving");
        assert_eq!(said(&gear, "Stalled"), format!("True/{reason}"));
        assert!(gear.status.unwrap().stable.unwrap().revision.starts_with("r1-"));
        assert_eq!(version(&world).await, before);
    }
    world.gear("masker", json!({})).await;
    world.until("masker", "Ready", "True/Serving").await;
    assert_eq!(version(&world).await.1, before.1, "back to the old wish: nothing to do");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_on_nats_that_is_away_is_waited_for_and_never_stalls_a_gear() {
    let mut world = World::new().await;
    let settings = world.settings("operator-a");
    world.broker.kill().unwrap();
    world.operate_as(settings).await;
    world.gear("masker", json!({ "module": "urn:wasm:masker:v1" })).await;
    let gear = world.until("masker", "Ready", "False/RegistryUnavailable").await;
    assert_eq!(said(&gear, "Reconciling"), "True/RegistryUnavailable");
    assert_eq!(said(&gear, "ModuleResolved"), "Unknown/RegistryUnavailable");
    assert_eq!(said(&gear, "Stalled"), "absent");
    world.broker.resume().unwrap();
    // The operator makes the buckets by itself; then somebody pushes.
    let gear = world.until("masker", "Ready", "False/ModuleNotFound").await;
    assert_eq!(said(&gear, "Stalled"), "True/ModuleNotFound");
    push(&world, "urn:wasm:masker:v1", &wasm(PROCESS)).await;
    world.until("masker", "Ready", "False/Progressing").await;
    let map: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    assert!(map.data.unwrap()["record.json"].contains("\"registry\": \"nats\""));
    world.stop().await;
}

pub(crate) async fn push(world: &World, reference: &str, bytes: &[u8]) {
    let nats = gear_config::Nats { url: world.broker.url(), ..gear_config::Nats::default() };
    let endpoint = gear_nats::Endpoint::new(&nats).unwrap();
    let context = endpoint.jetstream(endpoint.connect("test", "_INBOX_test").await.unwrap());
    let registry = gear_supply::NatsRegistry::new("nats", context, None);
    let module = gear_supply::Fetched::local(bytes.to_vec().into()).verify(&Digest::of(bytes)).unwrap();
    registry.push(&reference.parse().unwrap(), &module, |_| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_stays_pinned_when_the_file_behind_its_name_changes() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({})).await;
    let map: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    world.module("good", "v1", &wasm(&format!("{PROCESS} (global i32 (i32.const 9))")));
    world.gear("masker", json!({ "replicas": 2 })).await;
    world
        .object::<Deployment>("masker-wasmgear", |found: &Deployment| found.spec.as_ref().unwrap().replicas == Some(2))
        .await;
    let digest = |map: &ConfigMap| {
        gear_config::Document::parse(map.data.as_ref().unwrap()["gear.json"].as_bytes()).unwrap().stable.digest
    };
    let later: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    assert_eq!(digest(&later), digest(&map));
    world.stop().await;
    let gear: WasmGear = world.object("masker", |_| true).await;
    assert_eq!(gear.status.unwrap().module.unwrap().digest, digest(&map).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn sidecars_get_modules_of_a_folder_by_digest_and_nothing_else() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let port = world.modules.unwrap().port();
    let registry = gear_supply::OperatorRegistry::new("operator", &format!("http://127.0.0.1:{port}")).unwrap();
    let digest = Digest::of(&wasm(PROCESS));
    assert_eq!(registry.fetch(&digest, 1 << 20).await.unwrap().bytes().as_ref(), wasm(PROCESS).as_slice());
    let unknown = registry.fetch(&Digest::of(b"x"), 1 << 20).await.unwrap_err();
    assert_eq!(unknown.class(), gear_supply::Class::ModuleNotFound);
    world.stop().await;
}
