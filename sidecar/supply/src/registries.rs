//! The registries of one program, in order.

use std::sync::Arc;

use gear_config::{Registry, RegistrySource};
use gear_module::{Digest, Reference};
use serde::{Deserialize, Serialize};

use crate::{FolderRegistry, MAX_MODULE_SIZE, NatsRegistry, OperatorRegistry, Policy, SupplyError, Verified};

/// What a registry takes when its `match` does not say.
pub const DEFAULT_MATCH: &str = "urn:wasm:";

/// One registry as the operator's settings (chart values) have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistryConfig {
    /// Name for conditions and metrics.
    pub name: String,
    /// Beginning of the references that it takes, for example `urn:wasm:team-a/`. The first registry of the list whose
    /// text fits takes the reference, and no other is asked: a name can't be won by a registry further down.
    #[serde(rename = "match", default = "default_match")]
    pub prefix: String,
    /// What it is.
    pub source: RegistrySource,
}

fn default_match() -> String {
    DEFAULT_MATCH.into()
}

impl From<&Registry> for RegistryConfig {
    fn from(registry: &Registry) -> Self {
        Self { name: registry.name.clone(), prefix: default_match(), source: registry.source.clone() }
    }
}

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Digest of the module.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Name of the registry that has it.
    pub registry: String,
}

/// The registries of one program, in order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registries {
    places: Arc<[Place]>,
    policy: Policy,
}

#[derive(Debug)]
struct Place {
    prefix: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Nats(Box<NatsRegistry>),
    Operator(OperatorRegistry),
    Folder(FolderRegistry),
}

impl Registries {
    /// Builds the list. `nats` makes the client of a registry of kind `nats`, which gets the registry's name; without one
    /// such a registry is refused.
    pub fn new<'a>(
        configs: impl IntoIterator<Item = &'a RegistryConfig>,
        nats: Option<&dyn Fn(&str) -> NatsRegistry>,
        policy: Policy,
    ) -> Result<Self, SupplyError> {
        let place = |config: &RegistryConfig| {
            let name = config.name.clone();
            let source = match (&config.source, nats) {
                (RegistrySource::Nats, Some(nats)) => Source::Nats(Box::new(nats(&name))),
                (RegistrySource::Nats, None) => {
                    let problem = "it is of kind nats, and no connection to NATS is configured".into();
                    return Err(SupplyError::Config { registry: name, problem });
                }
                (RegistrySource::Operator { url }, _) => Source::Operator(OperatorRegistry::new(name, url)?),
                (RegistrySource::Folder { path }, _) => Source::Folder(FolderRegistry::new(name, path)),
            };
            Ok(Place { prefix: config.prefix.clone(), source })
        };
        Ok(Self { places: configs.into_iter().map(place).collect::<Result<_, _>>()?, policy })
    }

    /// The registries that a sidecar's document lists.
    pub fn of_document(
        registries: &[Registry],
        nats: &dyn Fn(&str) -> NatsRegistry,
        policy: Policy,
    ) -> Result<Self, SupplyError> {
        let configs: Vec<RegistryConfig> = registries.iter().map(RegistryConfig::from).collect();
        Self::new(&configs, Some(nats), policy)
    }

    /// Turns a reference into a digest. Done once, by the operator or a person's command; sidecars never do it.
    pub async fn resolve(&self, reference: &Reference) -> Result<Resolved, SupplyError> {
        let text = reference.to_string();
        let place = self.places.iter().find(|place| text.starts_with(&place.prefix));
        let Some(place) = place else {
            let allowed = self.places.iter().map(|place| format!("{}*", place.prefix)).collect();
            return Err(SupplyError::NotAllowed { reference: text, allowed });
        };
        let (digest, size) = self.policy.run(&text, || place.resolve(reference)).await?;
        let registry = place.name().to_owned();
        match reference.digest() {
            Some(wanted) if wanted != digest => {
                Err(SupplyError::Mismatch { registry, what: text, wanted, found: digest })
            }
            _ => Ok(Resolved { digest, size, registry }),
        }
    }

    /// Bytes of a digest, from the first registry that has them. `limit` is the operator's pin of the size, or
    /// [`MAX_MODULE_SIZE`]; nothing larger is ever read.
    pub async fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        let limit = limit.min(MAX_MODULE_SIZE);
        self.policy.run(&digest.to_string(), || self.ask_all(digest, limit)).await
    }

    async fn ask_all(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        let mut worst: Option<SupplyError> = None;
        for place in self.places.iter() {
            let error = match place.fetch(digest, limit).await {
                Ok(verified) => return Ok(verified),
                Err(error) => error,
            };
            tracing::debug!(%digest, registry = place.name(), error = error.chain(), "not had from this registry");
            if worst.as_ref().is_none_or(|worst| weight(&error) > weight(worst)) {
                worst = Some(error);
            }
        }
        Err(worst.unwrap_or_else(|| SupplyError::Config {
            registry: "-".into(),
            problem: "the list of registries is empty, at least one is expected".into(),
        }))
    }
}

/// Which of several failures is told: the one that says most. A registry that is away may have the bytes, so it counts
/// more than one that has not; wrong bytes count most.
fn weight(error: &SupplyError) -> u8 {
    use crate::Class;
    match error.class() {
        Class::ModuleNotFound => 0,
        Class::RegistryInvalid | Class::ModuleTooLarge => 1,
        Class::RegistryUnavailable => 2,
        _ => 3,
    }
}

impl Place {
    fn name(&self) -> &str {
        match &self.source {
            Source::Nats(registry) => registry.name(),
            Source::Operator(registry) => registry.name(),
            Source::Folder(registry) => registry.name(),
        }
    }

    async fn resolve(&self, reference: &Reference) -> Result<(Digest, u64), SupplyError> {
        match &self.source {
            Source::Nats(registry) => registry.resolve(reference, MAX_MODULE_SIZE).await,
            Source::Folder(registry) => registry.resolve(reference, MAX_MODULE_SIZE).await,
            Source::Operator(registry) => Err(SupplyError::Config {
                registry: registry.name().to_owned(),
                problem: "it is of kind operator, which has digests and no names".into(),
            }),
        }
    }

    async fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        match &self.source {
            Source::Nats(registry) => registry.fetch(digest, limit).await,
            Source::Operator(registry) => registry.fetch(digest, limit).await,
            Source::Folder(registry) => registry.fetch(digest, limit).await,
        }
    }
}
