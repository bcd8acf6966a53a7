//! The stream: messages in from JetStream, messages out to JetStream, nothing lost.
//!
//! What it is: the durable consumer, the loop `permit → pull → track → call → settle`, dead letters, retries, the ledger.
//! What it is not: it knows nothing of wasm or of fluxMsg; a [`Gear`] turns bytes into an [`Outcome`].
//! How it fails: by kind. A message never fails another one; the stream's own troubles are a condition with a reason.
//!
//! * [`outcome`](Outcome): the border to what processes messages.
//! * [`disposition`]: what becomes of a message, one table.
//! * [`settle`]: how it becomes so, a pure machine for each delivery.
//! * [`memory`]: the same loop without a server.
#![deny(missing_docs)]

pub mod disposition;
pub mod memory;
pub mod problem;
pub mod settle;
pub mod wire;

mod attempts;
mod dead_letter;
mod engine;
mod jetstream;
mod ledger;
mod link;
mod monitor;
mod outcome;
mod run;

pub use attempts::Attempts;
pub use dead_letter::{HEADER as DEAD_LETTER_HEADER, HEADERS as DEAD_LETTER_HEADERS};
pub use engine::Tuning;
pub use ledger::{Counts, Reason};
pub use monitor::Monitor;
pub use outcome::{Failure, Gear, Input, Kind, Outcome, Output, RevisionTag, Verdict};
pub use run::{Ended, Settings, Stream};
