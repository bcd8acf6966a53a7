//! The content of a string, in one piece or in several.

use alloc::{borrow::Cow, vec::Vec};

use super::{Reader, kind};

/// The content of a byte string or a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Str<'a> {
    /// In one piece.
    Whole(&'a [u8]),
    /// The chunks of an indefinite string, heads included, checked before.
    Chunks {
        /// From the first chunk to before the break code.
        items: &'a [u8],
        /// Bytes of content.
        len: usize,
    },
}

impl<'a> Str<'a> {
    pub(crate) const EMPTY: Self = Self::Whole(&[]);

    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Chunks { len, .. } => len,
        }
    }

    pub(crate) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let (mut whole, mut chunks) = match self {
            Self::Whole(bytes) => (Some(bytes), Reader::new(&[])),
            Self::Chunks { items, .. } => (None, Reader::new(items)),
        };
        core::iter::from_fn(move || {
            whole.take().or_else(|| {
                let head = chunks.head().ok().filter(|head| matches!(head.major, kind::BYTES | kind::TEXT))?;
                chunks.take(head.value).ok()
            })
        })
    }

    #[inline]
    pub(crate) fn is(self, wanted: &[u8]) -> bool {
        match self {
            Self::Whole(bytes) => bytes == wanted,
            Self::Chunks { len, .. } => len == wanted.len() && self.pieces().flatten().eq(wanted),
        }
    }

    pub(crate) fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            Self::Whole(bytes) => Cow::Borrowed(bytes),
            Self::Chunks { len, .. } => {
                let mut joined = Vec::with_capacity(len);
                self.pieces().for_each(|piece| joined.extend_from_slice(piece));
                Cow::Owned(joined)
            }
        }
    }

    /// The text. Only for strings that came from [`Reader::text`], which checked each piece.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => Cow::Borrowed(core::str::from_utf8(bytes).unwrap_or_default()),
            Cow::Owned(bytes) => Cow::Owned(alloc::string::String::from_utf8(bytes).unwrap_or_default()),
        }
    }

    /// The content in `buffer`, if it fits.
    pub(crate) fn copied(self, buffer: &mut [u8]) -> Option<&[u8]> {
        let target = buffer.get_mut(..self.len())?;
        for (to, from) in target.iter_mut().zip(self.pieces().flatten()) {
            *to = *from;
        }
        Some(target)
    }
}
