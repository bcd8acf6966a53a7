//! A fluxMsg as one JSON object, for `--format jsonl`.
//!
//! Fields have their names of the wire. Ids are UUID text, or numbers of old versions; `raw` is base64 or null. Values of
//! `data` are JSON where JSON has them; the rest is an object with one key that begins with a dollar sign:
//! `{"$bytes": "<base64>"}`, `{"$tag": [n, value]}`, `{"$map": [[key, value], …]}` (keys that are no text, or a lone key that
//! begins with a dollar sign), `{"$float": "NaN"}`, `{"$negative": "<n>"}` (−1 − n, beyond 64 bits signed), `{"$simple": n}`.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use gear_abi::{Hop, Id, Map, Message, Value};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};

mod value;

use value::{Val, ValRef};

/// A message as JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Json(pub(super) Message);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Message { id, ref_id, trace, src_id, meta, data, flags, raw, path, ts } = &self.0;
        let mut map = s.serialize_map(Some(10))?;
        map.serialize_entry("id", &Ident(*id))?;
        map.serialize_entry("ref_id", &Ident(*ref_id))?;
        map.serialize_entry("trace", trace)?;
        map.serialize_entry("src_id", &Ident(*src_id))?;
        map.serialize_entry("meta", &Texts(meta))?;
        map.serialize_entry("data", &Data(data))?;
        map.serialize_entry("flags", flags)?;
        map.serialize_entry("raw", &raw.as_ref().map(|raw| STANDARD.encode(raw)))?;
        map.serialize_entry("path", &path.iter().copied().map(HopJson::from).collect::<Vec<_>>())?;
        map.serialize_entry("ts", ts)?;
        map.end()
    }
}

/// What is read: every field may be left out, no other may be there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Fields {
    id: Ident,
    ref_id: Ident,
    trace: String,
    src_id: Ident,
    meta: Pairs<String>,
    data: Pairs<Val>,
    flags: u32,
    raw: Option<String>,
    path: Vec<HopJson>,
    ts: i64,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Fields { id, ref_id, trace, src_id, meta, data, flags, raw, path, ts } = Fields::deserialize(d)?;
        let raw = raw.map(|text| STANDARD.decode(text)).transpose();
        let raw = raw.map_err(|error| D::Error::custom(format!("raw: {error}; base64 is expected")))?;
        let data = data.0.into_iter().map(|(key, Val(value))| (key, value)).fold(Map::new(), pushed);
        let meta = meta.0.into_iter().fold(Map::new(), pushed);
        let path = path.into_iter().map(Hop::from).collect();
        Ok(Self(Message { id: id.0, ref_id: ref_id.0, trace, src_id: src_id.0, meta, data, flags, raw, path, ts }))
    }
}

fn pushed<K, V>(mut map: Map<K, V>, (key, value): (K, V)) -> Map<K, V> {
    map.push(key, value);
    map
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HopJson {
    g: Ident,
    p: Ident,
    t: i64,
}

impl From<Hop> for HopJson {
    fn from(hop: Hop) -> Self {
        Self { g: Ident(hop.g), p: Ident(hop.p), t: hop.t }
    }
}

impl From<HopJson> for Hop {
    fn from(hop: HopJson) -> Self {
        Self { g: hop.g.0, p: hop.p.0, t: hop.t }
    }
}

#[derive(Default)]
struct Ident(Id);

impl Serialize for Ident {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Id::Uuid(uuid) => s.collect_str(&uuid),
            Id::Number(number) => s.serialize_u64(number),
        }
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(d).map_err(|_| D::Error::custom("an id is a UUID text or a number"))? {
            Form::Number(number) => Ok(Self(Id::Number(number))),
            Form::Text(text) => {
                let uuid = text.parse::<gear_abi::Uuid>();
                uuid.map(|uuid| Self(uuid.into())).map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
            }
        }
    }
}

/// Text to text; of a key that comes twice the last one counts.
struct Texts<'a>(&'a Map<String, String>);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(counting(self.0))
    }
}

struct Data<'a>(&'a Map<String, Value>);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(counting(self.0).map(|(key, value)| (key, ValRef(value))))
    }
}

/// The pairs that count, in order.
fn counting<V>(map: &Map<String, V>) -> impl Iterator<Item = (&String, &V)> {
    map.iter().filter(|(key, value)| map.get(key.as_str()).is_some_and(|last| std::ptr::eq(last, *value)))
}

/// Pairs in the order in which they were written.
struct Pairs<V>(Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct InOrder<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for InOrder<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_map(InOrder(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests;
