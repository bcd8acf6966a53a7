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
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

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

struct ValRef<'a>(&'a Value);

impl Serialize for ValRef<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => s.serialize_unit(),
            Value::Bool(value) => s.serialize_bool(*value),
            Value::Uint(value) => s.serialize_u64(*value),
            Value::Nint(n) => match self.0.as_i64() {
                Some(value) => s.serialize_i64(value),
                None => special(s, "$negative", &n.to_string()),
            },
            Value::Float(value) if value.is_finite() => s.serialize_f64(*value),
            Value::Float(value) => special(s, "$float", &value.to_string()),
            Value::Bytes(bytes) => special(s, "$bytes", &STANDARD.encode(bytes)),
            Value::Text(text) => s.serialize_str(text),
            Value::Array(items) => s.collect_seq(items.iter().map(ValRef)),
            Value::Map(map) => serialize_map(s, map),
            Value::Tag(tag, value) => special(s, "$tag", &(tag, ValRef(value))),
            Value::Simple(n) => special(s, "$simple", n),
        }
    }
}

fn special<S: Serializer>(s: S, key: &str, value: &(impl Serialize + ?Sized)) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

fn serialize_map<S: Serializer>(s: S, map: &Map<Value, Value>) -> Result<S::Ok, S::Error> {
    let texts: Option<Vec<(&str, &Value)>> = map.iter().map(|(key, value)| Some((key.as_str()?, value))).collect();
    let plain = |pairs: &Vec<(&str, &Value)>| !matches!(pairs[..], [(key, _)] if key.starts_with('$'));
    match texts.filter(plain) {
        Some(pairs) => s.collect_map(pairs.into_iter().map(|(key, value)| (key, ValRef(value)))),
        None => special(s, "$map", &MapRef(map)),
    }
}

struct MapRef<'a>(&'a Map<Value, Value>);

impl Serialize for MapRef<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut pairs = s.serialize_seq(Some(self.0.len()))?;
        for (key, value) in self.0.iter() {
            pairs.serialize_element(&(ValRef(key), ValRef(value)))?;
        }
        pairs.end()
    }
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

struct Val(Value);

impl<'de> Deserialize<'de> for Val {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Uint(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Val(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, Val(value))) = map.next_entry::<String, Val>()? {
            pairs.push((key, value));
        }
        match <[(String, Value); 1]>::try_from(pairs) {
            Ok([(key, value)]) if key.starts_with('$') => spelled(&key, value).map_err(A::Error::custom),
            Ok(pairs) => {
                Ok(Value::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).fold(Map::new(), pushed)))
            }
            Err(pairs) => {
                Ok(Value::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).fold(Map::new(), pushed)))
            }
        }
    }
}

/// The value that an object with one dollar key spells.
fn spelled(key: &str, value: Value) -> Result<Value, String> {
    let wrong = |expected: &str| Err(format!("{key}: {expected} is expected"));
    match (key, value) {
        ("$bytes", Value::Text(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(Value::Bytes(bytes)),
            Err(_) => wrong("base64"),
        },
        ("$float", Value::Text(text)) => text.parse().map(Value::Float).or_else(|_| wrong("NaN, inf or -inf")),
        ("$negative", Value::Text(text)) => text.parse().map(Value::Nint).or_else(|_| wrong("a whole number as text")),
        ("$simple", Value::Uint(n)) => match u8::try_from(n) {
            Ok(n @ (0..20 | 32..)) => Ok(Value::Simple(n)),
            _ => wrong("0 to 19 or 32 to 255"),
        },
        ("$tag", Value::Array(items)) => match <[Value; 2]>::try_from(items) {
            Ok([Value::Uint(tag), value]) => Ok(Value::Tag(tag, Box::new(value))),
            _ => wrong("[number, value]"),
        },
        ("$map", Value::Array(items)) => {
            let mut map = Map::new();
            for item in items {
                match item {
                    Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                        Ok([key, value]) => map.push(key, value),
                        Err(_) => return wrong("a list of [key, value]"),
                    },
                    _ => return wrong("a list of [key, value]"),
                }
            }
            Ok(Value::Map(map))
        }
        ("$bytes" | "$float" | "$negative" | "$simple" | "$tag" | "$map", _) => wrong("another type of value"),
        _ => Err(format!("{key} is unknown; a lone key with a dollar sign is written as {{\"$map\": [[{key:?}, …]]}}")),
    }
}

#[cfg(test)]
mod tests;
