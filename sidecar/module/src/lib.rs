//! What a wasm module is, without ever running or compiling it: its [`Digest`], the [`Reference`] that people write,
//! what it has and wants ([`inspect`]), which imports exist at all ([`imports`]) and which [`Grants`] they need ([`check`]).
//!
//! What it is not: a registry client (`gear-supply`) or a compiler (`gear-host`). Nothing here does input or output, so
//! the operator, the sidecar and the command line judge a module alike.
//! How it fails: every refusal names the part of the module, what was found and what was expected.
#![deny(missing_docs)]

pub mod imports;

mod check;
mod digest;
mod grants;
mod inspect;
mod inspection;
mod limits;
mod reference;
mod refusal;
mod signature;
mod text;

pub use check::{Denial, check};
pub use digest::{Digest, DigestError};
pub use grants::Grants;
pub use imports::{KnownImport, Needs};
pub use inspect::inspect;
pub use inspection::{
    Abi, DEFAULT_ENTRYPOINTS, Entrypoint, Free, FreeTakes, Import, Inspection, Memory, Producer, Table,
};
pub use limits::StaticLimits;
pub use reference::{Reference, ReferenceError};
pub use refusal::{Place, Refusal};
pub use signature::{Signature, ValType};
