//! A sandbox for one test, and pieces of guests.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use gear_config::{ByteSize, Instance, Limits, Span};
use gear_host::{
    Answer, Call, Engine, EngineOptions, Guest, LoadError, Module, Policy, Threads,
    compile::{CompileLimits, Compiler},
    log::{Level, Line, Sink},
};
use gear_module::{Digest, Grants, StaticLimits, inspect};

/// No call of a test takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// One page of memory.
pub(crate) const PAGE: u64 = 65_536;

/// An allocator that hands out what comes next, and a `free` that counts: calls at 64, then pointer and length of each at 68.
pub(crate) const MEMORY: &str = r#"
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (func (export "flux_alloc") (param $len i32) (result i32) (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get $len) (i32.const 7)) (i32.const -8))))
        (local.get $at))
    (func (export "flux_free") (param $ptr i32) (param $len i32) (local $n i32)
        (local.set $n (i32.load (i32.const 64)))
        (i32.store (i32.add (i32.const 68) (i32.mul (local.get $n) (i32.const 8))) (local.get $ptr))
        (i32.store (i32.add (i32.const 72) (i32.mul (local.get $n) (i32.const 8))) (local.get $len))
        (i32.store (i32.const 64) (i32.add (local.get $n) (i32.const 1))))
    (func $result (param $code i32) (param $ptr i32) (param $len i32) (result i32)
        (i32.store (i32.const 16) (local.get $code))
        (i32.store (i32.const 20) (local.get $ptr))
        (i32.store (i32.const 24) (local.get $len))
        (i32.const 16))"#;

/// Answers with what it was given, in place.
pub(crate) const ECHO: &str = "(call $result (i32.const 0) (local.get $ptr) (local.get $len))";

/// A flux1 gear: `first` (imports), the usual memory, `process` as body of the entrypoint, `rest`.
pub(crate) fn flux1_with(first: &str, process: &str, rest: &str) -> String {
    format!(
        r#"(module {first} {MEMORY}
        (func $process (export "flux_process") (param $ptr i32) (param $len i32) (result i32) {process}) {rest})"#
    )
}

/// A flux1 gear with `process` as body of the entrypoint.
pub(crate) fn flux1(process: &str) -> String {
    flux1_with("", process, "")
}

/// A rack gear with `process` as body of the entrypoint.
pub(crate) fn rack(process: &str) -> String {
    format!(r#"(module {MEMORY} (func (export "process") (param $ptr i32) (param $len i32) (result i64) {process}))"#)
}

/// Burns CPU time without end.
pub(crate) const LOOP: &str = "(loop $again (br $again)) (unreachable)";

/// What the guest said, copied out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Output(Vec<u8>),
    Reject(u8, String),
    Drop,
}

/// Copies an answer out of guest memory.
pub(crate) fn copy(answer: Answer<'_>) -> Said {
    match answer {
        Answer::Output(bytes) => Said::Output(bytes.to_vec()),
        Answer::Reject { code, reason } => Said::Reject(code, reason.to_owned()),
        Answer::Drop => Said::Drop,
    }
}

/// Lines that guests wrote.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<(Level, String)>>);

impl Lines {
    pub(crate) fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sink for Lines {
    fn line(&self, line: Line<'_>) {
        assert_eq!(line.revision, "r1-test");
        self.0.lock().unwrap().push((line.level, line.text.into_owned()));
    }
}

/// An engine, a compiler and a folder of their own.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) threads: Threads,
    pub(crate) compiler: Compiler,
    pub(crate) lines: Arc<Lines>,
    _folder: tempfile::TempDir,
}

/// This crate's own compiler child.
pub(crate) fn child() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gear-host-child"))
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(2, 16, CompileLimits::default())
    }

    pub(crate) fn with(threads: usize, slots: u32, limits: CompileLimits) -> Self {
        let threads = Threads::start(NonZeroUsize::new(threads), || ()).unwrap();
        let engine = Engine::new(&EngineOptions { slots, threads: threads.clone() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let compiler = Compiler::new(child(), &folder.path().join("code"), limits).unwrap();
        Self { engine, threads, compiler, lines: Arc::default(), _folder: folder }
    }

    /// The policy of a gear with defaults.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            revision: "r1-test".into(),
            entrypoint: String::new(),
            grants: Grants::default(),
            limits: Limits::default(),
            instance: Instance::Fresh,
            config: Arc::default(),
            concurrency: 8,
            log: Arc::<Lines>::clone(&self.lines),
        }
    }

    /// Loads a gear in text form.
    pub(crate) async fn try_guest(&self, wat: &str, change: impl FnOnce(&mut Policy)) -> Result<Guest, LoadError> {
        let wasm = wat::parse_str(wat).expect("the test's own WAT is well-formed");
        let inspection = inspect(&wasm, &StaticLimits::default())?;
        let mut policy = self.policy();
        policy.entrypoint = inspection.entrypoint(None)?.name;
        change(&mut policy);
        let artifact = self.compiler.compile(&self.engine, Digest::of(&wasm), wasm).await.unwrap();
        let module = Module::load(&self.engine, &artifact)?;
        Guest::prepare(&self.engine, &module, &inspection, policy).await
    }

    pub(crate) async fn guest(&self, wat: &str, change: impl FnOnce(&mut Policy)) -> Guest {
        self.try_guest(wat, change).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A gear with defaults.
    pub(crate) async fn fresh(&self, wat: &str) -> Guest {
        self.guest(wat, |_| {}).await
    }

    /// The same gear, kept, one call at a time.
    pub(crate) async fn kept(&self, wat: &str) -> Guest {
        self.guest(wat, keep).await
    }

    /// Calls on the guest threads, as the pipeline does. A guest that nothing stops fails its test, and no more: its thread
    /// is left behind, as the end of the threads would wait for it.
    pub(crate) async fn call(&self, guest: &Guest, input: &[u8]) -> Call<Said> {
        let (guest, input) = (guest.clone(), input.to_vec());
        let job = self.threads.run(async move { guest.call(input.as_slice(), copy).await });
        let Ok(called) = tokio::time::timeout(PATIENCE, job).await else {
            std::mem::forget(self.threads.clone());
            panic!("the guest goes on after {PATIENCE:?}");
        };
        called.unwrap()
    }

    /// What the guest said.
    pub(crate) async fn said(&self, guest: &Guest, input: &[u8]) -> Said {
        self.call(guest, input).await.result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Failure and detail.
    pub(crate) async fn failed(&self, guest: &Guest, input: &[u8]) -> (&'static str, String) {
        let error = self.call(guest, input).await.result.expect_err("the call fails");
        (error.failure.as_str(), error.detail)
    }
}

/// One call at a time on instances that are kept.
pub(crate) fn keep(policy: &mut Policy) {
    policy.instance = Instance::persistent();
    policy.concurrency = 1;
}

/// Sets `limits.guestTime`.
pub(crate) fn guest_time(ms: u64) -> impl FnOnce(&mut Policy) {
    move |policy| policy.limits.guest_time = Span::from_millis(ms)
}

/// Sets `limits.memory`.
pub(crate) fn memory(bytes: u64) -> impl FnOnce(&mut Policy) {
    move |policy| policy.limits.memory = ByteSize::new(bytes)
}

/// Bytes as little-endian words.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

/// Counts, for tests that wait for a condition.
pub(crate) type Count = Arc<AtomicUsize>;
