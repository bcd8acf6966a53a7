//! CBOR at the level of heads, as fluxrig's library reads it.
//!
//! The library checks in two passes: first that everything is well-formed, then that everything it needs has the right
//! type. A record is accepted when both agree, so one walk can do both, if it keeps to what each pass looks at:
//!
//! * nesting, element counts, break codes and simple values are checked everywhere, also in what is skipped;
//! * texts, tags 0 to 3 and map keys are checked in what is read, and nowhere else;
//! * null and undefined are taken for every type and mean its zero value;
//! * tags in front of a value are dropped where a type is expected.

mod any;
mod reader;
mod string;
mod time;
mod typed;
mod writer;

pub(crate) use any::Class;
pub(crate) use reader::{Head, Items, Reader, Result, kind};
pub(crate) use string::Str;
pub(crate) use typed::Bare;
pub(crate) use writer::{head, put_head, put_long_head, put_text};
