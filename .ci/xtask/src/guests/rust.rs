//! Guests in Rust.

use std::{fs, process::Command};

use anyhow::{Context as _, bail, ensure};

use super::{Built, Folders, report};

const TARGET: &str = "wasm32-unknown-unknown";

/// Packages of the workspace `examples` that are gears.
const GEARS: [&str; 3] = ["pan-masker-v1", "pan-masker-v2", "sdk-probe"];

/// What an outer cargo or a person may have set for other targets.
const FOREIGN: [&str; 5] =
    ["CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"];

pub(super) fn build(folders: &Folders) -> anyhow::Result<()> {
    check_target()?;
    let built = folders.root.join("target/guests-build");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folders.root.join("examples")).args(["build", "--quiet", "--release", "--target", TARGET]);
    cargo.arg("--target-dir").arg(&built);
    for gear in GEARS {
        cargo.args(["--package", gear]);
    }
    for name in FOREIGN {
        cargo.env_remove(name);
    }
    let status = cargo.status().context("starting cargo")?;
    ensure!(status.success(), "cargo could not build the gears in examples/ ({status}); its own message is above");
    for gear in GEARS {
        let made = built.join(TARGET).join("release").join(format!("{}.wasm", gear.replace('-', "_")));
        let module = fs::read(&made).with_context(|| format!("reading {}", made.display()))?;
        let path = folders.module(gear);
        // A module that stays the same keeps its time, so that what is made of it stays too.
        let state = if fs::read(&path).is_ok_and(|old| old == module) { Built::AsBefore } else { Built::New };
        if state == Built::New {
            fs::write(&path, module).with_context(|| format!("writing {}", path.display()))?;
        }
        report(folders, gear, state)?;
    }
    Ok(())
}

/// A missing target would show as a hundred errors about `core`.
fn check_target() -> anyhow::Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().context("starting rustc")?;
    let sysroot = String::from_utf8(sysroot.stdout).context("rustc names a sysroot that is not UTF-8")?;
    let libraries = std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if !libraries.is_dir() {
        bail!("Rust's target {TARGET} is missing; install it with: rustup target add {TARGET}");
    }
    Ok(())
}
