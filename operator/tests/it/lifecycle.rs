//! A gear from its first apply to a change of its version.

use gear_config::Document;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use wasmgear_crds::{Lag, WasmGear};

use crate::world::{PROCESS, World, message, said, wait, wasm};

fn document(map: &ConfigMap) -> Document {
    Document::parse(map.data.as_ref().unwrap()["gear.json"].as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gear_gets_its_children_and_is_ready_when_its_sidecars_serve() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({ "config": { "keep": "4" } })).await;
    let deployment: Deployment = world.object("masker-wasmgear", |_| true).await;
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some("wasmgear-sidecar:test"));
    let map: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    let found = document(&map);
    assert_eq!(found.stable.module, "urn:wasm:local/good:v1");
    assert_eq!(found.stable.digest, gear_module::Digest::of(&wasm(PROCESS)));
    assert_eq!(found.stable.config["keep"], "4");
    assert_eq!((found.epoch, found.candidate.is_none()), (1, true));
    world.object::<ServiceAccount>("masker-wasmgear", |a| a.automount_service_account_token == Some(false)).await;
    world.object::<PodDisruptionBudget>("masker-wasmgear", |_| true).await;
    world.object::<NetworkPolicy>("wasmgear-pods", |_| true).await;

    let gear = world.until("masker", "Ready", "False/Progressing").await;
    assert_eq!(said(&gear, "ModuleResolved"), "True/Resolved");
    assert_eq!(said(&gear, "CapabilitiesGranted"), "True/Granted");
    assert_eq!(said(&gear, "Reconciling"), "True/Progressing");
    // The namespace enforces the restricted profile: the API server takes the pods.
    world.cluster.roll_out("masker").await;
    let gear = world.until("masker", "Ready", "True/Serving").await;
    for (kind, words) in [
        ("Available", "True/Serving"),
        ("RolledOut", "True/Complete"),
        ("StreamConnected", "True/Connected"),
        ("LedgerBalanced", "True/Balanced"),
        ("Reconciling", "absent"),
        ("Stalled", "absent"),
    ] {
        world.until("masker", kind, words).await;
    }
    let status = gear.status.unwrap();
    assert_eq!(status.observed_generation, Some(1));
    let module = status.module.unwrap();
    assert_eq!((module.abi.as_deref(), module.digest), (Some("flux1"), found.stable.digest.to_string()));
    assert_eq!(status.stable.unwrap().revision, found.stable.name);
    assert_eq!((status.replicas, status.ready_replicas), (1, 1));
    assert!(world.events("masker").await.contains(&"Serving".to_owned()));
    wait("the operator's own readiness", || async { world.admin("/readyz").await.ends_with("leads\n").then_some(()) })
        .await
        .unwrap();
    world.cluster.say(|status| status.stream.last_message_ms = 1);
    world.until("masker", "StreamConnected", "True/Receiving").await;
    let lag = || async { world.api::<WasmGear>().get("masker").await.unwrap().status.unwrap().lag };
    wait("lag", || async { lag().await.filter(|lag| *lag == Lag::None) }).await.unwrap();
    let scale = world.api::<WasmGear>().get_scale("masker").await.unwrap();
    assert_eq!(scale.status.unwrap().selector.unwrap(), status.selector);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_replaces_pods_and_scaling_does_not() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.module("good", "v2", &wasm(&format!("{PROCESS} (global i32 (i32.const 2))")));
    world.operate().await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    world.until("masker", "Ready", "True/Serving").await;
    let revision = |deployment: &Deployment| {
        let template = deployment.spec.clone().unwrap().template.metadata.unwrap();
        template.annotations.unwrap()["gears.fluxrig.org/revision"].clone()
    };
    let first: Deployment = world.object("masker-wasmgear", |_| true).await;
    world.gear("masker", json!({ "replicas": 3 })).await;
    let wider: Deployment =
        world.object("masker-wasmgear", |found: &Deployment| found.spec.as_ref().unwrap().replicas == Some(3)).await;
    assert_eq!(wider.spec.unwrap().template, first.spec.clone().unwrap().template);
    world.cluster.roll_out("masker").await;
    world.gear("masker", json!({ "module": "urn:wasm:local/good:v2", "replicas": 3 })).await;
    let second: Deployment =
        world.object("masker-wasmgear", |found: &Deployment| revision(found) != revision(&first)).await;
    let map: ConfigMap = world.object("masker-wasmgear", |map| document(map).epoch == 2).await;
    assert_eq!(document(&map).stable.name, revision(&second));
    assert!(revision(&second).starts_with("r2-"));
    let gear = world.until("masker", "RolledOut", "False/Progressing").await;
    assert_eq!(said(&gear, "Available"), "True/Serving", "the old pods serve on");
    world.cluster.roll_out("masker").await;
    let gear = world.until("masker", "Ready", "True/Serving").await;
    let history: Vec<String> = gear.status.unwrap().history.into_iter().map(|entry| entry.revision).collect();
    assert_eq!(history, [revision(&second), revision(&first)]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_edits_or_deletes_is_put_back_once_and_told() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    // An amount that the API server writes differently must not look like an edit for ever.
    let odd = json!({ "resources": { "requests": { "cpu": "0.5" } } });
    world.gear("masker", json!({ "template": odd })).await;
    let first: Deployment = world.object("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    world.until("masker", "Ready", "True/Serving").await;
    let edit = json!({ "spec": { "template": { "spec": { "terminationGracePeriodSeconds": 1 } } } });
    let params = PatchParams::default();
    world.api::<Deployment>().patch("masker-wasmgear", &params, &Patch::Merge(edit)).await.unwrap();
    let grace = |deployment: &Deployment| {
        deployment.spec.as_ref().unwrap().template.spec.as_ref().unwrap().termination_grace_period_seconds
    };
    world
        .object("masker-wasmgear", |found: &Deployment| {
            grace(found) == grace(&first) && found.metadata.generation == Some(3)
        })
        .await;
    wait("the Event", || async { world.events("masker").await.contains(&"ChildRestored".to_owned()).then_some(()) })
        .await
        .unwrap();
    world.api::<ServiceAccount>().delete("masker-wasmgear", &DeleteParams::default()).await.unwrap();
    world.object::<ServiceAccount>("masker-wasmgear", |_| true).await;
    world.api::<NetworkPolicy>().delete("wasmgear-pods", &DeleteParams::default()).await.unwrap();
    world.object::<NetworkPolicy>("wasmgear-pods", |_| true).await;
    world.stop().await;
    let restored = world.events("masker").await.into_iter().filter(|reason| reason == "ChildRestored").count();
    assert_eq!(restored, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_somebody_else_is_left_alone_and_named() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    let foreign: ConfigMap =
        serde_json::from_value(json!({ "metadata": { "name": "masker-wasmgear" }, "data": { "a": "b" } })).unwrap();
    world.api().create(&PostParams::default(), &foreign).await.unwrap();
    world.operate().await;
    world.gear("masker", json!({})).await;
    let gear = world.until("masker", "Stalled", "True/ChildConflict").await;
    assert!(
        message(&gear, "Stalled").contains("ConfigMap masker-wasmgear exists and belongs to nobody"),
        "{}",
        message(&gear, "Stalled")
    );
    let found: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    assert_eq!(found.data, foreign.data);
    world.api::<ConfigMap>().delete("masker-wasmgear", &DeleteParams::default()).await.unwrap();
    world.until("masker", "Ready", "False/Progressing").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_is_named_and_seen_when_it_comes() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let named = json!({ "credentialsSecretRef": { "name": "wasmgear-nats", "key": "user.nk" } });
    world.gear("masker", json!({ "nats": named })).await;
    let gear = world.until("masker", "Stalled", "True/SecretMissing").await;
    assert!(message(&gear, "Ready").contains("there is no Secret wasmgear-nats"), "{}", message(&gear, "Ready"));
    let secret: Secret = serde_json::from_value(
        json!({ "metadata": { "name": "wasmgear-nats" }, "stringData": { "user.nk": "SUSECRET" } }),
    )
    .unwrap();
    world.api().create(&PostParams::default(), &secret).await.unwrap();
    let deployment: Deployment = world.object("masker-wasmgear", |_| true).await;
    let volumes = deployment.spec.unwrap().template.spec.unwrap().volumes.unwrap();
    assert!(
        volumes
            .iter()
            .any(|volume| volume.secret.as_ref().is_some_and(|s| s.secret_name.as_deref() == Some("wasmgear-nats")))
    );
    let map: ConfigMap = world.object("masker-wasmgear", |_| true).await;
    assert!(!serde_json::to_string(&map).unwrap().contains("SUSECRET"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sidecars_that_are_not_well_are_told_with_their_own_words() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    world.until("masker", "Ready", "True/Serving").await;
    let problem =
        gear_config::status::Problem { reason: "StreamMissing".into(), message: "stream flux-msg is missing".into() };
    world.cluster.say(|status| {
        status.stream.connected = false;
        status.stream.problem = Some(problem);
    });
    let gear = world.until("masker", "StreamConnected", "False/StreamMissing").await;
    assert!(message(&gear, "StreamConnected").ends_with("stream flux-msg is missing"));
    world.cluster.say(|status| {
        status.stream.connected = true;
        status.stream.problem = None;
        status.ledger.received = 5;
    });
    let gear = world.until("masker", "LedgerBalanced", "False/Unbalanced").await;
    assert!(world.events("masker").await.contains(&"Unbalanced".to_owned()), "{}", gear.name_any());
    world.cluster.say(|status| status.uid = "somebody else".into());
    world.until("masker", "StreamConnected", "Unknown/SidecarsUnknown").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_on_the_input_is_told_with_its_likely_cause() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    let mut settings = world.settings("operator-a");
    settings.pace.silence = std::time::Duration::from_secs(1);
    world.operate_as(settings).await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    let gear = world.until("masker", "StreamConnected", "True/NoMessagesYet").await;
    assert!(message(&gear, "StreamConnected").contains("no message came on flux.msg.edge-a.line-in.out"));
    assert!(world.events("masker").await.contains(&"NoMessagesYet".to_owned()));
    world.cluster.say(|status| status.stream.last_message_ms = 1);
    world.until("masker", "StreamConnected", "True/Receiving").await;
    world.stop().await;
}
