//! One engine per process: switches, pool, ticker, guest threads.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures,
};

use crate::{
    EngineError, Threads,
    limits::TABLE_ELEMENTS,
    ticker::{Alarms, Ticker},
};

/// Ceilings of the pool: address space that is reserved once, not memory. Each revision's own limits lie below.
const MEMORY: usize = 1 << 30;
const INSTANCE: usize = 2 << 20;
/// Wasm frames of one call; the rest of the async stack is for the host functions that it calls.
const WASM_STACK: usize = 512 << 10;
const ASYNC_STACK: usize = 2 << 20;
/// Kept of a finished instance's memory and table, zeroed in place of given back: page faults are dearer than that. Without
/// `PAGEMAP_SCAN` (Linux 6.7) all of it has to be zeroed, so less is kept.
const RESIDENT: usize = 256 << 10;
const RESIDENT_BLIND: usize = 64 << 10;
/// Frames that a backtrace keeps.
const FRAMES: usize = 16;
/// Instances beyond `slots`: one for a self-test, two for successors that are made ahead of need.
const SPARE: u32 = 3;

/// How large the engine is.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Instances that may live at once: twice the concurrency, for the two revisions of a rollout.
    pub slots: u32,
    /// Where guests run.
    pub threads: Threads,
}

/// The engine of this process. Cheap to clone; the last clone ends the ticker.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // Before the engine: the ticker ends first.
    ticker: Ticker,
    wasmtime: wasmtime::Engine,
    slots: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    places: usize,
    threads: Threads,
}

/// Room in the pool for one instance; dropped after it.
#[derive(Debug)]
pub(crate) struct Slot {
    #[expect(dead_code, reason = "it is held, not read")]
    permit: OwnedSemaphorePermit,
    spare: bool,
}

impl Slot {
    /// Whether this is room beside the instances that serve.
    pub(crate) const fn is_spare(&self) -> bool {
        self.spare
    }
}

impl Engine {
    /// Makes the engine: reserves the pool's address space and starts the ticker.
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        let slots = options.slots.max(1);
        let places = slots.saturating_add(SPARE);
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(places)));
        let wasmtime = wasmtime::Engine::new(&config).map_err(|source| EngineError::Wasmtime { slots, source })?;
        let ticker = Ticker::start(wasmtime.weak()).map_err(EngineError::Thread)?;
        Ok(Self(Arc::new(Inner {
            ticker,
            wasmtime,
            slots: Arc::new(Semaphore::new(count(slots))),
            spare: Arc::new(Semaphore::new(count(SPARE))),
            places: count(places),
            threads: options.threads.clone(),
        })))
    }

    /// Two engines with the same fingerprint can use each other's artefacts. Changes with wasmtime, its switches and the
    /// processor's features.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.0.wasmtime.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Where guests run.
    #[must_use]
    pub fn threads(&self) -> &Threads {
        &self.0.threads
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.wasmtime
    }

    pub(crate) fn alarms(&self) -> &Arc<Alarms> {
        self.0.ticker.alarms()
    }

    /// Instances that live now.
    #[must_use]
    pub fn instances(&self) -> usize {
        let inner = &self.0;
        let free = inner.slots.available_permits() + inner.spare.available_permits();
        inner.places.saturating_sub(free)
    }

    /// Room for an instance that serves messages; waits when more than two revisions want more than there is.
    pub(crate) async fn slot(&self) -> Slot {
        Slot { permit: acquire(&self.0.slots).await, spare: false }
    }

    /// The same, if there is room at once.
    pub(crate) fn try_slot(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.0.slots).try_acquire_owned().ok()?;
        Some(Slot { permit, spare: false })
    }

    /// Room beside the instances that serve, for a self-test.
    pub(crate) async fn spare(&self) -> Slot {
        Slot { permit: acquire(&self.0.spare).await, spare: true }
    }

    /// Room beside the instances that serve, for a successor; `None` when others have it.
    pub(crate) fn try_spare(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.0.spare).try_acquire_owned().ok()?;
        Some(Slot { permit, spare: true })
    }
}

fn count(n: u32) -> usize {
    usize::try_from(n).unwrap_or(Semaphore::MAX_PERMITS)
}

async fn acquire(room: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match Arc::clone(room).acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore refuses, and nothing closes these.
        Err(_closed) => std::future::pending().await,
    }
}

/// The switches that decide what compiled code is; the compiler's child has the same.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    // Core 2.0 without externref: what `gear_module::inspect` accepts, no more and no less.
    config.wasm_features(WasmFeatures::WASM3, false);
    config.wasm_features(WasmFeatures::WASM2, true);
    config.wasm_features(WasmFeatures::GC_TYPES, false);
    let others = WasmFeatures::CUSTOM_PAGE_SIZES | WasmFeatures::WIDE_ARITHMETIC | WasmFeatures::STACK_SWITCHING;
    config.wasm_features(others, false);
    config.cranelift_nan_canonicalization(true);
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    config.max_wasm_stack(WASM_STACK);
    config.async_stack_size(ASYNC_STACK);
    // Names of functions, yes; line tables of a module, which it may have forged, no.
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(FRAMES));
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // Symbols of the artefact are for debuggers; backtraces take names from the name section.
    config.debug_symbols(false);
    config
}

fn pool(places: u32) -> PoolingAllocationConfig {
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let resident = if scan { RESIDENT } else { RESIDENT_BLIND };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(places)
        .total_memories(places)
        .total_tables(places)
        .total_stacks(places)
        .max_core_instance_size(INSTANCE)
        .max_tables_per_module(1)
        .max_memories_per_module(1)
        .max_memory_size(MEMORY)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests;
