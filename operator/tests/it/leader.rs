//! Two operators, one leader.

use std::time::{Duration, Instant};

use k8s_openapi::api::{apps::v1::Deployment, coordination::v1::Lease};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use wasmgear_operator::Settings;

use crate::world::{PROCESS, World, wait, wasm};

/// Time that a Lease is valid here.
const VALID: Duration = Duration::from_secs(6);

fn settings(world: &World, pod: &str) -> Settings {
    let mut settings = world.settings(pod);
    settings.pace.lease = VALID;
    settings
}

async fn holder(world: &World) -> Option<String> {
    let lease = world.api::<Lease>().get_opt(&world.account).await.unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

async fn held_by(world: &World, name: &str) {
    wait(&format!("{name} leads"), || async { (holder(world).await.as_deref() == Some(name)).then_some(()) })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_leaves_gives_the_lease_back_and_the_next_one_goes_on_at_once() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate_as(settings(&world, "one")).await;
    held_by(&world, "one").await;
    world.operate_as(settings(&world, "two")).await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    assert_eq!(holder(&world).await.as_deref(), Some("one"));
    let begun = Instant::now();
    world.stop_first().await;
    held_by(&world, "two").await;
    assert!(begun.elapsed() < VALID, "it need not wait for the Lease to run out: {:?}", begun.elapsed());
    world.gear("masker", json!({ "replicas": 2 })).await;
    world
        .object::<Deployment>("masker-wasmgear", |found: &Deployment| found.spec.as_ref().unwrap().replicas == Some(2))
        .await;
    world.stop().await;
    assert_eq!(holder(&world).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_the_lease_runs_out_and_the_next_one_leads() {
    let mut world = World::new().await;
    world.operate_as(settings(&world, "one")).await;
    held_by(&world, "one").await;
    world.kill();
    let begun = Instant::now();
    world.operate_as(settings(&world, "two")).await;
    held_by(&world, "two").await;
    assert!(begun.elapsed() >= VALID * 2 / 3, "before the Lease ran out: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_whose_lease_was_taken_ends() {
    let mut world = World::new().await;
    world.operate_as(settings(&world, "one")).await;
    held_by(&world, "one").await;
    let stolen = json!({ "spec": { "holderIdentity": "thief" } });
    world.api::<Lease>().patch(&world.account, &PatchParams::default(), &Patch::Merge(stolen)).await.unwrap();
    let error = world.ended().await.unwrap_err().to_string();
    assert!(error.contains("leadership is lost") && error.contains("held by somebody else"), "{error}");
}
