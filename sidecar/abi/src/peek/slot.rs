//! Where a container of a record is, so that it can be edited in place.

use core::ops::Range;

use crate::cbor::{Head, Items, Reader};

/// A place for a container.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Slot {
    /// The key is not there.
    #[default]
    Missing,
    /// Null or undefined: one byte.
    Null {
        at: usize,
        /// Depth around it.
        depth: u8,
    },
    /// An array or a map.
    Here(Container),
}

/// An array or a map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container {
    /// First byte of the head.
    pub(crate) start: usize,
    /// First byte behind the head.
    pub(crate) body: usize,
    /// Where one more element goes: behind the last one, in front of the break code.
    pub(crate) end: usize,
    /// Elements or pairs.
    pub(crate) len: usize,
    pub(crate) definite: bool,
    /// Depth of what lies in it.
    pub(crate) depth: u8,
}

impl Slot {
    /// Of null, read just now.
    pub(crate) fn null(reader: &Reader<'_>, depth: u8) -> Self {
        Self::Null { at: reader.at().saturating_sub(1), depth }
    }

    pub(crate) const fn start(&self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Null { at, .. } => *at,
            Self::Here(container) => container.start,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Here(container) => container.len,
            _ => 0,
        }
    }

    pub(crate) fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Missing => None,
            Self::Null { at, .. } => Some(*at..at + 1),
            Self::Here(container) => Some(container.start..container.end + usize::from(!container.definite)),
        }
    }
}

impl Container {
    /// Of a container whose last byte was read just now.
    pub(crate) fn closed(start: usize, body: usize, head: Head, items: &Items, reader: &Reader<'_>) -> Self {
        let definite = head.is_definite();
        let end = reader.at() - usize::from(!definite);
        Self { start, body, end, len: items.len, definite, depth: items.depth }
    }
}
