//! Why a record is refused.

use core::fmt;

use crate::Field;

/// A record that is no fluxMsg, or breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
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
    Expected(&'static str),
    /// The content of tag 0 to 3 is not of the type that the tag asks for.
    TagContent,
    /// A tagged time that is none.
    NotATime,
    /// More hops than the limit.
    TooManyHops {
        /// Hops of the record.
        found: usize,
        /// Hops allowed.
        limit: usize,
    },
    /// More payload than the limit.
    TooLarge {
        /// Payload of the record, in bytes, as fluxrig counts it.
        found: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl Malformed {
    #[cold]
    pub(crate) const fn new(at: usize, why: Why) -> Self {
        Self { at, field: None, why }
    }

    #[cold]
    pub(crate) fn within(mut self, field: Field) -> Self {
        self.field.get_or_insert(field);
        self
    }

    #[cold]
    pub(crate) const fn shifted(mut self, by: usize) -> Self {
        self.at += by;
        self
    }

    /// Byte at which the record turned out wrong.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Field in which it turned out wrong; `None` outside of all fields.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        self.field
    }

    /// What is wrong.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.why
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a fluxMsg: ")?;
        if let Some(field) = self.field {
            write!(f, "field {field}, ")?;
        }
        write!(f, "byte {}: {}", self.at, self.why)
    }
}

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
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::TagContent => {
                f.write_str("tag 0 holds a text, tag 1 a number, tags 2 and 3 a byte string; something else was found")
            }
            Self::NotATime => f.write_str("expected an RFC 3339 text or seconds within 64 bits behind a time tag"),
            Self::TooManyHops { found, limit } => write!(f, "{found} hops, at most {limit} are allowed"),
            Self::TooLarge { found, limit } => write!(f, "{found} bytes of payload, at most {limit} are allowed"),
        }
    }
}

impl core::error::Error for Malformed {}
