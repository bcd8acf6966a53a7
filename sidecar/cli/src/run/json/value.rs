//! Values of `data` as JSON, with the spellings that the parent module lists.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use gear_abi::{Map, Value};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

use super::pushed;

/// A value to be written.
pub(super) struct ValRef<'a>(pub(super) &'a Value);

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

/// A value that was read.
pub(super) struct Val(pub(super) Value);

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
