//! As much of CBOR (RFC 8949) as it takes to walk over a record.

use core::fmt;

/// Items without a length inside each other; the host lets 32 through.
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

/// Types of items, as the upper three bits of a head tell them.
pub(crate) mod major {
    pub(crate) const UNSIGNED: u8 = 0;
    pub(crate) const NEGATIVE: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
    pub(crate) const TEXT: u8 = 3;
    pub(crate) const ARRAY: u8 = 4;
    pub(crate) const MAP: u8 = 5;
    pub(crate) const TAG: u8 = 6;
    /// Floats, `null`, `true` and the like.
    pub(crate) const SIMPLE: u8 = 7;
}

/// Ends what has no length.
pub(crate) const BREAK: u8 = 0xff;

/// The head of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) major: u8,
    /// The lower five bits; 31 for what ends with a break.
    pub(crate) info: u8,
    /// The number, the length or the count.
    pub(crate) argument: u64,
    /// Where the content starts.
    pub(crate) next: usize,
}

impl Head {
    /// Whether what the item holds goes up to a break.
    #[inline]
    pub(crate) fn is_open(self) -> bool {
        self.info == 31
    }
}

/// Reads the head of the item at `at`. A break starts no item.
#[inline]
pub(crate) fn head(record: &[u8], at: usize) -> Result<Head, Error> {
    let first = *record.get(at).ok_or(Error::Short)?;
    let (major, info) = (first >> 5, first & 31);
    if info < 24 {
        return Ok(Head { major, info, argument: u64::from(info), next: at + 1 });
    }
    wide_head(record, at)
}

fn wide_head(record: &[u8], at: usize) -> Result<Head, Error> {
    let (first, rest) = record.get(at..).and_then(<[u8]>::split_first).ok_or(Error::Short)?;
    let (major, info) = (first >> 5, first & 31);
    let (argument, width) = match info {
        24 => (u64::from(u8::from_be_bytes(front(rest)?)), 1),
        25 => (u64::from(u16::from_be_bytes(front(rest)?)), 2),
        26 => (u64::from(u32::from_be_bytes(front(rest)?)), 4),
        27 => (u64::from_be_bytes(front(rest)?), 8),
        31 if (major::BYTES..=major::MAP).contains(&major) => (0, 0),
        _ => return Err(Error::Invalid),
    };
    Ok(Head { major, info, argument, next: at + 1 + width })
}

fn front<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes.first_chunk().copied().ok_or(Error::Short)
}

/// Where `len` bytes at `at` end. Nothing is longer than the record.
#[inline]
pub(crate) fn end(record: &[u8], at: usize, len: u64) -> Result<usize, Error> {
    match usize::try_from(len) {
        Ok(len) if len <= record.len() - at => Ok(at + len),
        _ => Err(Error::Short),
    }
}
