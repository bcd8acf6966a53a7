//! fluxMsg on the wire and the guest ABI.
//!
//! What it is: the one place that knows the bytes of a fluxMsg record and the calling convention of a gear. The host
//! looks into a record with [`peek()`], changes it with [`splice`] and takes a guest's answer apart with [`outputs()`];
//! guests and tools use [`Message`]. `no_std`, so that the same code runs on both sides of the sandbox.
//!
//! What it is not: a CBOR library (it reads and refuses exactly what fluxrig's own library reads and refuses, quirks
//! included; see `docs/reference/fluxmsg.md`), and no policy: what becomes of a refused record is decided elsewhere.
//!
//! ```
//! use gear_abi::{Edit, Hop, Limits, Message, peek, splice};
//!
//! // A guest reads, changes and writes whole messages …
//! let mut message = Message::default();
//! message.set("card.pan", "************1111")?;
//! let record = message.encode();
//!
//! // … the host adds a hop to the bytes and leaves the rest of them alone.
//! let limits = Limits::default();
//! let found = peek(&record, &limits)?;
//! let hop = Hop::new([0x05; 16], [0x06; 16], 1_730_000_000_000_000_000);
//! let spliced = splice(&found, &Edit::hop(hop), &limits)?.to_vec();
//! assert_eq!(Message::decode(&spliced)?.path, [hop]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! How it fails: every reader returns an error with the byte, the field and what was expected. Nothing panics on any
//! input, and [`peek()`], [`splice`] and [`outputs()`] allocate nothing that grows with the input before it was checked.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod guest;

mod cbor;
mod derive;
mod error;
mod field;
mod hop;
mod id;
mod map;
mod message;
mod output;
mod peek;
mod splice;
mod value;

pub use derive::{EntityKind, Origin, entity_id, message_id, output_id};
pub use error::{Malformed, Wanted, Why};
pub use field::Field;
pub use hop::Hop;
pub use id::{Id, ParseUuidError, Uuid};
pub use map::Map;
pub use message::{Message, NotAMap};
pub use output::{OutputError, OutputLimits, Outputs, Shape, outputs};
pub use peek::{Limits, Peek, Records, peek, records};
pub use splice::{Edit, NoRoom, Parts, splice};
pub use value::Value;

/// Flag bit 0: a handshake probe of fluxrig, never business data.
pub const FLAG_PROBE: u32 = 1;
/// Containers and tags that may lie in one another: the default of fluxrig's CBOR library.
pub const MAX_DEPTH: u8 = 32;
/// Elements of an array, or pairs of a map: the default of fluxrig's CBOR library.
pub const MAX_ELEMENTS: usize = 131_072;
