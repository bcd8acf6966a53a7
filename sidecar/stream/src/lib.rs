//! The stream: messages in from JetStream, messages out to JetStream, nothing lost.
//!
//! What it is: the durable consumer, the loop `permit → pull → track → call → settle`, dead letters, retries, the ledger.
//! What it is not: it knows nothing of wasm or of fluxMsg; a [`Gear`] turns bytes into an [`Outcome`].
//! How it fails: by kind. A message never fails another one; the stream's own troubles are a condition with a reason.
#![deny(missing_docs)]

mod outcome;

pub use outcome::{Failure, Gear, Input, Outcome, Output, RevisionTag, Verdict};
