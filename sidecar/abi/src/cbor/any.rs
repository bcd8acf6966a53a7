//! Values of any type: what lies in `data`.

use super::{
    Head, Reader, Result, kind,
    typed::{Bare, Tag},
};
use crate::error::Wanted;

/// What a value turned out to be, as far as it matters for what is around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A text or a byte string of this length, without a tag.
    String(usize),
    /// An array, a map or a number beyond 64 bits: can't be a key.
    NoKey,
    /// Anything else.
    Plain,
}

impl Reader<'_> {
    /// Checks one value of any type.
    #[inline]
    pub(crate) fn any(&mut self, depth: u8) -> Result<Class> {
        match self.short_text() {
            Some(content) => Ok(Class::String(content.len())),
            None => self.any_value(depth),
        }
    }

    fn any_value(&mut self, depth: u8) -> Result<Class> {
        let Bare { head, tag, depth, .. } = self.bare(depth)?;
        let class = match head.major {
            kind::NINT if i64::try_from(head.value).is_err() => Class::NoKey,
            kind::BYTES => Class::String(self.string(head)?.len()),
            kind::TEXT if tag == Tag::Time => return self.time_text(head).map(|()| Class::Plain),
            kind::TEXT => Class::String(self.text(head)?.len()),
            kind::ARRAY | kind::MAP => {
                self.any_container(head, depth)?;
                Class::NoKey
            }
            _ => Class::Plain,
        };
        match (tag, class) {
            (Tag::Bignum { .. }, _) => Ok(Class::NoKey),
            (Tag::Time, _) => self.time_number(head).map(|()| Class::Plain),
            (Tag::Other, Class::String(_)) => Ok(Class::Plain),
            (Tag::None | Tag::Other, class) => Ok(class),
        }
    }

    fn any_container(&mut self, head: Head, depth: u8) -> Result<()> {
        let mut items = self.open(head, depth)?;
        while self.more(&mut items)? {
            let first = self.any(items.depth)?;
            if head.major == kind::MAP {
                if first == Class::NoKey {
                    return Err(self.unfit(Wanted::MapKey));
                }
                self.any(items.depth)?;
            }
        }
        Ok(())
    }
}
