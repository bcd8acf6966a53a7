//! What a wasm module is, without ever running or compiling it: its [`Digest`], the [`Reference`] that people write,
//! what it imports and which [`Grants`] that needs.
//!
//! What it is not: a registry client (`gear-supply`) or a compiler (`gear-host`). Nothing here does input or output, so
//! the operator, the sidecar and the command line judge a module alike.
//! How it fails: every refusal names the part of the module, what was found and what was expected.
#![deny(missing_docs)]

mod digest;
mod grants;
mod reference;

pub use digest::{Digest, DigestError};
pub use grants::Grants;
pub use reference::{Reference, ReferenceError};
