//! The pairs of `meta` and of `data`: keys are texts.

use super::Slot;
use crate::cbor::{Class, Head, Items, Reader, Result, Str};

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Texts: `meta`.
    Texts,
    /// Anything: `data`.
    Anything,
}

/// One pair, as the library reads it: null took what the pair before had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// First byte of the key.
    pub(crate) start: usize,
    pub(crate) key: Str<'a>,
    /// First byte of the value.
    pub(crate) value_at: usize,
    /// First byte behind the value.
    pub(crate) end: usize,
    /// The value of an entry of `meta`.
    pub(crate) text: Str<'a>,
    /// Whether the value was null, and `text` is that of an earlier pair.
    pub(crate) inherited: bool,
    /// What the pair adds to the payload.
    pub(crate) size: u64,
}

/// Reads pair after pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) items: Option<Items>,
    what: What,
    key: Str<'a>,
    text: Str<'a>,
}

impl<'a> Pairs<'a> {
    /// The pairs of a map whose head was read just now.
    #[inline]
    pub(crate) fn open(reader: Reader<'a>, head: Head, depth: u8, what: What) -> Result<Self> {
        let items = reader.open(head, depth)?;
        Ok(Self { reader, items: Some(items), what, key: Str::EMPTY, text: Str::EMPTY })
    }

    /// The pairs of a map that was read before; none where there is no map.
    pub(crate) fn of(bytes: &'a [u8], slot: Slot, what: What) -> Self {
        let (reader, items) = match slot {
            Slot::Here(container) => {
                let mut reader = Reader::starting_at(bytes, container.start);
                let head = reader.head().ok();
                (reader, head.and_then(|head| reader.open(head, container.depth.saturating_sub(1)).ok()))
            }
            _ => (Reader::new(bytes), None),
        };
        Self { reader, items, what, key: Str::EMPTY, text: Str::EMPTY }
    }

    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Option<Pair<'a>>> {
        let Some(items) = &mut self.items else { return Ok(None) };
        if !self.reader.more(items)? {
            return Ok(None);
        }
        let (start, depth) = (self.reader.at(), items.depth);
        self.key = self.reader.text_or_null(depth)?.unwrap_or(self.key);
        let value_at = self.reader.at();
        let (counted, inherited) = match self.what {
            What::Texts => {
                let text = self.reader.text_or_null(depth)?;
                self.text = text.unwrap_or(self.text);
                (self.text.len(), text.is_none())
            }
            What::Anything => match self.reader.any(depth)? {
                Class::String(len) => (len, false),
                Class::NoKey | Class::Plain => (0, false),
            },
        };
        // Never above 2⁶⁴: both are lengths of things in memory.
        let size = (self.key.len() as u64) + (counted as u64);
        let end = self.reader.at();
        Ok(Some(Pair { start, key: self.key, value_at, end, text: self.text, inherited, size }))
    }
}
