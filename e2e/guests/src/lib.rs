//! Guests for tests: one for each thing that a guest can do right or wrong, with what must become of it.
//!
//! ```
//! let module = guest_fixtures::wasm("echo");
//! assert!(module.starts_with(b"\0asm"));
//! ```
//!
//! Most are written in WAT and assembled when asked for. Some are generated, because they are large or because the name
//! carries a number (`wasm("fan-out-64")`, `wasm("grow-to-1024")`: see [`PARAMETRIC`]). Those in compiled languages are read from
//! `target/guests`.
//!
//! What it is not: a host. The tests of this crate run the guests on bare wasmtime, so that a fixture that is wrong is
//! found here and not in the tests that build on it.
//! How it fails: an unknown name lists the known ones; a guest that has not been built names the command that builds it.
#![deny(missing_docs)]

mod built;
mod catalog;
mod generated;
mod parametric;
mod skeleton;

pub use built::{BUILT, folder};
pub use catalog::{Answer, Expect, Failure, Fixture};
pub use parametric::PARAMETRIC;

/// Why a fixture is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// No fixture of that name.
    #[error("no fixture guest is called {name}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// A guest in a compiled language is not there.
    #[error("{path} can't be read ({cause}); build the guests with: cargo xtask guests")]
    NotBuilt {
        /// Where it was looked for.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The text of a fixture is wrong.
    #[error("fixture {name} does not assemble: {cause}")]
    Assemble {
        /// Name of the fixture.
        name: String,
        /// What the assembler said.
        cause: Box<wat::Error>,
    },
}

/// The module called `name`.
///
/// # Panics
///
/// When there is none, with the sentence of [`FixtureError`].
#[must_use]
#[allow(clippy::panic, reason = "only tests ask for fixtures, and a test that has none can only fail")]
pub fn wasm(name: &str) -> Vec<u8> {
    try_wasm(name).unwrap_or_else(|error| panic!("{error}"))
}

/// The module called `name`.
pub fn try_wasm(name: &str) -> Result<Vec<u8>, FixtureError> {
    if let Some(fixture) = catalog::find(name) {
        return fixture.assemble();
    }
    if BUILT.contains(&name) {
        return built::read(name);
    }
    if let Some(made) = parametric::make(name) {
        return made;
    }
    let mut known: Vec<&str> = all().map(|fixture| fixture.name).collect();
    known.extend(BUILT);
    known.extend(PARAMETRIC.iter().map(|kind| kind.pattern));
    Err(FixtureError::Unknown { name: name.to_owned(), known: known.join(", ") })
}

/// Every fixture with one fixed meaning, with what must become of it. Those of [`PARAMETRIC`] and [`BUILT`] come on top.
pub fn all() -> impl Iterator<Item = &'static Fixture> {
    catalog::all()
}
