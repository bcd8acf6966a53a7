//! From a revision to a guest that can be called: fetch → verify → inspect → check → compile → prepare.
//!
//! Nothing that the operator said about the module is believed: the digest is computed here, the imports are compared with
//! the grants here, and what this release does not have is refused here, whoever wrote the document.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use gear_config::{Revision, status::RevisionStatus};
use gear_host::{
    Engine, EngineOptions, Guest, Module, Policy, Threads,
    compile::{CompileLimits, Compiler},
    log::Sink,
};
use gear_module::{Abi, Inspection, StaticLimits, check, inspect};
use gear_supply::{MAX_MODULE_SIZE, Store, SupplyError, Verified};

use crate::{
    allocator, budget,
    problem::{Trouble, chain, reason},
};

/// Loads revisions, each from verified bytes.
#[derive(Debug)]
pub struct Loader {
    engine: Engine,
    compiler: Compiler,
    store: Store,
}

/// A guest that can be called.
#[derive(Debug)]
pub struct Loaded {
    /// The guest.
    pub guest: Guest,
    /// How it is called.
    pub abi: Abi,
    /// Calls at once, after what fits into memory.
    pub concurrency: u32,
    /// What `/status` says of it.
    pub status: RevisionStatus,
}

impl Loader {
    /// Makes the engine with room for `concurrency` calls of two revisions. `program` is this executable, whose `main` begins
    /// with `gear_host::compile::child_main`. `threads` are one per CPU unless given.
    pub fn new(program: &Path, cache: &Path, concurrency: u32, threads: Option<NonZeroUsize>) -> Result<Self, Trouble> {
        let failed = |text: String| Trouble::passing(reason::ENGINE_UNAVAILABLE, text);
        let threads =
            Threads::start(threads, allocator::give_back).map_err(|error| failed(format!("guest threads: {error}")))?;
        let options = EngineOptions { slots: concurrency.saturating_mul(2), threads };
        let engine = Engine::new(&options).map_err(|error| failed(chain(&error)))?;
        let store = Store::open(cache.join("modules"))?;
        let compiler = Compiler::new(program, &cache.join("compiled"), CompileLimits::default())?;
        Ok(Self { engine, compiler, store })
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The store of modules.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The module of a revision from the store, hashed again. `None` when it has to be fetched.
    pub async fn stored(&self, revision: &Revision) -> Result<Option<Verified>, Trouble> {
        let (store, digest, limit) = (self.store.clone(), revision.digest, limit(revision));
        blocking(move || store.load(&digest, limit)).await?.map_err(Trouble::from)
    }

    /// Keeps a module that was fetched.
    pub async fn keep(&self, module: &Verified) -> Result<(), Trouble> {
        let (store, module) = (self.store.clone(), module.clone());
        let kept = blocking(move || store.retain(&[module.digest()]).and_then(|()| store.keep(&module))).await?;
        kept.map_err(Trouble::from)
    }

    /// Makes the guest of a revision from its module.
    pub async fn load(
        &self,
        revision: &Revision,
        module: Verified,
        concurrency: u32,
        log: Arc<dyn Sink>,
    ) -> Result<Loaded, Trouble> {
        if module.digest() != revision.digest {
            // `Verified` was made for another digest: an error of this program, not of a registry.
            let text = format!("revision {} wants {}, {} was loaded", revision.name, revision.digest, module.digest());
            return Err(Trouble::lasting("DigestMismatch", text));
        }
        let inspection = examined(revision, &module).await?;
        let abi = inspection.entrypoint(Some(&revision.entrypoint))?.abi;
        let concurrency = budget::concurrency(concurrency, revision.limits.memory, budget::container_limit());
        let digest = module.digest();
        let artifact = self.compiler.compile(&self.engine, digest, module.into_bytes()).await?;
        let code = Module::load(&self.engine, &artifact)?;
        let policy = policy(revision, concurrency, log);
        let guest = Guest::prepare(&self.engine, &code, &inspection, policy).await?;
        let cost = guest.instance_cost();
        let status = RevisionStatus {
            name: revision.name.clone(),
            digest,
            prepared: true,
            problem: None,
            instance_cost_us: Some(u64::try_from(cost.as_micros()).unwrap_or(u64::MAX)),
        };
        Ok(Loaded { guest, abi, concurrency, status })
    }

    /// Removes compiled code of other modules.
    pub fn prune(&self, revision: &Revision) -> Result<(), Trouble> {
        self.compiler.prune(&[revision.digest]).map_err(Trouble::from)
    }
}

/// Bytes that a revision's module may have: what the operator saw, and never more than any module may.
pub(crate) fn limit(revision: &Revision) -> u64 {
    revision.size.min(MAX_MODULE_SIZE)
}

/// Inspects the module and compares its imports with the grants. Off the async threads: a large module takes a while.
async fn examined(revision: &Revision, module: &Verified) -> Result<Inspection, Trouble> {
    let (bytes, grants, memory) = (module.bytes().clone(), revision.grants.clone(), revision.limits.memory.get());
    blocking(move || {
        let inspection = inspect(&bytes, &StaticLimits::default())?;
        check(&inspection, &grants)?;
        inspection.fits(memory)?;
        Ok(inspection)
    })
    .await?
}

fn policy(revision: &Revision, concurrency: u32, log: Arc<dyn Sink>) -> Policy {
    Policy {
        revision: revision.name.as_str().into(),
        entrypoint: revision.entrypoint.clone(),
        grants: revision.grants.clone(),
        limits: revision.limits,
        instance: revision.instance,
        config: Arc::new(revision.config.clone()),
        concurrency,
        log,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    // A panic of the work, which was logged where it happened; the store or the module is not to be trusted then.
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Trouble::from(SupplyError::Unavailable {
            registry: "local".into(),
            doing: "reading a module".into(),
            source: Box::new(error),
        })
    })
}
