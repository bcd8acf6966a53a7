//! Module registries: look up a reference, fetch bytes by digest, keep them on disk.
//!
//! What it is: [`Registries`], an ordered list of places. The operator turns a reference into a [`Resolved`] digest once
//! ([`Registries::resolve`]); everybody else asks for a digest ([`Registries::fetch`]) and gets bytes whose SHA-256 was
//! computed while they came in. [`Store`] keeps them by digest; [`NatsRegistry::push`] and [`FolderRegistry::push`] put
//! them in.
//!
//! What it is not: it knows nothing of what is inside a module (`gear-module`) and never runs one (`gear-host`).
//!
//! Rules:
//! * a size is compared with the limit before the bytes are read, and again while they come in;
//! * a tag is never a key: stores and caches go by digest;
//! * bytes leave this crate only as [`Verified`], which is made by comparing digests and in no other way;
//! * a fault of the network is tried again, with jitter, until the deadline; what the registry says clearly (not there,
//!   too large, other bytes) is never tried again.
//!
//! How it fails: [`SupplyError`], by [`Class`], each with a sentence that names the registry and what to do next; a file that
//! a person names fails with [`FileError`].
#![deny(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};

mod error;
mod file;
mod folder;
mod intake;
mod nats;
mod operator;
mod registries;
mod retry;
mod store;

pub use error::{Class, SupplyError};
pub use file::FileError;
pub use folder::FolderRegistry;
pub use intake::{Fetched, Verified};
pub use nats::{Listed, NatsRegistry};
pub use operator::OperatorRegistry;
pub use registries::{DEFAULT_MATCH, Registries, RegistryConfig, Resolved};
pub use retry::{Policy, jittered};
pub use store::Store;

/// Largest module that any part of the product takes: 16 MiB.
pub const MAX_MODULE_SIZE: u64 = 16 << 20;

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The reference is new.
    New,
    /// The same bytes were there under this reference already.
    AlreadyThere,
}

/// Ends the name of a file that is not finished: different for every file of every process.
fn draft_suffix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}.draft", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
