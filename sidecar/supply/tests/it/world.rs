//! What the tests share.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    stream::{Config, DiscardPolicy},
};
use bytes::Bytes;
use gear_module::{Digest, Reference};
use gear_supply::{Fetched, NatsRegistry, Policy, Verified};
use nats_broker::Broker;

/// A limit that no test module reaches unless it means to.
pub(crate) const LIMIT: u64 = 1 << 20;

/// Quick enough for tests that wait until it is over.
pub(crate) const QUICK: Policy = Policy {
    deadline: Duration::from_secs(5),
    backoff: Duration::from_millis(10),
    max_backoff: Duration::from_millis(50),
    tries: u32::MAX,
};

/// A server with the two buckets of a registry.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) js: Context,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self::empty().await;
        world.js.create_stream(index_config()).await.unwrap();
        let bucket =
            async_nats::jetstream::object_store::Config { bucket: "wasm_modules".into(), ..Default::default() };
        world.js.create_object_store(bucket).await.unwrap();
        world
    }

    pub(crate) async fn empty() -> Self {
        let broker = Broker::start().unwrap();
        let client = async_nats::connect(broker.url()).await.unwrap();
        let js = async_nats::jetstream::new(client);
        Self { broker, js }
    }

    pub(crate) fn registry(&self) -> NatsRegistry {
        NatsRegistry::new("main", self.js.clone(), None)
    }
}

/// The index as `wasmgear init` makes it.
pub(crate) fn index_config() -> Config {
    Config {
        name: "KV_wasm_index".into(),
        subjects: vec!["$KV.wasm_index.>".into()],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    }
}

/// `n` bytes that do not repeat.
pub(crate) fn bytes(n: usize) -> Vec<u8> {
    let mut word = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        word.to_le_bytes()[0]
    })
    .take(n)
    .collect()
}

pub(crate) fn module(bytes: impl Into<Bytes>) -> Verified {
    let bytes = bytes.into();
    let digest = Digest::of(&bytes);
    Fetched::local(bytes).verify(&digest).unwrap()
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}
