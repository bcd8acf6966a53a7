//! One way to connect to NATS, and the streams and buckets that the product needs.
//!
//! What it is: [`connect`] for programs that only ask now and then (it reconnects by itself), [`Session`] for the stream
//! (one TCP connection, over when that is over), [`provision`] for the streams and buckets.
//! What it is not: a retry policy for the first connection; the caller has one. A place for secrets: the document holds
//! paths, the files are read at every handshake, nothing of them is kept, and no error names what is in them.
//! How it fails: [`ConnectError`] and [`ProvisionError`], by kind, each one sentence with the field or the stream, the
//! value and the next step.
#![deny(missing_docs)]

mod connect;
mod credentials;
mod denial;
mod error;
pub mod provision;
mod session;
mod tls;

pub use connect::{Endpoint, connect};
pub use denial::{Denials, denied_subject};
pub use error::{ConnectError, FileProblem};
pub use provision::ProvisionError;
pub use session::Session;
