//! Heads, lengths and nesting: what must hold everywhere.

use super::Str;
use crate::{
    MAX_DEPTH, MAX_ELEMENTS, Why,
    error::{Fault, Wanted},
};

pub(crate) type Result<T> = core::result::Result<T, Fault>;

/// The major types.
pub(crate) mod kind {
    pub(crate) const UINT: u8 = 0;
    pub(crate) const NINT: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
    pub(crate) const TEXT: u8 = 3;
    pub(crate) const ARRAY: u8 = 4;
    pub(crate) const MAP: u8 = 5;
    pub(crate) const TAG: u8 = 6;
    pub(crate) const OTHER: u8 = 7;
}

const BREAK: u8 = 0xff;
const INDEFINITE: u8 = 31;

/// The first byte of an item and its argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) major: u8,
    pub(crate) info: u8,
    pub(crate) value: u64,
}

impl Head {
    pub(crate) const fn is_definite(self) -> bool {
        self.info != INDEFINITE
    }

    /// Null and undefined: the library treats them alike.
    pub(crate) const fn is_null(self) -> bool {
        self.major == kind::OTHER && matches!(self.info, 22 | 23)
    }

    /// A simple value that is no boolean, null or undefined: the library takes it for a number.
    pub(crate) const fn is_simple(self) -> bool {
        self.major == kind::OTHER && (self.info < 20 || self.info == 24)
    }
}

/// The items of an open array, or the pairs of an open map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Items {
    left: Option<usize>,
    /// Items or pairs so far.
    pub(crate) len: usize,
    /// Depth of the container; what lies in it is read at this depth.
    pub(crate) depth: u8,
}

