//! A writer of the object bucket that means harm: it can make a read fail, and nothing else.

use std::collections::BTreeMap;

use gear_module::Digest;
use gear_supply::Class;
use serde_json::{Value, json};

use crate::world::{LIMIT, World, bytes, module, reference};

/// Publishes a meta for `digest` with these fields laid over a sound one.
async fn forge(world: &World, digest: &Digest, fields: Value) {
    let sound = json!({"name": digest.to_string(), "bucket": "wasm_modules", "nuid": "evil", "size": 4, "chunks": 1});
    let mut meta: BTreeMap<String, Value> = serde_json::from_value(sound).unwrap();
    meta.extend(serde_json::from_value::<BTreeMap<String, Value>>(fields).unwrap());
    forge_raw(world, digest, serde_json::to_vec(&meta).unwrap()).await;
}

async fn forge_raw(world: &World, digest: &Digest, meta: Vec<u8>) {
    let subject = format!("$O.wasm_modules.M.{}", base64url(digest));
    world.js.publish(subject, meta.into()).await.unwrap().await.unwrap();
}

async fn chunk(world: &World, nuid: &str, bytes: &'static [u8]) {
    world.js.publish(format!("$O.wasm_modules.C.{nuid}"), bytes.into()).await.unwrap().await.unwrap();
}

fn base64url(digest: &Digest) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE};
    URL_SAFE.encode(digest.to_string())
}

async fn verdict(world: &World, digest: &Digest, limit: u64) -> (Class, String) {
    let error = world.registry().fetch(digest, limit).await.unwrap_err();
    (error.class(), error.to_string())
}

#[tokio::test]
async fn a_link_to_itself_is_refused_not_followed() {
    let (world, digest) = (World::new().await, Digest::of(b"wanted"));
    let link = json!({"options": {"link": {"bucket": "wasm_modules", "name": digest.to_string()}}});
    forge(&world, &digest, link).await;
    let (class, text) = verdict(&world, &digest, LIMIT).await;
    assert_eq!(class, Class::RegistryInvalid);
    assert!(text.contains("link"), "{text}");
}

#[tokio::test]
async fn other_bytes_under_a_digest_are_a_mismatch() {
    let (world, digest) = (World::new().await, Digest::of(b"good"));
    forge(&world, &digest, json!({"digest": "SHA-256=whatever"})).await;
    chunk(&world, "evil", b"evil").await;
    let (class, text) = verdict(&world, &digest, LIMIT).await;
    assert_eq!(class, Class::DigestMismatch);
    assert!(text.contains(&Digest::of(b"evil").to_string()), "{text}");
}

#[tokio::test]
async fn a_missing_chunk_is_named() {
    let (world, digest) = (World::new().await, Digest::of(b"goodgood"));
    forge(&world, &digest, json!({"size": 8, "chunks": 2})).await;
    chunk(&world, "evil", b"good").await;
    let (class, text) = verdict(&world, &digest, LIMIT).await;
    assert_eq!(class, Class::RegistryInvalid);
    assert!(text.contains("chunk 1 is missing, 4 of 8 bytes"), "{text}");
}

#[tokio::test]
async fn a_declared_size_above_the_limit_is_refused_before_a_chunk_is_read() {
    let (world, digest) = (World::new().await, Digest::of(b"good"));
    // No chunk is there at all: had one been asked for, the answer would be RegistryInvalid.
    forge(&world, &digest, json!({"size": LIMIT + 1})).await;
    assert_eq!(verdict(&world, &digest, LIMIT).await.0, Class::ModuleTooLarge);
    forge(&world, &digest, json!({"size": LIMIT})).await;
    assert_eq!(verdict(&world, &digest, LIMIT).await.0, Class::RegistryInvalid);
    forge(&world, &digest, json!({"size": u64::MAX})).await;
    assert_eq!(verdict(&world, &digest, LIMIT).await.0, Class::ModuleTooLarge);
}

#[tokio::test]
async fn more_bytes_than_declared_are_refused() {
    let (world, digest) = (World::new().await, Digest::of(b"goodgood"));
    forge(&world, &digest, json!({"size": 6, "chunks": 2})).await;
    chunk(&world, "evil", b"good").await;
    chunk(&world, "evil", b"good").await;
    let (class, text) = verdict(&world, &digest, LIMIT).await;
    assert_eq!(class, Class::RegistryInvalid);
    assert!(text.contains("do not add up"), "{text}");
}

#[tokio::test]
async fn a_module_in_dust_does_not_keep_the_reader_busy() {
    let (world, digest) = (World::new().await, Digest::of(b"x"));
    forge(&world, &digest, json!({"size": 2000})).await;
    for _ in 0..12 {
        chunk(&world, "evil", b"x").await;
    }
    let (class, text) = verdict(&world, &digest, LIMIT).await;
    assert_eq!(class, Class::RegistryInvalid);
    assert!(text.contains("chunks or more for 2000 bytes"), "{text}");
}

#[tokio::test]
async fn a_meta_that_lies_about_its_name_or_its_chunks_is_refused() {
    let (world, digest) = (World::new().await, Digest::of(b"good"));
    for fields in [json!({"name": "other"}), json!({"nuid": ""}), json!({"nuid": "a.>"}), json!({"nuid": "a b"})] {
        forge(&world, &digest, fields.clone()).await;
        assert_eq!(verdict(&world, &digest, LIMIT).await.0, Class::RegistryInvalid, "{fields}");
    }
    for raw in [b"not json".to_vec(), b"{}".to_vec(), vec![b' '; 100_000]] {
        forge_raw(&world, &digest, raw).await;
        assert_eq!(verdict(&world, &digest, LIMIT).await.0, Class::RegistryInvalid);
    }
}

#[tokio::test]
async fn an_index_entry_that_is_none_is_refused() {
    let world = World::new().await;
    for (i, value) in ["", "{}", r#"{"digest":"sha256:00","size":1}"#, "[]"].into_iter().enumerate() {
        world.js.publish(format!("$KV.wasm_index.x.v{i}"), value.into()).await.unwrap().await.unwrap();
        let error = world.registry().resolve(&reference(&format!("urn:wasm:x:v{i}")), LIMIT).await.unwrap_err();
        assert_eq!(error.class(), Class::RegistryInvalid, "{value}");
    }
}

#[tokio::test]
async fn a_push_repairs_a_damaged_object() {
    let world = World::new().await;
    let good = module(bytes(200_000));
    for damage in [json!({"size": 4}), json!({"options": {"link": {"bucket": "b"}}}), json!({"size": "many"})] {
        forge(&world, &good.digest(), damage.clone()).await;
        assert!(world.registry().fetch(&good.digest(), LIMIT).await.is_err());
        world.registry().push(&reference("urn:wasm:good:v1"), &good, |_| ()).await.unwrap();
        let fetched = world.registry().fetch(&good.digest(), LIMIT).await.unwrap();
        assert_eq!(fetched.bytes(), good.bytes(), "{damage}");
    }
}
