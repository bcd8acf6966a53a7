//! Traffic and counts by code that shares nothing with ours: the Go programs of `e2e/oracle`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

use super::{DLQ, IN, OUT};

/// What the counter found.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) pass: bool,
    pub(crate) input: u64,
    pub(crate) out: u64,
    pub(crate) dead: u64,
    pub(crate) lost: u64,
    /// Serials with more than one output or dead letter.
    pub(crate) doubled: u64,
    /// Kinds of faults with their counts.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Publishes payments with the serials 1 to `messages`, each confirmed.
pub(crate) async fn generate(url: &str, messages: u64) {
    let (code, report) = run("generate", &["-url", url, "-count", &messages.to_string()]).await;
    assert_eq!((code, report["confirmed"].as_u64()), (0, Some(messages)), "{report}");
}

/// Counts by serial what is in the streams now.
pub(crate) async fn count(url: &str, messages: u64) -> Counted {
    let messages = messages.to_string();
    let args = ["-url", url, "-in", IN, "-out", OUT, "-dead", DLQ, "-expect", &messages, "-settle", "500ms"];
    let (code, report) = run("count", &args).await;
    assert!((code == 0) == (report["pass"] == true) && code < 2, "{code}: {report}");
    let number = |key: &str| report[key].as_u64().unwrap();
    let faults = report["faults"].as_object().into_iter().flatten();
    Counted {
        pass: report["pass"] == true,
        input: number("in"),
        out: number("out"),
        dead: number("dead"),
        lost: number("lost"),
        doubled: number("doubled"),
        faults: faults.map(|(kind, fault)| (kind.clone(), fault["count"].as_u64().unwrap())).collect(),
    }
}

async fn run(name: &'static str, args: &[&str]) -> (i32, Value) {
    let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    let output = tokio::task::spawn_blocking(move || Command::new(program(name)).args(args).output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {said}"));
    (output.status.code().unwrap(), report)
}

/// Both programs, built once.
fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/oracle/sidecar");
    std::fs::create_dir_all(&folder).unwrap();
    let mut go = Command::new("go");
    go.arg("build").arg("-o").arg(&folder).args(["./cmd/generate", "./cmd/count"]).current_dir(root.join("e2e/oracle"));
    let built = go.env("GOFLAGS", "").status();
    let built = built.unwrap_or_else(|error| {
        panic!("go does not start ({error}); install Go 1.26 from https://go.dev/dl and put its bin folder on PATH")
    });
    assert!(built.success(), "go build of e2e/oracle failed, see above");
    folder
}
