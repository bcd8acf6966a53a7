//! Guests in C and C++, without a C library.

use std::{
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::{Built, Folders, report};

/// A guest and what it is made of.
struct Source {
    name: &'static str,
    main: &'static str,
    /// Files that `main` includes.
    includes: &'static [&'static str],
    flags: &'static [&'static str],
}

const SOURCES: [Source; 2] = [
    Source { name: "echo-c", main: "e2e/guests/c/echo.c", includes: &[], flags: &["-std=c17"] },
    Source {
        name: "high-value-filter",
        main: "examples/high-value-filter/high_value_filter.cpp",
        includes: &["sidecar/guest/cpp/flux_gear.hpp"],
        flags: &["-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-Isidecar/guest/cpp"],
    },
];

/// For every guest. The linker's default puts the stack above the data, where an overflow goes unnoticed.
const FLAGS: [&str; 13] = [
    "--target=wasm32",
    "-O2",
    "-ffreestanding",
    "-nostdlib",
    "-mbulk-memory",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,--no-entry",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=16384",
    "-Wl,--gc-sections",
    "-Wl,--strip-all",
];

pub(super) fn build(folders: &Folders) -> anyhow::Result<()> {
    let version = check_tools()?;
    for source in &SOURCES {
        let arguments = arguments(folders, source);
        let stamp = stamp(folders, source, &version, &arguments)?;
        let stamp_file = folders.out.join(format!("{}.stamp", source.name));
        let state =
            if folders.module(source.name).is_file() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
                Built::AsBefore
            } else {
                compile(folders, source, &arguments)?;
                fs::write(&stamp_file, stamp).with_context(|| format!("writing {}", stamp_file.display()))?;
                Built::New
            };
        report(folders, source.name, state)?;
    }
    Ok(())
}

fn arguments(folders: &Folders, source: &Source) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = FLAGS.iter().chain(source.flags).map(OsString::from).collect();
    arguments.extend([source.main.into(), "-o".into(), folders.module(source.name).into()]);
    arguments
}

fn compile(folders: &Folders, source: &Source, arguments: &[OsString]) -> anyhow::Result<()> {
    let status = Command::new("clang").current_dir(&folders.root).args(arguments).status().context("starting clang")?;
    ensure!(status.success(), "clang could not build {} ({status}); its own message is above", source.main);
    Ok(())
}

/// Changes when the module would.
fn stamp(folders: &Folders, source: &Source, version: &str, arguments: &[OsString]) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    (version, arguments).hash(&mut hasher);
    for file in std::iter::once(&source.main).chain(source.includes) {
        let path = folders.root.join(Path::new(file));
        fs::read(&path).with_context(|| format!("reading {}", path.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

/// The version of the compiler; a missing program is named with the line that installs it.
fn check_tools() -> anyhow::Result<String> {
    let mut version = String::new();
    for (program, package) in [("clang", "clang"), ("wasm-ld", "lld")] {
        let Ok(output) = Command::new(program).arg("--version").output() else {
            bail!("{program} is missing; install it with: apt-get install -y {package}");
        };
        version.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    Ok(version)
}
