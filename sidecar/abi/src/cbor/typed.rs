//! Values of which the type is known.

use super::{Head, Reader, Result, Str, kind};
use crate::{Id, Uuid, Why, error::Wanted};

/// The tag right in front of a value, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// None, or only tag 55799 ("this is CBOR"), which the library drops everywhere.
    None,
    /// Tag 0 or 1.
    Time,
    /// Tag 2 or 3.
    Bignum {
        /// Tag 3.
        negative: bool,
    },
    /// Any other.
    Other,
}

/// The head of a value behind its tags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare {
    /// First byte of the head.
    pub(crate) start: usize,
    pub(crate) head: Head,
    pub(crate) tag: Tag,
    /// Depth around the value: every tag but the first counts as a level.
    pub(crate) depth: u8,
}

const SELF_DESCRIBED: u64 = 55799;

impl<'a> Reader<'a> {
    /// The head of a value, behind its tags.
    #[inline]
    pub(crate) fn bare(&mut self, depth: u8) -> Result<Bare> {
        let start = self.at();
        let head = self.head()?;
        if head.major == kind::TAG {
            return self.behind_tags(head, depth);
        }
        Ok(Bare { start, head, tag: Tag::None, depth })
    }

    fn behind_tags(&mut self, mut head: Head, mut depth: u8) -> Result<Bare> {
        let mut tag = Tag::None;
        loop {
            tag = self.tag(head.value, tag)?;
            if !self.next_is(kind::TAG) {
                return Ok(Bare { start: self.at(), head: self.head()?, tag, depth });
            }
            head = self.head()?;
            depth = self.deeper(depth)?;
        }
    }

    /// One tag more. Tags 0 to 3 are right in front of their content, or it is not theirs.
    fn tag(&self, number: u64, before: Tag) -> Result<Tag> {
        let next = self.next_byte().unwrap_or(0);
        let (tag, fits) = match number {
            0 => (Tag::Time, next >> 5 == kind::TEXT),
            1 => (Tag::Time, next >> 5 <= kind::NINT || matches!(next, 0xf9..=0xfb)),
            2 | 3 => (Tag::Bignum { negative: number == 3 }, next >> 5 == kind::BYTES),
            SELF_DESCRIBED if before == Tag::None => (Tag::None, true),
            _ => (Tag::Other, true),
        };
        if fits { Ok(tag) } else { Err(self.wrong(Why::TagContent)) }
    }

