//! Changing a record without writing it anew.
//!
//! 1. What is not edited stays as it is, byte for byte: order, forms, unknown keys, duplicates.
//! 2. The edited field is the one that counts (see [`peek()`](crate::peek())), whatever its letter case.
//! 3. What is added goes behind the last pair, hop or entry; a head that counts grows with it, an indefinite one stays.
//! 4. An entry of `meta` that is set replaces all of that name. A null value that stood for the value of a removed entry
//!    gets that value spelled out, so that it still means the same.
//! 5. The result is a valid record again, or there is an error: nothing grows over a limit.

use core::fmt;

use crate::{Hop, Limits, MAX_DEPTH, Peek, Uuid, peek::peek};

mod edit;
mod parts;

pub use parts::Parts;

/// What to change in a record.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    hop: Hop,
    id: Option<Uuid>,
    set: &'a [(&'a str, &'a str)],
    drop_port: bool,
}

impl<'a> Edit<'a> {
    /// Appends a hop.
    #[must_use]
    pub const fn hop(hop: Hop) -> Self {
        Self { hop, id: None, set: &[], drop_port: false }
    }

    /// Also gives the record this identity.
    #[must_use]
    pub const fn with_id(self, id: Uuid) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Also sets these entries of `meta`.
    #[must_use]
    pub const fn with_meta(self, entries: &'a [(&'a str, &'a str)]) -> Self {
        Self { set: entries, ..self }
    }

    /// Also removes `flux.port` from `meta`.
    #[must_use]
    pub const fn without_port(self) -> Self {
        Self { drop_port: true, ..self }
    }
}

/// A record that has no room for an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// `path` is full.
    Hops {
        /// Hops allowed.
        limit: usize,
    },
    /// The payload would be too large.
    Payload {
        /// Bytes allowed.
        limit: u64,
    },
    /// So many tags are in front of a field that nothing fits into it any more.
    Depth,
    /// A map is full.
    Elements,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hops { limit } => write!(f, "field path has no room for a hop: at most {limit} are allowed"),
            Self::Payload { limit } => {
                write!(f, "field meta has no room for an entry: at most {limit} bytes of payload are allowed")
            }
            Self::Depth => write!(f, "no room for a hop: the record is nested up to the limit of {MAX_DEPTH} levels"),
            Self::Elements => write!(f, "no room for a pair: at most {} are allowed", crate::MAX_ELEMENTS),
        }
    }
}

impl core::error::Error for NoRoom {}

/// Edits a record; the result borrows from it.
pub fn splice<'a>(record: &Peek<'a>, edit: &Edit<'a>, limits: &Limits) -> Result<Parts<'a>, NoRoom> {
    let hops = record.hops() + 1;
    if hops > limits.hops {
        return Err(NoRoom::Hops { limit: limits.hops });
    }
    let mut cuts = edit::Cuts::new(record);
    cuts.id(edit);
    cuts.meta(edit)?;
    cuts.path(edit)?;
    cuts.top(edit)?;
    let parts = cuts.into_parts(edit.id.map_or(record.id, Into::into), hops);

    // Taking every added byte for new is quick and nearly always enough.
    let added = edit.set.iter().map(|(key, value)| key.len() as u64 + value.len() as u64);
    let fits = record.payload.saturating_add(added.sum()) <= limits.payload;
    if fits || edit.set.is_empty() || peek(&parts.to_vec(), limits).is_ok() {
        Ok(parts)
    } else {
        Err(NoRoom::Payload { limit: limits.payload })
    }
}

#[cfg(test)]
mod tests;
