//! The projects of `wasmgear new` build, pass their own tests, and are gears that do what their README says.

use std::{fs, path::Path, process::Command};

use gear_templates::{Language, Project, project};
use guest_fixtures::Failure;

use crate::{
    modules::modest,
    payments::{payment, with},
    runner::{Guest, Outcome},
};

const NAME: &str = "first-gear";

fn write(project: &Project, folder: &Path) {
    for file in &project.files {
        let path = folder.join(file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.content).unwrap();
    }
}

/// Runs a program in the project, as a person would: without what the tests' own cargo has set.
fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO") && name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/guests-build");
    let output = command.env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", shared).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run: make tools"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}:\n{said}");
}

/// As the README says: up to the limit it passes, above it does not, and without an amount neither.
fn behaves(module: &[u8]) {
    let mut guest = Guest::new(module, &[("limit", "10000")], None).unwrap();
    let mut marked = payment();
    marked.set("amount.transaction", "000000010000").unwrap();
    marked.meta.insert(NAME, "passed");
    assert_eq!(guest.call(&with("amount.transaction", "000000010000")), Outcome::Output(marked.encode()));
    let reason = "above the limit".to_owned();
    assert_eq!(guest.call(&with("amount.transaction", "000000010001")), Outcome::Reject { code: 3, reason });
    let reason = "data.amount.transaction is missing, or no text of digits".to_owned();
    assert_eq!(guest.call(b"\xa0"), Outcome::Reject { code: 4, reason });
    let (failure, logs) = Guest::refused(module, &[("limit", "much")]);
    assert_eq!(failure, Failure::Start);
    assert!(logs[0].1.starts_with("config.limit is "), "{logs:?}");
}

#[test]
fn a_new_project_in_rust_builds_without_the_network_and_works() {
    let folder = tempfile::tempdir().unwrap();
    write(&project(Language::Rust, NAME).unwrap(), folder.path());
    run(folder.path(), "cargo", &["test", "--quiet", "--offline"]);
    run(folder.path(), "cargo", &["wasm", "--quiet", "--offline"]);
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/guests-build/wasm32-unknown-unknown/release/first_gear.wasm");
    let module = fs::read(built).unwrap();
    modest(NAME, &module, 2);
    behaves(&module);
}

#[test]
fn a_new_project_in_cpp_builds_and_works() {
    let folder = tempfile::tempdir().unwrap();
    write(&project(Language::Cpp, NAME).unwrap(), folder.path());
    run(folder.path(), "make", &["--silent", "test"]);
    run(folder.path(), "make", &["--silent"]);
    let module = fs::read(folder.path().join("first-gear.wasm")).unwrap();
    modest(NAME, &module, 1);
    behaves(&module);
}
