//! Modules: a reference becomes a digest once, bytes become a judgement once.
//!
//! * What is known of a digest is kept by digest, never by name; the bytes are not kept.
//! * One module is fetched and looked at at a time: a start with a thousand gears must not need a thousand times 16 MiB.
//! * A judgement is final, because a digest is. A fault of the registry is nobody's judgement and is not kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use gear_config::RegistrySource;
use gear_module::{Digest, Inspection, Reference, Refusal, StaticLimits};
use gear_supply::{NatsRegistry, Policy, Registries, RegistryConfig, Resolved, SupplyError};
use tokio::sync::{OnceCell, Semaphore};

use crate::{bus::Bus, metrics::Metrics};

/// Judgements that are remembered. Each is a few kilobytes.
const REMEMBERED: usize = 512;
/// All tries of one look-up or fetch together; the resource is worked on again later anyway.
fn policy() -> Policy {
    Policy { deadline: Duration::from_secs(8), max_backoff: Duration::from_secs(2), ..Policy::default() }
}

/// What was found in the bytes of a digest.
#[derive(Debug, Clone)]
pub(crate) enum Judgement {
    /// A module that a gear can run, if what it imports is granted.
    Sound(Arc<Inspection>),
    /// One that no gear can run.
    Refused(Refusal),
}

/// The registries and what is known of their modules.
#[derive(Debug)]
pub(crate) struct Modules {
    configs: Vec<RegistryConfig>,
    bus: Arc<Bus>,
    /// All registries; there once NATS was reached, or at once when no registry needs it.
    all: OnceCell<Registries>,
    /// The registries that need no NATS.
    local: Registries,
    known: Mutex<HashMap<Digest, Judgement>>,
    one: Semaphore,
    metrics: Metrics,
}

impl Modules {
    /// Prepares the registries; none is asked yet.
    pub(crate) fn new(configs: Vec<RegistryConfig>, bus: Arc<Bus>, metrics: Metrics) -> Result<Self, SupplyError> {
        let local = Registries::new(configs.iter().filter(|config| !needs_nats(config)), None, policy())?;
        Ok(Self { configs, bus, all: OnceCell::new(), local, known: Mutex::default(), one: Semaphore::new(1), metrics })
    }

    /// Turns a reference into a digest.
    pub(crate) async fn resolve(&self, reference: &Reference) -> Result<Resolved, SupplyError> {
        let text = reference.to_string();
        let first = self.configs.iter().find(|config| text.starts_with(&config.prefix));
        let result = match first {
            // Which registry a name belongs to is decided by the whole list, also while NATS is away.
            Some(config) if needs_nats(config) => match self.all(&config.name).await {
                Ok(registries) => registries.resolve(reference).await,
                Err(error) => Err(error),
            },
            Some(_) => self.local.resolve(reference).await,
            None => {
                let allowed = self.configs.iter().map(|config| format!("{}*", config.prefix)).collect();
                Err(SupplyError::NotAllowed { reference: text, allowed })
            }
        };
        self.metrics.module("resolve", result.as_ref().err());
        result
    }

    /// Says what the bytes of a digest are; fetches them if nobody knows yet.
    pub(crate) async fn judge(&self, digest: &Digest, size: u64) -> Result<Judgement, SupplyError> {
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        // Closed never: the semaphore lives as long as this.
        let _turn = self.one.acquire().await;
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let bytes = self.fetch(digest, size).await?;
        let judged = tokio::task::spawn_blocking(move || inspect(&bytes)).await;
        let judgement = judged.map_err(|source| SupplyError::Unavailable {
            registry: "-".into(),
            doing: format!("looking at {digest}"),
            source: source.into(),
        })?;
        self.remember(*digest, judgement.clone());
        Ok(judgement)
    }

    async fn fetch(&self, digest: &Digest, size: u64) -> Result<Bytes, SupplyError> {
        let nats = self.configs.iter().find(|config| needs_nats(config));
        let result = match nats {
            None => self.local.fetch(digest, size).await,
            Some(config) => match self.all(&config.name).await {
                Ok(registries) => registries.fetch(digest, size).await,
                // What a folder has is had without NATS.
                Err(away) => self.local.fetch(digest, size).await.map_err(|_| away),
            },
        };
        self.metrics.module("fetch", result.as_ref().err());
        result.map(gear_supply::Verified::into_bytes)
    }

    /// Bytes of a digest out of the registries that sidecars can't reach themselves.
    pub(crate) async fn serve(&self, digest: &Digest) -> Result<Bytes, SupplyError> {
        let verified = self.local.fetch(digest, gear_supply::MAX_MODULE_SIZE).await?;
        Ok(verified.into_bytes())
    }

    async fn all(&self, registry: &str) -> Result<&Registries, SupplyError> {
        let make = || async {
            let context = self.bus.context().await.map_err(|source| SupplyError::Unavailable {
                registry: registry.to_owned(),
                doing: "connecting".into(),
                source: source.into(),
            })?;
            let domain = self.bus.domain();
            let nats = |name: &str| NatsRegistry::new(name, context.clone(), domain);
            Registries::new(&self.configs, Some(&nats), policy())
        };
        self.all.get_or_try_init(make).await
    }

    fn known(&self, digest: &Digest) -> Option<Judgement> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn remember(&self, digest: Digest, judgement: Judgement) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(digest, judgement);
    }
}

fn needs_nats(config: &RegistryConfig) -> bool {
    matches!(config.source, RegistrySource::Nats)
}

fn inspect(bytes: &[u8]) -> Judgement {
    match gear_module::inspect(bytes, &StaticLimits::default()) {
        Ok(inspection) => Judgement::Sound(Arc::new(inspection)),
        Err(refusal) => Judgement::Refused(refusal),
    }
}
