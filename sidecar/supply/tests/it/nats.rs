//! Push, resolve, fetch and list on a real server.

use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream::stream::Config;
use gear_module::Digest;
use gear_supply::{Class, Pushed, SupplyError};
use tokio::io::AsyncReadExt;

use crate::world::{LIMIT, World, bytes, index_config, module, reference};

const NAME: &str = "urn:wasm:team/fraud-scorer:v2.1";

#[tokio::test]
async fn what_is_pushed_is_resolved_and_fetched_byte_for_byte() {
    let world = World::new().await;
    let registry = world.registry();
    // Empty, less than a chunk, exactly a chunk, and several with a rest.
    for (i, size) in [0, 1, 128 << 10, 300_001].into_iter().enumerate() {
        let (name, pushed) = (reference(&format!("urn:wasm:m:v{i}")), module(bytes(size)));
        let reported = AtomicU64::new(0);
        let progress = |done| reported.store(done, Ordering::Relaxed);
        assert_eq!(registry.push(&name, &pushed, progress).await.unwrap(), Pushed::New);
        assert_eq!(reported.into_inner(), size as u64);
        assert_eq!(registry.resolve(&name, LIMIT).await.unwrap(), (pushed.digest(), size as u64));
        assert_eq!(registry.fetch(&pushed.digest(), LIMIT).await.unwrap().bytes(), pushed.bytes());
    }
}

#[tokio::test]
async fn a_version_is_written_once() {
    let world = World::new().await;
    let (registry, name) = (world.registry(), reference(NAME));
    let (first, other) = (module(bytes(1000)), module(bytes(1001)));
    assert_eq!(registry.push(&name, &first, |_| ()).await.unwrap(), Pushed::New);
    assert_eq!(registry.push(&name, &first, |_| ()).await.unwrap(), Pushed::AlreadyThere);
    let error = registry.push(&name, &other, |_| ()).await.unwrap_err();
    assert_eq!(error.class(), Class::VersionTaken);
    assert!(error.to_string().contains(&first.digest().to_string()), "{error}");
    assert_eq!(registry.resolve(&name, LIMIT).await.unwrap().0, first.digest());
    // The server refuses by itself too, not only our own look before the push.
    let overwrite = world.js.publish("$KV.wasm_index.team.fraud-scorer.v2_1", "{}".into()).await.unwrap().await;
    assert!(overwrite.is_err());
}

#[tokio::test]
async fn of_two_pushes_at_once_one_wins_and_the_other_is_told() {
    let world = World::new().await;
    for round in 0..10 {
        let name = reference(&format!("urn:wasm:race:v{round}"));
        let (a, b) = (module(bytes(200_000)), module(bytes(200_001)));
        let (one, two) = (world.registry(), world.registry());
        let (one, two) = tokio::join!(one.push(&name, &a, |_| ()), two.push(&name, &b, |_| ()));
        let (has, _) = world.registry().resolve(&name, LIMIT).await.unwrap();
        let verdict = |pushed: Result<Pushed, SupplyError>| pushed.map_err(|error| error.class());
        let expected = |mine: Digest| if mine == has { Ok(Pushed::New) } else { Err(Class::VersionTaken) };
        assert_eq!((verdict(one), verdict(two)), (expected(a.digest()), expected(b.digest())));
    }
}

#[tokio::test]
async fn two_pushes_of_the_same_bytes_at_once_both_succeed() {
    let world = World::new().await;
    for round in 0..10 {
        let name = reference(&format!("urn:wasm:twin:v{round}"));
        let same = module(bytes(200_000 + round));
        let (one, two) = (world.registry(), world.registry());
        let (one, two) = tokio::join!(one.push(&name, &same, |_| ()), two.push(&name, &same, |_| ()));
        assert!(matches!((one.unwrap(), two.unwrap()), (Pushed::New, _) | (_, Pushed::New)));
        assert_eq!(world.registry().fetch(&same.digest(), LIMIT).await.unwrap().bytes(), same.bytes());
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_with_the_way_to_put_it_there() {
    let world = World::new().await;
    let unknown = world.registry().resolve(&reference(NAME), LIMIT).await.unwrap_err();
    assert_eq!(unknown.class(), Class::ModuleNotFound);
    assert!(unknown.to_string().contains("wasmgear push"), "{unknown}");
    let nothing = world.registry().fetch(&Digest::of(b"nothing"), LIMIT).await.unwrap_err();
    assert_eq!(nothing.class(), Class::ModuleNotFound);
}

#[tokio::test]
async fn a_missing_bucket_is_a_fault_that_may_pass_and_names_init() {
    let world = World::empty().await;
    let error = world.registry().resolve(&reference(NAME), LIMIT).await.unwrap_err();
    assert_eq!(error.class(), Class::RegistryUnavailable);
    assert!(error.to_string().contains("wasmgear init"), "{error}");
}

#[tokio::test]
async fn an_index_that_can_be_overwritten_takes_no_push() {
    let world = World::empty().await;
    world.js.create_stream(Config { discard_new_per_subject: false, ..index_config() }).await.unwrap();
    let error = world.registry().push(&reference(NAME), &module(bytes(10)), |_| ()).await.unwrap_err();
    assert_eq!(error.class(), Class::IndexMutable);
    assert!(error.to_string().contains("discard_new_per_subject"), "{error}");
}

#[tokio::test]
async fn the_list_has_every_version_in_order() {
    let world = World::new().await;
    let registry = world.registry();
    for name in ["urn:wasm:b:v1", "urn:wasm:a/x:v1.2.3-rc.1", "urn:wasm:a:v10"] {
        registry.push(&reference(name), &module(name.as_bytes().to_vec()), |_| ()).await.unwrap();
    }
    world.js.publish("$KV.wasm_index.broken.v1", "{}".into()).await.unwrap().await.unwrap();
    let listed = registry.list().await.unwrap();
    let names: Vec<_> = listed.iter().map(|listed| listed.reference.as_str()).collect();
    assert_eq!(names, ["urn:wasm:a/x:v1.2.3-rc.1", "urn:wasm:a:v10", "urn:wasm:b:v1"]);
    assert_eq!(listed[2].digest, Digest::of(b"urn:wasm:b:v1"));
}

#[tokio::test]
async fn other_clients_of_the_object_store_read_what_we_write_and_we_read_what_they_write() {
    let world = World::new().await;
    let store = world.js.get_object_store("wasm_modules").await.unwrap();
    let ours = module(bytes(300_000));
    world.registry().push(&reference(NAME), &ours, |_| ()).await.unwrap();
    let mut read = Vec::new();
    let mut object = store.get(ours.digest().to_string()).await.unwrap();
    object.read_to_end(&mut read).await.unwrap();
    assert_eq!(&read, ours.bytes());

    let theirs = module(bytes(300_007));
    store.put(theirs.digest().to_string().as_str(), &mut &theirs.bytes()[..]).await.unwrap();
    assert_eq!(world.registry().fetch(&theirs.digest(), LIMIT).await.unwrap().bytes(), theirs.bytes());
    store.delete(theirs.digest().to_string()).await.unwrap();
    let gone = world.registry().fetch(&theirs.digest(), LIMIT).await.unwrap_err();
    assert_eq!(gone.class(), Class::ModuleNotFound);
}
