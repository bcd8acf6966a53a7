//! The list of registries: who is asked, and in which order.

use gear_config::RegistrySource;
use gear_module::Digest;
use gear_supply::{Class, FolderRegistry, NatsRegistry, Registries, RegistryConfig, Resolved, SupplyError};

use crate::world::{LIMIT, QUICK, World, bytes, module, reference};

fn folder(name: &str, prefix: &str, path: &std::path::Path) -> RegistryConfig {
    RegistryConfig { name: name.into(), prefix: prefix.into(), source: RegistrySource::Folder { path: path.into() } }
}

#[tokio::test]
async fn the_first_registry_that_takes_a_name_is_the_only_one_that_is_asked() {
    let (team, all) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let configs = [folder("team", "urn:wasm:team/", team.path()), folder("all", "urn:wasm:", all.path())];
    let registries = Registries::new(&configs, None, QUICK).unwrap();
    let name = reference("urn:wasm:team/m:v1");
    // Somebody puts the team's name into the registry further down: it does not win.
    FolderRegistry::new("all", all.path()).push(&name, &module("evil")).await.unwrap();
    assert_eq!(registries.resolve(&name).await.unwrap_err().class(), Class::ModuleNotFound);
    FolderRegistry::new("team", team.path()).push(&name, &module("good")).await.unwrap();
    let expected = Resolved { digest: Digest::of(b"good"), size: 4, registry: "team".into() };
    assert_eq!(registries.resolve(&name).await.unwrap(), expected);
}

#[tokio::test]
async fn a_name_that_no_registry_takes_is_not_allowed() {
    let team = tempfile::tempdir().unwrap();
    let registries = Registries::new(&[folder("team", "urn:wasm:team/", team.path())], None, QUICK).unwrap();
    let error = registries.resolve(&reference("urn:wasm:other/m:v1")).await.unwrap_err();
    assert_eq!(error.class(), Class::RegistryNotAllowed);
    assert!(error.to_string().contains("urn:wasm:team/*"), "{error}");
}

#[tokio::test]
async fn a_pinned_digest_must_be_the_one_that_the_index_has() {
    let all = tempfile::tempdir().unwrap();
    FolderRegistry::new("all", all.path()).push(&reference("urn:wasm:m:v1"), &module("has")).await.unwrap();
    let registries = Registries::new(&[folder("all", "urn:wasm:", all.path())], None, QUICK).unwrap();
    let pinned = |bytes: &[u8]| reference(&format!("urn:wasm:m:v1@{}", Digest::of(bytes)));
    assert!(registries.resolve(&pinned(b"has")).await.is_ok());
    assert_eq!(registries.resolve(&pinned(b"other")).await.unwrap_err().class(), Class::DigestMismatch);
}

#[tokio::test]
async fn a_digest_is_had_from_any_registry_and_the_worst_failure_is_told() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let configs = [folder("one", "urn:wasm:", one.path()), folder("two", "urn:wasm:", two.path())];
    let registries = Registries::new(&configs, None, QUICK).unwrap();
    let digest = Digest::of(b"x");
    assert_eq!(registries.fetch(&digest, LIMIT).await.unwrap_err().class(), Class::ModuleNotFound);
    FolderRegistry::new("two", two.path()).push(&reference("urn:wasm:m:v1"), &module("x")).await.unwrap();
    assert_eq!(registries.fetch(&digest, LIMIT).await.unwrap().digest(), digest);
    let none = Registries::new(&[], None, QUICK).unwrap();
    assert!(matches!(none.fetch(&digest, LIMIT).await, Err(SupplyError::Config { .. })));
}

#[tokio::test]
async fn a_server_that_comes_back_within_the_deadline_is_enough() {
    let mut world = World::new().await;
    let module = module(bytes(1000));
    world.registry().push(&reference("urn:wasm:m:v1"), &module, |_| ()).await.unwrap();
    let js = world.js.clone();
    let nats = |name: &str| NatsRegistry::new(name, js.clone(), None);
    let config = RegistryConfig { name: "main".into(), prefix: "urn:wasm:".into(), source: RegistrySource::Nats };
    let policy = gear_supply::Policy { deadline: std::time::Duration::from_secs(30), ..QUICK };
    let registries = Registries::new(&[config], Some(&nats), policy).unwrap();
    world.broker.kill().unwrap();
    let (digest, back) = (module.digest(), world.broker.resume());
    back.unwrap();
    assert_eq!(registries.fetch(&digest, LIMIT).await.unwrap().bytes(), module.bytes());
}

#[test]
fn settings_that_can_not_work_are_refused_with_the_registrys_name() {
    let nats = RegistryConfig { name: "main".into(), prefix: "urn:wasm:".into(), source: RegistrySource::Nats };
    let error = Registries::new(&[nats], None, QUICK).unwrap_err();
    assert!(error.to_string().contains("registry main"), "{error}");
    let text = r#"{"name":"main","source":{"kind":"folder","path":"/modules"},"url":"x"}"#;
    assert!(serde_json::from_str::<RegistryConfig>(text).unwrap_err().to_string().contains("url"));
    let text = r#"{"name":"main","source":{"kind":"folder","path":"/modules"}}"#;
    assert_eq!(serde_json::from_str::<RegistryConfig>(text).unwrap().prefix, "urn:wasm:");
}