    /// A text; `None` for null, which leaves the library's variable as it was.
    #[inline]
    pub(crate) fn text_or_null(&mut self, depth: u8) -> Result<Option<Str<'a>>> {
        match self.short_text() {
            Some(content) => Ok(Some(Str::Whole(content))),
            None => self.any_text_or_null(depth),
        }
    }

    fn any_text_or_null(&mut self, depth: u8) -> Result<Option<Str<'a>>> {
        let Bare { head, .. } = self.bare(depth)?;
        match head.major {
            kind::TEXT => self.text(head).map(Some),
            _ if head.is_null() => Ok(None),
            _ => Err(self.unfit(Wanted::Text)),
        }
    }

    /// An identity in either form.
    #[inline]
    pub(crate) fn id(&mut self, depth: u8) -> Result<Id> {
        match self.sixteen() {
            Some(bytes) => Ok(Id::Uuid(Uuid(bytes))),
            None => self.any_id(depth),
        }
    }

    fn any_id(&mut self, depth: u8) -> Result<Id> {
        let Bare { head, depth, .. } = self.bare(depth)?;
        match head.major {
            kind::BYTES => {
                let content = self.string(head)?;
                let bytes = match content {
                    Str::Whole(whole) => <[u8; 16]>::try_from(whole).ok(),
                    Str::Chunks { .. } => content.copied(&mut [0; 16]).and_then(|bytes| bytes.try_into().ok()),
                };
                bytes.map(|bytes| Id::Uuid(Uuid(bytes))).ok_or_else(|| self.unfit(Wanted::Id))
            }
            kind::UINT => Ok(Id::Number(head.value)),
            kind::ARRAY => self.id_of_numbers(head, depth),
            _ if head.is_null() => Ok(Id::NIL),
            _ => Err(self.unfit(Wanted::Id)),
        }
    }

    /// The library fills an array of 16 from a list: what is missing is zero, what is too much is not looked at.
    fn id_of_numbers(&mut self, head: Head, depth: u8) -> Result<Id> {
        let mut bytes = [0; 16];
        let mut items = self.open(head, depth)?;
        while self.more(&mut items)? {
            match bytes.get_mut(items.len - 1) {
                Some(byte) => *byte = self.byte(items.depth)?,
                None => self.skip(items.depth)?,
            }
        }
        Ok(Id::Uuid(Uuid(bytes)))
    }

    /// An element of a list that stands for bytes.
    pub(crate) fn byte(&mut self, depth: u8) -> Result<u8> {
        let number = self.number(depth, Wanted::Byte)?;
        u8::try_from(number).map_err(|_| self.unfit(Wanted::Byte))
    }

    /// An unsigned number of 32 bits.
    pub(crate) fn uint32(&mut self, depth: u8) -> Result<u32> {
        let number = self.number(depth, Wanted::Unsigned32)?;
        u32::try_from(number).map_err(|_| self.unfit(Wanted::Unsigned32))
    }

    /// A signed number of 64 bits.
    pub(crate) fn int64(&mut self, depth: u8) -> Result<i64> {
        let number = self.number(depth, Wanted::Signed64)?;
        i64::try_from(number).map_err(|_| self.unfit(Wanted::Signed64))
    }

    /// A number: integers, simple values and bignums; null is 0.
    #[inline]
    fn number(&mut self, depth: u8, wanted: Wanted) -> Result<i128> {
        if self.next_is(kind::UINT) { Ok(i128::from(self.head()?.value)) } else { self.any_number(depth, wanted) }
    }

    fn any_number(&mut self, depth: u8, wanted: Wanted) -> Result<i128> {
        let Bare { head, tag, .. } = self.bare(depth)?;
        match (head.major, tag) {
            (kind::UINT, _) => Ok(i128::from(head.value)),
            (kind::NINT, _) => Ok(!i128::from(head.value)),
            (kind::BYTES, Tag::Bignum { negative }) => {
                let magnitude = self.bignum(head)?.ok_or_else(|| self.unfit(wanted))?;
                Ok(if negative { !i128::from(magnitude) } else { i128::from(magnitude) })
            }
            _ if head.is_null() => Ok(0),
            _ if head.is_simple() => Ok(i128::from(head.value)),
            _ => Err(self.unfit(wanted)),
        }
    }

    /// A bignum; `None` when it needs more than 64 bits.
    fn bignum(&mut self, head: Head) -> Result<Option<u64>> {
        let content = self.string(head)?;
        let mut magnitude = 0u64;
        for byte in content.pieces().flatten() {
            if magnitude >> 56 != 0 {
                return Ok(None);
            }
            magnitude = magnitude << 8 | u64::from(*byte);
        }
        Ok(Some(magnitude))
    }

    /// Bytes, as one string or as a list of numbers. Calls `each` with the pieces, and returns their length;
    /// `None` for null.
    pub(crate) fn raw(&mut self, depth: u8, mut each: impl FnMut(&[u8])) -> Result<Option<usize>> {
        let Bare { head, depth, .. } = self.bare(depth)?;
        match head.major {
            kind::BYTES => {
                let content = self.string(head)?;
                content.pieces().for_each(&mut each);
                Ok(Some(content.len()))
            }
            kind::ARRAY => {
                let mut items = self.open(head, depth)?;
                while self.more(&mut items)? {
                    each(&[self.byte(items.depth)?]);
                }
                Ok(Some(items.len))
            }
            _ if head.is_null() => Ok(None),
            _ => Err(self.unfit(Wanted::Bytes)),
        }
    }
}
