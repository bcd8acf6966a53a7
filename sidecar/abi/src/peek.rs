//! One walk over a record: is it a fluxMsg, and where are the parts that the host needs?
//!
//! Rules, each as fluxrig's library has it:
//!
//! 1. Of a field that comes twice, in whatever letter case, the first counts; of an entry of `meta` or `data`, the last.
//! 2. A null field is as good as a missing one. A null key or value inside `meta` takes what the pair before it had,
//!    because the library reads every pair into the same two variables.
//! 3. A record may be null as a whole: all fields are then zero.
//! 4. `Validate()` of fluxrig is part of the verdict: hops, and the payload as it counts it.

use alloc::{borrow::Cow, collections::BTreeMap};
use core::ops::Range;

use crate::{
    FLAG_PROBE, Field, Id, Malformed, Why,
    cbor::{Reader, Str},
    error::Fault,
};
use What::{Anything, Texts};

pub(crate) mod record;
mod slot;
mod table;

pub(crate) use slot::{Container, Slot};
pub(crate) use table::{Pairs, What};

/// Bounds of a record, those of fluxrig by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Hops in `path` (`rack.max_hops`).
    pub hops: usize,
    /// Bytes of `raw`, of all of `meta`, of the keys of `data` and of the texts and byte strings right under them
    /// (`rack.max_payload_size`).
    pub payload: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hops: 64, payload: 2 << 20 }
    }
}

/// A record that was checked, and where its parts are.
#[derive(Debug, Clone, Copy)]
pub struct Peek<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) id: Id,
    pub(crate) flags: u32,
    pub(crate) payload: u64,
    pub(crate) numeric_ids: bool,
    pub(crate) known: Known<'a>,
    /// The record itself.
    pub(crate) top: Slot,
    /// From the first to behind the last byte of the value of `id`.
    pub(crate) id_at: Option<(usize, usize)>,
    pub(crate) meta: Slot,
    pub(crate) data: Slot,
    pub(crate) path: Slot,
}

/// Entries of `meta` that the host reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) traceparent: Option<Str<'a>>,
    pub(crate) tracestate: Option<Str<'a>>,
    pub(crate) baggage: Option<Str<'a>>,
    pub(crate) port: Option<Str<'a>>,
}

impl<'a> Known<'a> {
    pub(crate) fn slot(&mut self, key: Str<'_>) -> Option<&mut Option<Str<'a>>> {
        match key.len() {
            11 if key.is(b"traceparent") => Some(&mut self.traceparent),
            10 if key.is(b"tracestate") => Some(&mut self.tracestate),
            7 if key.is(b"baggage") => Some(&mut self.baggage),
            9 if key.is(PORT_KEY.as_bytes()) => Some(&mut self.port),
            _ => None,
        }
    }
}

/// Key of `meta` by which a guest picks the output port; the host removes it.
pub(crate) const PORT_KEY: &str = "flux.port";

/// Checks one record: `bytes` hold it and nothing else.
pub fn peek<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Peek<'a>, Malformed> {
    let found = first(bytes, limits)?;
    if found.bytes.len() == bytes.len() { Ok(found) } else { Err(Fault::new(found.bytes.len(), Why::Trailing).into()) }
}

/// Checks the record at the beginning of `bytes`.
pub(crate) fn first<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Peek<'a>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut found = record::read(&mut reader)?;
    found.bytes = reader.since(0);
    let hops = found.hops();
    if hops > limits.hops {
        let fault = Fault::new(found.path.start(), Why::TooManyHops).within(Field::Path);
        return Err(fault.numbers(hops as u64, limits.hops as u64));
    }
    if found.payload > limits.payload {
        found.payload = found.exact_payload()?;
    }
    if found.payload > limits.payload {
        return Err(Fault::new(0, Why::TooLarge).numbers(found.payload, limits.payload));
    }
    Ok(found)
}

/// Takes a CBOR sequence (RFC 8742) of records apart. Ends at the first record that is refused.
pub fn records<'a>(bytes: &'a [u8], limits: &Limits) -> Records<'a> {
    Records { bytes, at: 0, limits: *limits }
}

/// The records of a CBOR sequence.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Peek<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let found = first(rest, &self.limits).map_err(|error| error.shifted(self.at));
        self.at = found.as_ref().map_or(self.bytes.len(), |found| self.at + found.bytes.len());
        Some(found)
    }
}

// === impl Peek ===

impl<'a> Peek<'a> {
    /// The record.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Identity of the message.
    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// The flags, see [`FLAG_PROBE`].
    #[must_use]
    pub const fn flags(&self) -> u32 {
        self.flags
    }

    /// Whether this is a handshake probe of fluxrig and no business data.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.flags & FLAG_PROBE != 0
    }

    /// Hops in `path`.
    #[must_use]
    pub const fn hops(&self) -> usize {
        self.path.len()
    }

    /// Payload in bytes, as [`Limits::payload`] counts it. Entries of `meta` and `data` that a later one replaces are
    /// counted with it, unless that alone would break the limit.
    #[must_use]
    pub const fn payload(&self) -> u64 {
        self.payload
    }

    /// Whether some identity in the record is a number, as written by fluxrig up to v0.4.5; racks since v0.5 refuse it.
    #[must_use]
    pub const fn has_numeric_ids(&self) -> bool {
        self.numeric_ids
    }

    /// W3C `traceparent` in `meta`.
    #[must_use]
    pub fn traceparent(&self) -> Option<Cow<'a, str>> {
        self.known.traceparent.map(Str::text)
    }

    /// W3C `tracestate` in `meta`.
    #[must_use]
    pub fn tracestate(&self) -> Option<Cow<'a, str>> {
        self.known.tracestate.map(Str::text)
    }

    /// W3C `baggage` in `meta`.
    #[must_use]
    pub fn baggage(&self) -> Option<Cow<'a, str>> {
        self.known.baggage.map(Str::text)
    }

    /// The port that a guest picked: `flux.port` in `meta`.
    #[must_use]
    pub fn port(&self) -> Option<Cow<'a, str>> {
        self.known.port.map(Str::text)
    }

    /// Where the value of `path` is, without tags in front; `None` when it is missing.
    #[must_use]
    pub fn path_range(&self) -> Option<Range<usize>> {
        self.path.range()
    }

    /// Where the value of `meta` is, without tags in front; `None` when it is missing.
    #[must_use]
    pub fn meta_range(&self) -> Option<Range<usize>> {
        self.meta.range()
    }

    /// Where the value of `id` is, tags included; `None` when it is missing.
    #[must_use]
    pub fn id_range(&self) -> Option<Range<usize>> {
        self.id_at.map(|(start, end)| start..end)
    }

    /// Payload without what later entries replace. Only asked when the quick sum is above the limit: it needs a table
    /// of all keys.
    fn exact_payload(&self) -> Result<u64, Fault> {
        let (mut counted, mut entries) = (self.payload, BTreeMap::new());
        let tables = [(0u8, Pairs::of(self.bytes, self.meta, Texts)), (1, Pairs::of(self.bytes, self.data, Anything))];
        for (table, mut pairs) in tables {
            while pairs.advance()? {
                let replaced = entries.insert((table, pairs.key.bytes()), pairs.size);
                counted -= replaced.unwrap_or(0);
            }
        }
        Ok(counted)
    }
}

#[cfg(test)]
mod tests;
