//! Gears side by side: allow rules by namespace, and one output for one gear.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Namespace};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::world::{Odd, PROCESS, World, message, said, wasm};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_allow_rules_do_not_permit_stalls_until_the_namespace_is_labelled() {
    let tenants = Some(json!([{ "namespaceSelector": { "matchLabels": { "team": "payments" } }, "maxReplicas": 2 }]));
    let mut world = World::odd(Odd { tenants, ..Odd::default() }).await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({ "replicas": 3 })).await;
    let gear = world.until("masker", "Stalled", "True/NotPermitted").await;
    assert!(
        message(&gear, "Ready").contains("no rule of the operator's tenants selects it"),
        "{}",
        message(&gear, "Ready")
    );
    let label = json!({ "metadata": { "labels": { "team": "payments" } } });
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    namespaces.patch(&world.namespace, &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    let gear = crate::world::wait("the rule", || async {
        let gear = world.api().get("masker").await.unwrap();
        message(&gear, "Ready").contains("at most 2 are").then_some(gear)
    })
    .await
    .unwrap();
    assert_eq!(said(&gear, "Stalled"), "True/NotPermitted");
    assert!(world.api::<Deployment>().get_opt("masker-wasmgear").await.unwrap().is_none());
    world.gear("masker", json!({ "replicas": 2 })).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_younger_of_two_gears_with_one_output_waits_for_the_older_to_go() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let output = json!({ "output": { "rack": world.namespace, "gear": "same" } });
    world.gear("older", output.clone()).await;
    world.object::<Deployment>("older-wasmgear", |_| true).await;
    // Ages are whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    world.gear("younger", output).await;
    let gear = world.until("younger", "Stalled", "True/OutputConflict").await;
    assert!(message(&gear, "Ready").contains(&format!("belongs to the older gear {}/older", world.namespace)));
    assert!(world.api::<Deployment>().get_opt("younger-wasmgear").await.unwrap().is_none());
    world.delete("older").await;
    world.object::<Deployment>("younger-wasmgear", |_| true).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gear_whose_output_feeds_its_input_is_refused() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let spec = json!({ "input": { "subjects": ["flux.msg.>"] }, "output": { "rack": "r" } });
    world.gear("loop", spec).await;
    let gear = world.until("loop", "Stalled", "True/OutputFeedsInput").await;
    assert!(message(&gear, "Ready").contains("output flux.msg.r.loop.out is matched by input flux.msg.>"));
    world.stop().await;
}
