//! As much of CBOR (RFC 8949) as it takes to walk over a record.

use core::fmt;

/// Items inside each other; the host lets 32 through.
pub(crate) const DEEPEST: usize = 40;

/// Why a record can't be walked over. The host has refused such a record before the gear sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// It ends inside of an item.
    Short,
    /// A byte that starts no item.
    Invalid,
    /// No map at the top.
    NotAMap,
    /// Too many items inside each other.
    Deep,
    /// Bytes behind the record.
    Trailing,
}

impl Error {
    /// The sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Short => "the record ends inside of an item",
            Self::Invalid => "the record holds a byte that starts no CBOR item",
            Self::NotAMap => "the record is no CBOR map",
            Self::Deep => "the record holds too many items inside each other",
            Self::Trailing => "there are bytes behind the record",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Error {}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Unsigned(u64),
    /// The number is −1 − n.
    Negative(u64),
    Bytes(Count),
    Text(Count),
    Array(Count),
    Map(Count),
    Tag(u64),
    /// Half, single and double precision, widened.
    Float(f64),
    /// `false`, `null` and the like.
    Simple,
    Break,
}

/// How much an item holds: so many bytes, elements or pairs, or all up to a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Known(usize),
    UpToBreak,
}

/// Reads the head of the item at `at`; what it is, and where its content starts.
pub(crate) fn head(record: &[u8], at: usize) -> Result<(Kind, usize), Error> {
    let first = *record.get(at).ok_or(Error::Short)?;
    let (major, info) = (first >> 5, first & 31);
    let (argument, next) = match info {
        0..24 => (u64::from(info), at + 1),
        24..28 => number(record, at + 1, 1 << (info - 24))?,
        31 if (2..=5).contains(&major) => return Ok((container(major, Count::UpToBreak)?, at + 1)),
        31 if major == 7 => return Ok((Kind::Break, at + 1)),
        _ => return Err(Error::Invalid),
    };
    let kind = match major {
        0 => Kind::Unsigned(argument),
        1 => Kind::Negative(argument),
        6 => Kind::Tag(argument),
        7 => float(info, argument),
        // Nothing in memory is larger than the address space; a length that is gets no further than the end of the record.
        _ => container(major, Count::Known(usize::try_from(argument).unwrap_or(usize::MAX)))?,
    };
    Ok((kind, next))
}

fn container(major: u8, count: Count) -> Result<Kind, Error> {
    match major {
        2 => Ok(Kind::Bytes(count)),
        3 => Ok(Kind::Text(count)),
        4 => Ok(Kind::Array(count)),
        5 => Ok(Kind::Map(count)),
        _ => Err(Error::Invalid),
    }
}

/// A big-endian number of `width` bytes.
fn number(record: &[u8], at: usize, width: usize) -> Result<(u64, usize), Error> {
    let bytes = record.get(at..at + width).ok_or(Error::Short)?;
    Ok((bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), at + width))
}

fn float(info: u8, argument: u64) -> Kind {
    match info {
        // No half is as large as a card number, so its value does not matter.
        25 => Kind::Float(0.0),
        26 => Kind::Float(f64::from(f32::from_bits(u32::try_from(argument).unwrap_or(0)))),
        27 => Kind::Float(f64::from_bits(argument)),
        _ => Kind::Simple,
    }
}

/// The content of a string of `len` bytes at `at`: where it ends.
pub(crate) fn end(record: &[u8], at: usize, len: usize) -> Result<usize, Error> {
    at.checked_add(len).filter(|end| *end <= record.len()).ok_or(Error::Short)
}
