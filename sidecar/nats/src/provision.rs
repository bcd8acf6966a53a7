//! The streams and buckets that the product needs: made once, by [`init`], and only checked afterwards.
//!
//! | store | made as | must hold |
//! |---|---|---|
//! | [`Store::DeadLetters`] | stream `flux-dlq`, subjects `flux.dlq.>`, 30 days | discard new, duplicate window ≥ 1 h, max age ≥ 30 d or none |
//! | [`Store::State`] | KV `wasmgear_state` | direct get, per-message TTL |
//! | [`Store::Index`] | KV `wasm_index` | write-once: 1 per subject, discard new per subject, deny delete and purge, no rollup |
//! | [`Store::Modules`] | object store `wasm_modules` | direct get, rollup |
//!
//! `init` makes what is missing and corrects what does not hold, as far as the server allows; wider settings (a longer
//! age, more replicas) are left alone. Running it again changes nothing.

use async_nats::jetstream::{
    Context,
    context::{GetStreamErrorKind, RequestErrorKind},
    stream::{Config, Info},
};

mod error;
mod plan;

pub use error::ProvisionError;
pub use plan::Store;

/// What [`init`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One line for each store, in the order of [`Store::ALL`].
    pub stores: Vec<(Store, Made)>,
}

/// What [`init`] did to one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It was missing and is there now.
    Created,
    /// It was there as it should be.
    Kept,
    /// It was there, and these settings were corrected.
    Corrected(Vec<Loose>),
}

/// A store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub store: Store,
    /// What is wrong with it.
    pub problem: Wrong,
}

/// What is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there.
    Missing,
    /// It is there with settings that do not hold.
    Loose(Vec<Loose>),
}

/// A setting that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loose {
    /// Name of the setting, as the server has it.
    pub setting: &'static str,
    /// What was found.
    pub found: String,
    /// What is wanted.
    pub wanted: String,
}

impl std::fmt::Display for Loose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}, expected {}", self.setting, self.found, self.wanted)
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, name) = (self.store.what(), self.store.stream());
        match &self.problem {
            Wrong::Missing => write!(f, "{what} (stream {name}) is missing; make it with: wasmgear init"),
            Wrong::Loose(settings) => {
                let list = settings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                write!(f, "{what} (stream {name}): {list}; correct it with: wasmgear init")
            }
        }
    }
}

impl Finding {
    /// The reason of the condition that says so.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match (self.store, &self.problem) {
            (Store::DeadLetters, Wrong::Missing) => "DeadLetterMissing",
            (Store::State, Wrong::Missing) => "StateMissing",
            (Store::Index, Wrong::Missing) => "IndexMissing",
            (Store::Modules, Wrong::Missing) => "ModulesMissing",
            (Store::Index, Wrong::Loose(_)) => "IndexMutable",
            (_, Wrong::Loose(_)) => "StoreUnsuitable",
        }
    }
}

/// Makes what is missing and corrects what does not hold. `replicas` counts for what is made now.
pub async fn init(context: &Context, replicas: usize) -> Result<Report, ProvisionError> {
    let mut stores = Vec::new();
    for store in Store::ALL {
        stores.push((store, ensure(context, store, replicas.max(1)).await?));
    }
    Ok(Report { stores })
}

/// Says which of these stores are missing or loose. Needs no more than the right to ask for their info.
pub async fn check(context: &Context, stores: &[Store]) -> Result<Vec<Finding>, ProvisionError> {
    let mut findings = Vec::new();
    for store in stores.iter().copied() {
        let problem = match info(context, store).await? {
            None => Some(Wrong::Missing),
            Some(info) => Some(store.loose(&info.config)).filter(|loose| !loose.is_empty()).map(Wrong::Loose),
        };
        findings.extend(problem.map(|problem| Finding { store, problem }));
    }
    Ok(findings)
}

async fn ensure(context: &Context, store: Store, replicas: usize) -> Result<Made, ProvisionError> {
    let Some(info) = info(context, store).await? else {
        let config = Config { num_replicas: replicas, ..store.config() };
        context.create_stream(config).await.map_err(|source| ProvisionError::create(store, source))?;
        return Ok(Made::Created);
    };
    let loose = store.loose(&info.config);
    if loose.is_empty() {
        return Ok(Made::Kept);
    }
    let config = store.corrected(info.config);
    context.update_stream(config).await.map_err(|source| ProvisionError::correct(store, source))?;
    Ok(Made::Corrected(loose))
}

/// The stream behind a store, `None` when it is not there.
async fn info(context: &Context, store: Store) -> Result<Option<Info>, ProvisionError> {
    use async_nats::jetstream::ErrorCode;
    match context.get_stream(store.stream()).await {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(inner) if inner.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(ProvisionError::ask(store, error)),
        },
    }
}

fn is_away(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(request) = this.downcast_ref::<async_nats::jetstream::context::RequestError>() {
            return matches!(request.kind(), RequestErrorKind::NoResponders);
        }
        cause = this.source();
    }
    false
}
