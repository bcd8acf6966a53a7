//! The C++ header and the gear written with it, natively, with the sanitizers for addresses and undefined behaviour.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn output(program: &mut Command) -> Output {
    match program.output() {
        Ok(output) => output,
        Err(error) => panic!("{program:?}: {error}; if g++ is missing, install it with: apt-get install -y g++"),
    }
}

/// Compiles a test program and runs it.
fn passes(source: &str) {
    let name = Path::new(source).file_stem().unwrap();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let compiled = output(
        Command::new("g++")
            .current_dir(root())
            .args(["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Isidecar/guest/cpp"])
            .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", source, "-o"])
            .arg(&program),
    );
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = output(&mut Command::new(&program));
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn the_header_reads_and_writes_what_it_should_and_nothing_beyond() {
    passes("sidecar/guest/cpp/tests/header_test.cpp");
}

#[test]
fn the_filter_drops_passes_copies_and_rejects() {
    passes("examples/high-value-filter/filter_test.cpp");
}
