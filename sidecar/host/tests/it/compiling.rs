//! Compiling in a child: what it may cost, what it may see, and that nothing of it reaches the sandbox.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use gear_host::{
    Module,
    compile::{CompileError, CompileLimits, Compiler},
};
use gear_module::Digest;

use crate::support::{ECHO, Rig, Said, child, flux1};

/// 20,000 locals, all alive everywhere: asks the compiler for gigabytes.
fn locals_bomb() -> Vec<u8> {
    let all = |line: &dyn Fn(u32) -> String| (0..20_000).map(line).collect::<Vec<_>>().concat();
    let body = [
        format!("(local {})", "i64 ".repeat(20_000)),
        all(&|n| format!("(local.set {n} (i64.load (i32.const {n})))")),
        all(&|n| format!("(if (i32.load (i32.const {n})) (then (local.set {n} (i64.const {n}))))")),
        all(&|n| format!("(i64.store (i32.const {n}) (local.get {n}))")),
    ]
    .concat();
    wat::parse_str(format!("(module (memory 1) (func {body}))")).unwrap()
}

/// 32 KiB of loops inside each other: takes the compiler very long.
fn loops_bomb() -> Vec<u8> {
    let depth = 8_000;
    wat::parse_str(format!(
        "(module (func (param i32) {} (br_if 0 (local.get 0)) {}))",
        "loop ".repeat(depth),
        "end ".repeat(depth)
    ))
    .unwrap()
}

fn limits(cpu: u64) -> CompileLimits {
    CompileLimits { cpu: Duration::from_secs(cpu), ..CompileLimits::default() }
}

/// What a bomb became, and what this process had to do with it.
async fn bomb(rig: &Rig, wasm: Vec<u8>) -> (String, Duration) {
    let digest = Digest::of(&wasm);
    let begin = Instant::now();
    let error = rig.compiler.compile(&rig.engine, digest, wasm.clone()).await.unwrap_err();
    let took = begin.elapsed();
    assert_eq!(error.reason(), "CompileLimit", "{error}");
    // Not tried again: the answer is there at once.
    let begin = Instant::now();
    let again = rig.compiler.compile(&rig.engine, digest, wasm).await.unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    assert!(begin.elapsed() < Duration::from_millis(500));
    (error.to_string(), took)
}

/// Largest resident size of this process so far, KiB.
fn high_water() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_module_that_wants_gigabytes_is_given_up_and_the_sandbox_goes_on() {
    let rig = Rig::with(2, 8, limits(60));
    let echo = rig.fresh(&flux1(ECHO)).await;
    let before = high_water();
    let (sentence, _) = bomb(&rig, locals_bomb()).await;
    assert!(sentence.contains("1024 MiB of memory"), "{sentence}");
    assert!(high_water() - before < 64 << 10, "{} KiB, before {before} KiB", high_water());
    assert_eq!(rig.said(&echo, b"x").await, Said::Output(b"x".to_vec()));
}

#[tokio::test]
async fn a_module_that_wants_time_is_given_up_and_calls_go_on_meanwhile() {
    let rig = Arc::new(Rig::with(2, 8, limits(1)));
    let echo = rig.fresh(&flux1(ECHO)).await;
    let compiling = bomb(&rig, loops_bomb());
    let mut calls = 0;
    let calling = async {
        loop {
            assert_eq!(rig.said(&echo, b"x").await, Said::Output(b"x".to_vec()));
            calls += 1;
        }
    };
    let (sentence, took) = tokio::select! {
        ended = compiling => ended,
        () = calling => unreachable!(),
    };
    assert!(sentence.contains("1s of CPU time"), "{sentence}");
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert!(calls > 100, "{calls} calls while the child was busy");
}

#[tokio::test]
async fn a_child_that_takes_too_long_is_ended() {
    let wall = Duration::from_millis(300);
    let rig = Rig::with(1, 8, CompileLimits { wall, ..limits(60) });
    let (sentence, took) = bomb(&rig, loops_bomb()).await;
    assert!(sentence.contains("it was not done after 300ms"), "{sentence}");
    assert!(took >= wall, "{took:?}");
}

#[tokio::test]
async fn an_artefact_that_is_too_large_is_given_up() {
    let rig = Rig::with(1, 8, CompileLimits { output: 4_096, ..limits(60) });
    let wasm = wat::parse_str(flux1(ECHO)).unwrap();
    let error = rig.compiler.compile(&rig.engine, Digest::of(&wasm), wasm).await.unwrap_err();
    assert_eq!(error.reason(), "CompileLimit", "{error}");
}

#[tokio::test]
async fn bytes_that_are_no_module_are_refused_with_what_the_compiler_says() {
    let rig = Rig::new();
    let error = rig.compiler.compile(&rig.engine, Digest::of(b"x"), b"\0asm\x01\0\0\0\x01").await.unwrap_err();
    assert_eq!(error.reason(), "CompileRefused");
    assert!(error.to_string().starts_with("the compiler refused the module: "), "{error}");
}

#[tokio::test]
async fn a_program_that_is_no_compiler_is_told_apart_from_a_bad_module() {
    let rig = Rig::new();
    let folder = tempfile::tempdir().unwrap();
    let compiler = |program: &str| Compiler::new(Path::new(program), &folder.path().join("code"), limits(5)).unwrap();
    let wasm = wat::parse_str(flux1(ECHO)).unwrap();
    let error = compiler("/does/not/exist").compile(&rig.engine, Digest::of(&wasm), wasm).await.unwrap_err();
    assert!(matches!(error, CompileError::Io { .. }), "{error}");
    assert_eq!(error.to_string(), "could not start /does/not/exist");
}

