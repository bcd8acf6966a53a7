//! What a call costs beside the guest's own work: 512 bytes in, 512 bytes out.
//!
//! `cargo bench -p gear-host [-- MODULE.wasm…]` prints p50 and p99 over 200,000 calls on one guest thread, for an echo that is
//! kept, the same fresh for each message, and what a hand-over to the guest threads adds; and for other modules.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use gear_config::{Instance, Limits};
use gear_host::{
    Answer, Engine, EngineOptions, Guest, Module, Policy, Threads,
    compile::{CompileLimits, Compiler},
    log::{Line, Sink},
};
use gear_module::{Digest, Grants, StaticLimits, inspect};
use rustix::time::{ClockId, clock_gettime};

const CALLS: usize = 200_000;

/// As small as a guest in C: one page of stack and data, an allocator that moves a pointer.
const ECHO: &str = r#"(module
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (data (i32.const 1024) "some constants of the program, as every guest has them")
    (func (export "flux_alloc") (param $len i32) (result i32) (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get $len) (i32.const 7)) (i32.const -8))))
        (local.get $at))
    (func (export "flux_free") (param i32 i32) (global.set $top (i32.const 4096)))
    (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
        (i32.store (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (local.get $ptr))
        (i32.store (i32.const 24) (local.get $len))
        (i32.const 16)))"#;

struct Nowhere;
impl Sink for Nowhere {
    fn line(&self, _line: Line<'_>) {}
}

fn main() -> Result<()> {
    tokio::runtime::Builder::new_current_thread().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let threads = Threads::start(NonZeroUsize::new(1))?;
    let engine = Engine::new(&EngineOptions { slots: 32, threads: threads.clone() })?;
    let folder = tempfile::tempdir()?;
    let child = std::path::Path::new(env!("CARGO_BIN_EXE_gear-host-child"));
    let compiler = Compiler::new(child, &folder.path().join("code"), CompileLimits::default())?;
    let mut modules = vec![("echo".to_owned(), wat::parse_str(ECHO)?)];
    for path in std::env::args().skip(1).filter(|arg| !arg.starts_with("--")) {
        let wasm = std::fs::read(&path)?;
        modules.push((path, wasm));
    }
    for (name, wasm) in modules {
        let inspection = inspect(&wasm, &StaticLimits::default())?;
        let artifact = compiler.compile(&engine, Digest::of(&wasm), wasm).await?;
        let module = Module::load(&engine, &artifact)?;
        for (life, instance) in [("kept", Instance::persistent()), ("fresh", Instance::Fresh)] {
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
            let guest = Guest::prepare(&engine, &module, &inspection, policy).await?;
            report(&format!("{name}, {life}, on the guest thread"), inside(&threads, guest.clone()).await?);
            report(&format!("{name}, {life}, handed over"), across(&threads, guest.clone()).await?);
            println!("{name}: instantiate + start + drop {:?}", guest.instance_cost());
        }
    }
    Ok(())
}

async fn call(guest: &Guest, input: &[u8]) -> Result<usize> {
    let called = guest.call(input, |answer| match answer {
        Answer::Output(bytes) => bytes.to_vec().len(),
        _ => 0,
    });
    Ok(called.await.result?)
}

/// The call alone.
async fn inside(threads: &Threads, guest: Guest) -> Result<(Vec<Duration>, Duration)> {
    let calls = async move {
        let input = vec![7u8; 512];
        let mut spans = Vec::with_capacity(CALLS);
        let before = cpu(ClockId::ThreadCPUTime);
        for _ in 0..CALLS {
            let begin = Instant::now();
            call(&guest, &input).await?;
            spans.push(begin.elapsed());
        }
        Ok((spans, cpu(ClockId::ThreadCPUTime).saturating_sub(before)))
    };
    threads.run(calls).await?
}

/// The call, handed over from another thread, one at a time: the dearest way, each one wakes and is woken.
async fn across(threads: &Threads, guest: Guest) -> Result<(Vec<Duration>, Duration)> {
    let input: Arc<[u8]> = vec![7u8; 512].into();
    let mut spans = Vec::with_capacity(CALLS / 10);
    let before = cpu(ClockId::ProcessCPUTime);
    for _ in 0..CALLS / 10 {
        let begin = Instant::now();
        let (guest, input) = (guest.clone(), Arc::clone(&input));
        threads.run(async move { call(&guest, &input).await }).await??;
        spans.push(begin.elapsed());
    }
    Ok((spans, cpu(ClockId::ProcessCPUTime).saturating_sub(before)))
}

/// CPU time of this thread or process: unlike the spans it does not depend on what else the machine does.
fn cpu(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let part = |n: i64| u64::try_from(n).unwrap_or_default();
    Duration::from_secs(part(now.tv_sec)) + Duration::from_nanos(part(now.tv_nsec))
}

fn report(what: &str, (mut spans, cpu): (Vec<Duration>, Duration)) {
    spans.sort_unstable();
    let at = |percent: usize| spans.get(spans.len() * percent / 100).copied().unwrap_or_default();
    let calls = u32::try_from(spans.len().max(1)).unwrap_or(u32::MAX);
    println!("{what}: p50 {:?}, p90 {:?}, p99 {:?}, CPU {:?} a call", at(50), at(90), at(99), cpu / calls);
}
