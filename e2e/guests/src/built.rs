//! Guests in compiled languages: read from `target/guests`, where `cargo xtask guests` puts them.

use std::{fs, path::PathBuf};

use crate::FixtureError;

/// Names of the guests that `cargo xtask guests` builds.
pub const BUILT: &[&str] = &["echo-c", "high-value-filter", "pan-masker-v1", "pan-masker-v2", "sdk-probe"];

/// Where they are.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/guests"))
}

/// Reads one of them.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, FixtureError> {
    let path = folder().join(format!("{name}.wasm"));
    fs::read(&path).map_err(|cause| FixtureError::NotBuilt { path: path.display().to_string(), cause })
}