/// The child of this process that may use 17 seconds of CPU time, once it confined itself.
fn confined_child() -> Option<PathBuf> {
    let own = std::process::id().to_string();
    fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).find(|path| {
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        // After the name in parentheses: state, parent.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1).map(str::to_owned));
        parent.as_deref() == Some(&own)
            && fs::read_to_string(path.join("cmdline")).is_ok_and(|command| command.contains("\u{0}17\u{0}"))
            && fs::read_to_string(path.join("oom_score_adj")).is_ok_and(|score| score.trim() == "1000")
            && fs::read_to_string(path.join("status")).is_ok_and(|status| status.contains("NoNewPrivs:\t1"))
    })
}

/// Numbers of the open files of a process.
fn files(process: &Path) -> Vec<u32> {
    let numbers = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Numbers of this process's open files that a child gets.
fn files_kept_on_exec() -> Vec<u32> {
    let closes = |file: &u32| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{file}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("02000000");
        u32::from_str_radix(flags.trim(), 8).unwrap() & 0o2_000_000 != 0
    };
    files(Path::new("/proc/self")).into_iter().filter(|file| !closes(file)).collect()
}

#[tokio::test]
async fn the_child_is_confined() {
    let rig = Rig::with(1, 8, CompileLimits { wall: Duration::from_secs(20), ..limits(17) });
    // Things of the parent that the child must not see.
    let _socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let _file = tempfile::tempfile().unwrap();
    let seen = tokio::task::spawn_blocking(|| {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(process) = confined_child() {
                let read = |name: &str| fs::read_to_string(process.join(name)).unwrap_or_default();
                return (read("environ"), read("limits"), read("cmdline"), files(&process));
            }
            assert!(Instant::now() < end, "no confined child in 20 s");
            std::thread::yield_now();
        }
    });
    let compiling = rig.compiler.compile(&rig.engine, Digest::of(b"loops"), loops_bomb());
    let (environment, limits, command, files) = tokio::select! {
        seen = seen => seen.unwrap(),
        _ = compiling => panic!("the child ended before it was seen"),
    };
    assert_eq!(environment, "MIMALLOC_ARENA_RESERVE=64MiB\0", "nothing else of the environment is handed on");
    // Everything that this process opened is closed on exec; what it was started with itself (by the test runner) is not.
    let inherited: Vec<u32> = files_kept_on_exec();
    assert!([0, 1, 2].iter().all(|file| files.contains(file)));
    assert!(files.iter().all(|file| *file < 3 || inherited.contains(file)), "{files:?}, not {inherited:?}");
    assert!(command.contains("compile-module"), "{command:?}");
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{limits}"));
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max address space"), ["1073741824", "1073741824"]);
    assert_eq!(limit("Max cpu time"), ["17", "17"]);
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max file size"), ["268435456", "268435456"]);
    assert_eq!(limit("Max open files"), ["16", "16"]);
}

#[tokio::test]
async fn one_child_at_a_time() {
    // Two compilers of one process; each child takes its whole second of CPU time, so together it is two at least.
    let (one, two) = (Rig::with(1, 2, limits(1)), Rig::with(1, 2, limits(1)));
    let begin = Instant::now();
    let wasm = loops_bomb();
    let (first, second) = tokio::join!(
        one.compiler.compile(&one.engine, Digest::of(b"1"), wasm.clone()),
        two.compiler.compile(&two.engine, Digest::of(b"2"), wasm)
    );
    assert!(first.is_err() && second.is_err());
    assert!(begin.elapsed() >= Duration::from_millis(1_800), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_artefact_is_private_used_again_and_thrown_away_when_nobody_wants_it() {
    let rig = Rig::new();
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code");
    let compiler = Compiler::new(child(), &code, limits(60)).unwrap();
    let wasm = wat::parse_str(flux1(ECHO)).unwrap();
    let digest = Digest::of(&wasm);
    let artifact = compiler.compile(&rig.engine, digest, wasm.clone()).await.unwrap();
    assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o700);
    let file = fs::metadata(artifact.path()).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    // The same file for another compiler of the same folder, as after a restart.
    let again = Compiler::new(child(), &code, limits(60)).unwrap();
    let found = again.compile(&rig.engine, digest, wasm.clone()).await.unwrap();
    assert_eq!((found.path(), fs::metadata(found.path()).unwrap().ino()), (artifact.path(), file.ino()));
    // One that others may write is not trusted: it is written anew.
    fs::set_permissions(artifact.path(), fs::Permissions::from_mode(0o666)).unwrap();
    let anew = again.compile(&rig.engine, digest, wasm.clone()).await.unwrap();
    assert_ne!(fs::metadata(anew.path()).unwrap().ino(), file.ino());
    // One that is damaged is an error and no crash.
    let module = Module::load(&rig.engine, &anew).unwrap();
    let bytes = fs::read(anew.path()).unwrap();
    fs::write(folder.path().join("cut"), &bytes[..bytes.len() / 2]).unwrap();
    fs::rename(folder.path().join("cut"), anew.path()).unwrap();
    let error = Module::load(&rig.engine, &anew).unwrap_err();
    assert_eq!(error.reason(), "ArtifactUnusable", "{error}");
    drop(module);
    again.prune(&[digest]).unwrap();
    assert!(anew.path().exists());
    again.prune(&[]).unwrap();
    assert!(!anew.path().exists());
}

#[tokio::test]
async fn a_folder_that_is_not_ours_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("code");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let error = Compiler::new(child(), &link, limits(1)).unwrap_err();
    assert!(error.to_string().starts_with("could not use as directory of compiled modules"), "{error}");
}
