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

/// Reads pair after pair, as the library does: null takes what the pair before had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) items: Option<Items>,
    what: What,
    /// Key of the pair just read.
    pub(crate) key: Str<'a>,
    /// Its value, in `meta`.
    pub(crate) text: Str<'a>,
    /// Whether its value was null, and `text` is that of an earlier pair.
    pub(crate) inherited: bool,
    /// First byte of its key.
    pub(crate) start: usize,
    /// First byte of its value.
    pub(crate) value_at: usize,
    /// What it adds to the payload.
    pub(crate) size: u64,
}

impl<'a> Pairs<'a> {
    /// The pairs of a map whose head was read just now.
    #[inline]
    pub(crate) fn open(reader: Reader<'a>, head: Head, depth: u8, what: What) -> Result<Self> {
        let items = reader.open(head, depth)?;
        Ok(Self::new(reader, Some(items), what))
    }

    /// The pairs of a map that was read before; none where there is no map.
    pub(crate) fn of(bytes: &'a [u8], slot: Slot, what: What) -> Self {
        let Slot::Here(container) = slot else { return Self::new(Reader::new(bytes), None, what) };
        let mut reader = Reader::starting_at(bytes, container.start);
        let head = reader.head().ok();
        let items = head.and_then(|head| reader.open(head, container.depth.saturating_sub(1)).ok());
        Self::new(reader, items, what)
    }

    fn new(reader: Reader<'a>, items: Option<Items>, what: What) -> Self {
        Self {
            reader,
            items,
            what,
            key: Str::EMPTY,
            text: Str::EMPTY,
            inherited: false,
            start: 0,
            value_at: 0,
            size: 0,
        }
    }

    /// Reads the next pair; `false` when there is none.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let Some(items) = &mut self.items else { return Ok(false) };
        if !self.reader.more(items)? {
            return Ok(false);
        }
        let depth = items.depth;
        self.start = self.reader.at();
        if let Some(key) = self.reader.text_or_null(depth)? {
            self.key = key;
        }
        self.value_at = self.reader.at();
        let counted = match self.what {
            What::Texts => {
                let text = self.reader.text_or_null(depth)?;
                self.inherited = text.is_none();
                if let Some(text) = text {
                    self.text = text;
                }
                self.text.len()
            }
            What::Anything => match self.reader.any(depth)? {
                Class::String(len) => len,
                Class::NoKey | Class::Plain => 0,
            },
        };
        // Never above 2⁶⁴: both are lengths of things in memory.
        self.size = (self.key.len() as u64) + (counted as u64);
        Ok(true)
    }
}