/// A place in a record. Copies are cheap: a copy looks ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A reader of the same bytes at another place.
    pub(crate) const fn starting_at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// An error about the byte just read.
    #[cold]
    pub(crate) const fn wrong(&self, why: Why) -> Fault {
        Fault::new(self.at.saturating_sub(1), why)
    }

    /// An error about a value of which the head was read.
    #[cold]
    pub(crate) const fn unfit(&self, wanted: Wanted) -> Fault {
        self.wrong(Why::Expected(wanted))
    }

    pub(crate) fn next_byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn next_is(&self, major: u8) -> bool {
        self.next_byte().is_some_and(|byte| byte >> 5 == major)
    }

    /// What was read since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn head(&mut self) -> Result<Head> {
        let Some(&first) = self.bytes.get(self.at) else {
            return Err(Fault::new(self.at, Why::Truncated));
        };
        self.at += 1;
        let (major, info) = (first >> 5, first & 31);
        if info < 24 {
            return Ok(Head { major, info, value: u64::from(info) });
        }
        self.long_head(major, info)
    }

    fn long_head(&mut self, major: u8, info: u8) -> Result<Head> {
        let width = match (info, major) {
            (24, _) => 1,
            (25, _) => 2,
            (26, _) => 4,
            (27, _) => 8,
            (INDEFINITE, kind::BYTES | kind::TEXT | kind::ARRAY | kind::MAP) => 0,
            (INDEFINITE, kind::OTHER) => return Err(self.wrong(Why::UnexpectedBreak)),
            _ => return Err(self.wrong(Why::ReservedHead)),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if major == kind::OTHER && info == 24 && value < 32 {
            return Err(self.wrong(Why::SimpleValue));
        }
        Ok(Head { major, info, value })
    }

    #[inline]
    pub(crate) fn take(&mut self, n: u64) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match usize::try_from(n).ok().and_then(|n| rest.get(..n)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(Fault::new(self.bytes.len(), Why::Truncated)),
        }
    }

    /// One level down.
    #[inline]
    pub(crate) fn deeper(&self, depth: u8) -> Result<u8> {
        if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(self.wrong(Why::TooDeep)) }
    }

    /// Enters an array or a map whose head was read in a container of this depth.
    pub(crate) fn open(&self, head: Head, depth: u8) -> Result<Items> {
        let depth = self.deeper(depth)?;
        if !head.is_definite() {
            return Ok(Items { left: None, len: 0, depth });
        }
        match usize::try_from(head.value) {
            Ok(left) if left <= MAX_ELEMENTS => Ok(Items { left: Some(left), len: 0, depth }),
            _ => Err(self.wrong(Why::TooManyElements)),
        }
    }

    /// Whether another item, or pair, follows; past the break code when none does.
    #[inline]
    pub(crate) fn more(&mut self, items: &mut Items) -> Result<bool> {
        match &mut items.left {
            Some(0) => return Ok(false),
            Some(left) => *left -= 1,
            None if self.next_byte() == Some(BREAK) => {
                self.at += 1;
                return Ok(false);
            }
            None if items.len == MAX_ELEMENTS => return Err(self.wrong(Why::TooManyElements)),
            None => {}
        }
        items.len += 1;
        Ok(true)
    }

    /// A definite text of less than 24 bytes, all ASCII, without a tag: what most keys and many values are. `None` says
    /// nothing about what is there.
    #[inline]
    pub(crate) fn short_text(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.bytes.get(self.at..)?.split_first()?;
        let len = first.checked_sub(0x60).filter(|len| *len < 24)?;
        let content = rest.get(..usize::from(len)).filter(|content| content.is_ascii())?;
        self.at += 1 + content.len();
        Some(content)
    }

    /// Sixteen bytes in one string, without a tag: what most identities are.
    #[inline]
    pub(crate) fn sixteen(&mut self) -> Option<[u8; 16]> {
        let (head, rest) = self.bytes.get(self.at..)?.split_first()?;
        let content = rest.first_chunk().filter(|_| *head == 0x50)?;
        self.at += 17;
        Some(*content)
    }

    /// The beginning of a hop as everybody writes it, up to its time.
    #[inline]
    pub(crate) fn usual_hop(&mut self) -> Option<([u8; 16], [u8; 16])> {
        let rest = self.bytes.get(self.at..)?;
        let (gear, rest) = rest.strip_prefix(b"\xa3\x61g\x50")?.split_first_chunk()?;
        let (port, rest) = rest.strip_prefix(b"\x61p\x50")?.split_first_chunk()?;
        let rest = rest.strip_prefix(b"\x61t")?;
        self.at = self.bytes.len() - rest.len();
        Some((*gear, *port))
    }

    /// The content of a string whose head was read. For texts see also [`Reader::text`].
    #[inline]
    pub(crate) fn string(&mut self, head: Head) -> Result<Str<'a>> {
        if head.is_definite() { Ok(Str::Whole(self.take(head.value)?)) } else { self.chunks(head.major, |_| true) }
    }

    /// The content of a text whose head was read.
    #[inline]
    pub(crate) fn text(&mut self, head: Head) -> Result<Str<'a>> {
        if !head.is_definite() {
            return self.chunks(head.major, is_utf8);
        }
        let bytes = self.take(head.value)?;
        if is_utf8(bytes) { Ok(Str::Whole(bytes)) } else { Err(self.wrong(Why::NotUtf8)) }
    }

    fn chunks(&mut self, major: u8, good: fn(&[u8]) -> bool) -> Result<Str<'a>> {
        let (start, mut len) = (self.at, 0);
        loop {
            if self.next_byte() == Some(BREAK) {
                let items = self.since(start);
                self.at += 1;
                return Ok(Str::Chunks { items, len });
            }
            let head = self.head()?;
            if head.major != major || !head.is_definite() {
                return Err(self.wrong(Why::WrongChunk));
            }
            let chunk = self.take(head.value)?;
            if !good(chunk) {
                return Err(self.wrong(Why::NotUtf8));
            }
            len += chunk.len();
        }
    }

    /// Passes over one item of which only the form counts.
    pub(crate) fn skip(&mut self, mut depth: u8) -> Result<()> {
        let mut head = self.head()?;
        if head.major == kind::TAG {
            while self.next_is(kind::TAG) {
                self.head()?;
                depth = self.deeper(depth)?;
            }
            head = self.head()?;
        }
        match head.major {
            kind::BYTES | kind::TEXT => self.string(head).map(|_| ()),
            kind::ARRAY | kind::MAP => {
                let mut items = self.open(head, depth)?;
                while self.more(&mut items)? {
                    self.skip(items.depth)?;
                    if head.major == kind::MAP {
                        self.skip(items.depth)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || core::str::from_utf8(bytes).is_ok()
}
