//! The result of an edit: pieces of the old record and what was put between them.

use alloc::vec::Vec;

use crate::{
    Hop, Id,
    cbor::{head, kind},
};

/// A record in pieces, of known total length.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    pub(super) record: &'a [u8],
    /// In the order of the record, none over another.
    pub(super) cuts: Vec<Cut<'a>>,
    pub(super) len: usize,
    pub(super) id: Id,
    pub(super) hops: usize,
}

/// Replaces `start..end` of the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) with: Part<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Slice(&'a [u8]),
    Small(Small),
}

impl Part<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Slice(bytes) => bytes,
            Self::Small(small) => small.bytes.get(..usize::from(small.len)).unwrap_or_default(),
        }
    }
}

/// A few bytes of our own; a pair with a hop is the longest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small {
    bytes: [u8; 62],
    len: u8,
}

impl Small {
    pub(super) const EMPTY: Self = Self { bytes: [0; 62], len: 0 };

    /// What does not fit is left out; nothing of ours is longer.
    #[inline]
    pub(super) fn put(mut self, bytes: &[u8]) -> Self {
        let (start, added) = (usize::from(self.len), u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        if let Some(place) = self.bytes.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += added;
        }
        self
    }

    #[inline]
    pub(super) fn head(self, major: u8, value: u64) -> Self {
        let (bytes, len) = head(major, value);
        self.put(bytes.get(..len).unwrap_or_default())
    }

    #[inline]
    pub(super) fn id(self, id: Id) -> Self {
        match id {
            Id::Uuid(uuid) => self.head(kind::BYTES, 16).put(&uuid.0),
            Id::Number(number) => self.head(kind::UINT, number),
        }
    }

    /// Three pairs, `g`, `p` and `t`.
    #[inline]
    pub(super) fn hop(self, hop: &Hop) -> Self {
        let (major, value) = match u64::try_from(hop.t) {
            Ok(value) => (kind::UINT, value),
            Err(_) => (kind::NINT, (!hop.t).unsigned_abs()),
        };
        self.put(b"\xa3\x61g").id(hop.g).put(b"\x61p").id(hop.p).put(b"\x61t").head(major, value)
    }
}

impl Parts<'_> {
    /// Bytes of all pieces together.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes; a record has at least one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Identity of the record, as it is now.
    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// Hops of the record, as it is now.
    #[must_use]
    pub const fn hops(&self) -> usize {
        self.hops
    }

    /// The pieces, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        let cuts = self.cuts.iter().flat_map(move |cut| {
            let before = self.record.get(at..cut.start).unwrap_or_default();
            at = cut.end;
            [before, cut.with.bytes()]
        });
        let behind = self.cuts.last().map_or(0, |cut| cut.end);
        cuts.chain(self.record.get(behind..)).filter(|piece| !piece.is_empty())
    }

    /// Writes the record into `target`, which must be as long as the record.
    #[must_use]
    pub fn copy_to(&self, target: &mut [u8]) -> bool {
        if target.len() != self.len {
            return false;
        }
        let mut rest = target;
        for piece in self.iter() {
            let Some((to, behind)) = rest.split_at_mut_checked(piece.len()) else { return false };
            to.copy_from_slice(piece);
            rest = behind;
        }
        true
    }

    /// Appends the record to `target`.
    pub fn append_to(&self, target: &mut Vec<u8>) {
        target.reserve(self.len);
        self.iter().for_each(|piece| target.extend_from_slice(piece));
    }

    /// The record in one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len);
        self.append_to(&mut bytes);
        bytes
    }
}
