//! A whole message, for guests and tools.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{FLAG_PROBE, Hop, Id, Limits, Malformed, Map, Value};

mod decode;
mod encode;

/// A whole message. What fluxrig calls nil and empty is the same here, except for `raw`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// Identity of the message.
    pub id: Id,
    /// Parent or correlation.
    pub ref_id: Id,
    /// Trace id, hexadecimal.
    pub trace: String,
    /// Originator.
    pub src_id: Id,
    /// Text to text.
    pub meta: Map<String, String>,
    /// The business data.
    pub data: Map<String, Value>,
    /// Bit 0 marks a probe.
    pub flags: u32,
    /// Original wire bytes.
    pub raw: Option<Vec<u8>>,
    /// Where the message passed.
    pub path: Vec<Hop>,
    /// Creation, Unix nanoseconds.
    pub ts: i64,
}

/// A name on the way to a nested value that is no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAMap(pub String);

impl fmt::Display for NotAMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in data is not a map, so nothing can be set inside of it", self.0)
    }
}

impl core::error::Error for NotAMap {}

impl Message {
    /// Reads one record. Refuses what [`peek`](crate::peek()) refuses, before anything is allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::decode_with(bytes, &Limits::default())
    }

    /// Reads one record under other limits than fluxrig's default.
    pub fn decode_with(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        crate::peek(bytes, limits)?;
        Ok(decode::message(bytes)?)
    }

    /// Writes the record: always ten pairs, in the order and the forms in which fluxrig writes them. `meta` and `data`
    /// keep the order of this message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the record to `out`; several of them make a CBOR sequence.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        encode::message(self, out);
    }

    /// Whether this is a handshake probe of fluxrig and no business data.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.flags & FLAG_PROBE != 0
    }

    /// A value of `data`. Dots lead into nested maps, as in fluxrig: `amount.transaction`; a key that holds a dot is
    /// not found.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut names = name.split('.');
        let first = self.data.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// A value of `data`, to change; see [`Message::get`].
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let mut names = name.split('.');
        let first = self.data.get_mut(names.next()?)?;
        names.try_fold(first, |value, name| value.get_mut(name))
    }

    /// Sets a value of `data`, making the maps on the way to it; see [`Message::get`].
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> Result<(), NotAMap> {
        let Some((first, rest)) = name.split_once('.') else {
            self.data.insert(name, value);
            return Ok(());
        };
        if self.data.get(first).is_none() {
            self.data.insert(first, Value::Map(Map::new()));
        }
        match self.data.get_mut(first) {
            Some(inner) => set_inside(inner, first, rest, value.into()),
            None => Ok(()),
        }
    }
}

fn set_inside(outer: &mut Value, at: &str, name: &str, value: Value) -> Result<(), NotAMap> {
    let Value::Map(map) = outer else { return Err(NotAMap(at.into())) };
    let Some((first, rest)) = name.split_once('.') else {
        map.insert(name, value);
        return Ok(());
    };
    let key = Value::from(first);
    if map.get(&key).is_none() {
        map.insert(first, Value::Map(Map::new()));
    }
    match map.get_mut(&key) {
        Some(inner) => set_inside(inner, first, rest, value),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
