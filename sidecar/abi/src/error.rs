//! Why a record is refused.

use core::fmt;

use crate::Field;

/// A record that is no fluxMsg, or breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    fault: Fault,
    found: u64,
    limit: u64,
}

/// What the readers pass on: two words, so that a walk that succeeds does not pay for walks that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    at: usize,
    field: Option<Field>,
    why: Why,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The bytes end inside an item.
    Truncated,
    /// Bytes follow the record.
    Trailing,
    /// A head that CBOR reserves.
    ReservedHead,
    /// A break code where no indefinite item is open.
    UnexpectedBreak,
    /// A chunk of an indefinite string is of another type or itself indefinite.
    WrongChunk,
    /// A two-byte simple value below 32.
    SimpleValue,
    /// More than [`MAX_DEPTH`](crate::MAX_DEPTH) containers and tags in one another.
    TooDeep,
    /// More than [`MAX_ELEMENTS`](crate::MAX_ELEMENTS) elements or pairs.
    TooManyElements,
    /// A text that is not UTF-8.
    NotUtf8,
    /// Another type, or a number out of range.
    Expected(Wanted),
    /// The content of tag 0 to 3 is not of the type that the tag asks for.
    TagContent,
    /// A tagged time that is none.
    NotATime,
    /// More hops than the limit; the sentence has both numbers.
    TooManyHops,
    /// More payload than the limit; the sentence has both numbers.
    TooLarge,
}

/// What was expected where something else is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// One map, or null.
    Record,
    /// A key of a record or a hop.
    Key,
    /// A key of a map in `data`.
    MapKey,
    /// An identity.
    Id,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// Elements of a list that stands for bytes.
    Byte,
    /// A number of 32 bits, from 0 on.
    Unsigned32,
    /// A number of 64 bits.
    Signed64,
    /// A map with texts for keys.
    Table,
    /// An array of hops.
    Hops,
    /// One hop.
    Hop,
}

// === impl Fault ===

impl Fault {
    #[cold]
    pub(crate) const fn new(at: usize, why: Why) -> Self {
        Self { at, field: None, why }
    }

    #[cold]
    pub(crate) fn within(mut self, field: Field) -> Self {
        self.field.get_or_insert(field);
        self
    }

    /// With the numbers of a limit.
    #[cold]
    pub(crate) const fn numbers(self, found: u64, limit: u64) -> Malformed {
        Malformed { fault: self, found, limit }
    }
}

impl From<Fault> for Malformed {
    fn from(fault: Fault) -> Self {
        fault.numbers(0, 0)
    }
}

// === impl Malformed ===

impl Malformed {
    #[cold]
    pub(crate) const fn shifted(mut self, by: usize) -> Self {
        self.fault.at += by;
        self
    }

    /// Byte at which the record turned out wrong.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.fault.at
    }

    /// Field in which it turned out wrong; `None` outside of all fields.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        self.fault.field
    }

    /// What is wrong.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.fault.why
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { at, field, why } = self.fault;
        f.write_str("not a fluxMsg: ")?;
        if let Some(field) = field {
            write!(f, "field {field}, ")?;
        }
        write!(f, "byte {at}: ")?;
        let (found, limit) = (self.found, self.limit);
        match why {
            Why::TooManyHops => write!(f, "{found} hops, at most {limit} are allowed"),
            Why::TooLarge => write!(f, "{found} bytes of payload, at most {limit} are allowed"),
            why => fmt::Display::fmt(&why, f),
        }
    }
}

impl core::error::Error for Malformed {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside an item"),
            Self::Trailing => f.write_str("the record ends here, but bytes follow"),
            Self::ReservedHead => f.write_str("a head that CBOR reserves"),
            Self::UnexpectedBreak => f.write_str("a break code where an item is expected"),
            Self::WrongChunk => {
                f.write_str("a chunk of an indefinite string must be a definite string of the same type")
            }
            Self::SimpleValue => f.write_str("a simple value below 32 takes one byte"),
            Self::TooDeep => write!(f, "nested deeper than {} levels", crate::MAX_DEPTH),
            Self::TooManyElements => write!(f, "more than {} elements or pairs", crate::MAX_ELEMENTS),
            Self::NotUtf8 => f.write_str("a text that is not UTF-8"),
            Self::Expected(wanted) => write!(f, "expected {wanted}"),
            Self::TagContent => {
                f.write_str("tag 0 holds a text, tag 1 a number, tags 2 and 3 a byte string; something else was found")
            }
            Self::NotATime => f.write_str("expected an RFC 3339 text or seconds within 64 bits behind a time tag"),
            Self::TooManyHops => f.write_str("too many hops"),
            Self::TooLarge => f.write_str("too much payload"),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record => "one map, or null",
            Self::Key => "a key that is a text, or a number of 64 bits",
            Self::MapKey => "a key that is a text, bytes, a number of 64 bits or a plain value",
            Self::Id => "16 bytes (or, of fluxrig up to v0.4.5, an unsigned number)",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Byte => "numbers from 0 to 255",
            Self::Unsigned32 => "an unsigned number of 32 bits",
            Self::Signed64 => "a number of 64 bits",
            Self::Table => "a map with texts for keys",
            Self::Hops => "an array of hops",
            Self::Hop => "a hop: a map with g, p and t",
        })
    }
}
