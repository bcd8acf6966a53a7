//! The document that the operator renders and the sidecar reads, and the answer that the sidecar gives.
//!
//! What it is: plain data with units in the types, one version number, unknown fields refused.
//! What it is not: Kubernetes (the operator translates a `WasmGear` into it once) or a place for secrets
//! (credentials are mounted as files; the document holds their paths).
//! How it fails: [`Document::parse`] reports every problem it finds, each with the field, the value and what was expected.
#![deny(missing_docs)]

pub mod names;
pub mod status;
pub mod subject;
pub mod units;

mod document;
mod input;
mod nats;
mod revision;

pub use document::{Candidate, Document, DocumentError, FILE_NAME, Identity, Registry, RegistrySource, VERSION};
pub use input::{Deliver, Input};
pub use nats::Nats;
pub use revision::{Instance, Limits, OnReject, Output, Retry, Revision};
pub use units::{ByteSize, Span};
