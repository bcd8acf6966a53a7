//! Guests without a stream, on one guest thread.

use std::{num::NonZeroUsize, sync::Arc};

use anyhow::Result;
use gear_config::{Instance, Limits};
use gear_host::{
    Engine, EngineOptions, Guest, Module, Policy, Threads,
    compile::{CompileLimits, Compiler},
    log::{Line, Sink},
};
use gear_module::{Digest, Grants, StaticLimits, inspect};

/// What compiles and holds guests.
pub(crate) struct Bench {
    pub(crate) threads: Threads,
    engine: Engine,
    compiler: Compiler,
    _folder: tempfile::TempDir,
}

struct Nowhere;
impl Sink for Nowhere {
    fn line(&self, _line: Line<'_>) {}
}

impl Bench {
    pub(crate) fn new() -> Result<Self> {
        let threads = Threads::start(NonZeroUsize::new(1), || ())?;
        let engine = Engine::new(&EngineOptions { slots: 32, threads: threads.clone() })?;
        let folder = tempfile::tempdir()?;
        let program = std::env::current_exe()?;
        let compiler = Compiler::new(&program, &folder.path().join("code"), CompileLimits::default())?;
        Ok(Self { threads, engine, compiler, _folder: folder })
    }

    /// A built guest, ready to be called.
    pub(crate) async fn guest(&self, name: &str, instance: Instance) -> Result<Guest> {
        let wasm = guest_fixtures::try_wasm(name)?;
        let inspection = inspect(&wasm, &StaticLimits::default())?;
        let artifact = self.compiler.compile(&self.engine, Digest::of(&wasm), wasm).await?;
        let module = Module::load(&self.engine, &artifact)?;
        let policy = Policy {
            revision: "bench".into(),
            entrypoint: inspection.entrypoint(None)?.name,
            grants: Grants::default(),
            limits: Limits::default(),
            instance,
            config: Arc::default(),
            concurrency: 16,
            log: Arc::new(Nowhere),
        };
        Ok(Guest::prepare(&self.engine, &module, &inspection, policy).await?)
    }
}
