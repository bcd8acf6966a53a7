//! Gears that are gone: nothing waits for it, and nothing is left of them where the operator can reach.

use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer, stream};
use k8s_openapi::api::{apps::v1::Deployment, networking::v1::NetworkPolicy};
use serde_json::json;
use wasmgear_crds::WasmGear;

use crate::world::{PROCESS, World, wait, wasm};

async fn jetstream(world: &World) -> jetstream::Context {
    jetstream::new(async_nats::connect(world.broker.url()).await.unwrap())
}

/// The consumer as a sidecar makes it.
async fn consumer(world: &World, gear: &str, uid: &str) -> String {
    let context = jetstream(world).await;
    let config =
        stream::Config { name: "flux-msg".into(), subjects: vec!["flux.msg.>".into()], ..stream::Config::default() };
    let stream = context.get_or_create_stream(config).await.unwrap();
    let durable = gear_config::names::durable(&cluster_id(world).await, &world.namespace, gear);
    let config = consumer::pull::Config {
        durable_name: Some(durable.clone()),
        metadata: [(gear_config::names::CONSUMER_UID.to_owned(), uid.to_owned())].into(),
        ..consumer::pull::Config::default()
    };
    stream.create_consumer(config).await.unwrap();
    durable
}

async fn cluster_id(world: &World) -> String {
    let system =
        kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(world.client.clone()).get("kube-system").await.unwrap();
    system.metadata.uid.unwrap()[..8].to_owned()
}

async fn there(world: &World, durable: &str) -> bool {
    let stream = jetstream(world).await.get_stream("flux-msg").await.unwrap();
    stream.consumer_info(durable).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_of_a_gear_that_is_gone_is_gone_within_ten_seconds() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let gear = world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    world.cluster.roll_out("masker").await;
    world.until("masker", "Ready", "True/Serving").await;
    let durable = consumer(&world, "masker", &gear.metadata.uid.unwrap()).await;
    let begun = Instant::now();
    world.delete("masker").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "nothing holds a deletion up");
    assert!(world.api::<WasmGear>().get_opt("masker").await.unwrap().is_none());
    world.cluster.remove_pods("masker").await;
    wait("the consumer goes", || async { (!there(&world, &durable).await).then_some(()) }).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    wait("the policy goes with the last gear", || async {
        world.api::<NetworkPolicy>().get_opt("wasmgear-pods").await.unwrap().is_none().then_some(())
    })
    .await
    .unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_returns_at_once_with_nats_down_and_the_consumer_goes_when_it_is_back() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    let gear = world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    let durable = consumer(&world, "masker", &gear.metadata.uid.unwrap()).await;
    world.broker.kill().unwrap();
    let begun = Instant::now();
    world.delete("masker").await;
    assert!(world.api::<WasmGear>().get_opt("masker").await.unwrap().is_none());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    world.broker.resume().unwrap();
    wait("the consumer goes", || async { (!there(&world, &durable).await).then_some(()) }).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_of_a_new_gear_by_an_old_name_is_left_alone() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    world.operate().await;
    world.gear("masker", json!({})).await;
    world.object::<Deployment>("masker-wasmgear", |_| true).await;
    let durable = consumer(&world, "masker", "the UID of another gear").await;
    world.delete("masker").await;
    wait("the operator looks", || async {
        let metrics = world.admin("/metrics").await;
        metrics.contains("wasmgear_operator_consumers_total{result=\"foreign\"} 1").then_some(())
    })
    .await
    .unwrap();
    assert!(there(&world, &durable).await);
    world.stop().await;
}
