//! The ten fields of a record, in the order in which they are written.

use core::fmt;

/// A field of a fluxMsg record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// `id`: identity of the message.
    Id,
    /// `ref_id`: parent or correlation.
    RefId,
    /// `trace`: trace id, hexadecimal.
    Trace,
    /// `src_id`: originator.
    SrcId,
    /// `meta`: text to text.
    Meta,
    /// `data`: the business data.
    Data,
    /// `flags`: bit 0 marks a probe.
    Flags,
    /// `raw`: original wire bytes.
    Raw,
    /// `path`: the hops.
    Path,
    /// `ts`: creation, Unix nanoseconds.
    Ts,
}

/// All fields, in the order in which they are written.
const ALL: [Field; 10] = [
    Field::Id,
    Field::RefId,
    Field::Trace,
    Field::SrcId,
    Field::Meta,
    Field::Data,
    Field::Flags,
    Field::Raw,
    Field::Path,
    Field::Ts,
];

impl Field {
    /// The key, as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::RefId => "ref_id",
            Self::Trace => "trace",
            Self::SrcId => "src_id",
            Self::Meta => "meta",
            Self::Data => "data",
            Self::Flags => "flags",
            Self::Raw => "raw",
            Self::Path => "path",
            Self::Ts => "ts",
        }
    }

    /// The field that a key means: the exact name, else the name in other letter case.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"id" => Self::Id,
            b"ref_id" => Self::RefId,
            b"trace" => Self::Trace,
            b"src_id" => Self::SrcId,
            b"meta" => Self::Meta,
            b"data" => Self::Data,
            b"flags" => Self::Flags,
            b"raw" => Self::Raw,
            b"path" => Self::Path,
            b"ts" => Self::Ts,
            // The library folds letters over all of Unicode, but only between keys of equal length in bytes: what is
            // left of that for names made of ASCII is ASCII.
            _ => return ALL.into_iter().find(|field| key.eq_ignore_ascii_case(field.name().as_bytes())),
        })
    }

    /// A bit of its own, for sets of fields.
    pub(crate) const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
