//! Reading a record that was checked before.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::Message;
use crate::{
    Field, Map, Value,
    cbor::{Head, Reader, Result, Str, kind},
    error::Wanted,
    peek::{
        What,
        record::{Seen, container, field, hop, table},
    },
};

pub(super) fn message(bytes: &[u8]) -> Result<Message> {
    let (mut message, mut seen) = (Message::default(), Seen::default());
    container(&mut Reader::new(bytes), 0, kind::MAP, Wanted::Record, |reader, items| match field(reader)? {
        Some(field) if seen.is_first(field.bit()) => message.field(reader, field, items.depth),
        _ => reader.skip(items.depth),
    })?;
    Ok(message)
}

impl Message {
    fn field(&mut self, reader: &mut Reader<'_>, field: Field, depth: u8) -> Result<()> {
        match field {
            Field::Id => self.id = reader.id(depth)?,
            Field::RefId => self.ref_id = reader.id(depth)?,
            Field::SrcId => self.src_id = reader.id(depth)?,
            Field::Trace => {
                self.trace = reader.text_or_null(depth)?.map(|text| text.text().into_owned()).unwrap_or_default();
            }
            Field::Meta => {
                table(reader, depth, What::Texts, |pair| {
                    self.meta.push(pair.key.text().into_owned(), pair.text.text().into_owned());
                })?;
            }
            Field::Data => self.data = data(reader, depth)?,
            Field::Flags => self.flags = reader.uint32(depth)?,
            Field::Raw => {
                let mut raw = Vec::new();
                self.raw = reader.raw(depth, |piece| raw.extend_from_slice(piece))?.map(|_| raw);
            }
            Field::Path => {
                container(reader, depth, kind::ARRAY, Wanted::Hops, |reader, items| {
                    self.path.push(hop(reader, items.depth)?);
                    Ok(())
                })?;
            }
            Field::Ts => self.ts = reader.int64(depth)?,
        }
        Ok(())
    }
}

/// A null key is that of the pair before: see the rules of [`peek`](crate::peek()).
fn data(reader: &mut Reader<'_>, depth: u8) -> Result<Map<String, Value>> {
    let (mut map, mut key) = (Map::new(), Str::EMPTY);
    container(reader, depth, kind::MAP, Wanted::Table, |reader, items| {
        key = reader.text_or_null(items.depth)?.unwrap_or(key);
        map.push(key.text().into_owned(), value(reader, items.depth)?);
        Ok(())
    })?;
    Ok(map)
}

/// A value of any type; tags 55799 in front of it are dropped.
fn value(reader: &mut Reader<'_>, depth: u8) -> Result<Value> {
    let mut head = reader.head()?;
    while head.major == kind::TAG && head.value == 55799 {
        head = reader.head()?;
    }
    value_of(reader, head, depth)
}

fn value_of(reader: &mut Reader<'_>, head: Head, depth: u8) -> Result<Value> {
    Ok(match head.major {
        kind::UINT => Value::Uint(head.value),
        kind::NINT => Value::Nint(head.value),
        kind::BYTES => Value::Bytes(reader.string(head)?.bytes().into_owned()),
        kind::TEXT => Value::Text(reader.text(head)?.text().into_owned()),
        kind::ARRAY => {
            let (mut values, mut items) = (Vec::new(), reader.open(head, depth)?);
            while reader.more(&mut items)? {
                values.push(value(reader, items.depth)?);
            }
            Value::Array(values)
        }
        kind::MAP => {
            let (mut map, mut items) = (Map::new(), reader.open(head, depth)?);
            while reader.more(&mut items)? {
                let key = value(reader, items.depth)?;
                map.push(key, value(reader, items.depth)?);
            }
            Value::Map(map)
        }
        kind::TAG => {
            let inner = reader.head()?;
            Value::Tag(head.value, Box::new(value_of(reader, inner, depth)?))
        }
        _ => plain(head),
    })
}

fn plain(head: Head) -> Value {
    match head.info {
        20 => Value::Bool(false),
        21 => Value::Bool(true),
        22 | 23 => Value::Null,
        25 => Value::Float(half(head.value)),
        26 => Value::Float(f64::from(f32::from_bits(u32::try_from(head.value).unwrap_or(0)))),
        27 => Value::Float(f64::from_bits(head.value)),
        _ => Value::Simple(u8::try_from(head.value).unwrap_or(0)),
    }
}

/// A half float: 1 bit of sign, 5 of exponent, 10 of fraction.
fn half(bits: u64) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 31, bits & 0x3ff);
    let magnitude = match exponent {
        // Below the smallest normal number the fraction counts in steps of 2⁻²⁴.
        0 => {
            return f64::from(u16::try_from(fraction).unwrap_or(0)) / 16_777_216.0 * if sign == 1 { -1.0 } else { 1.0 };
        }
        31 => 0x7ff << 52 | fraction << 42,
        _ => (exponent + 1023 - 15) << 52 | fraction << 42,
    };
    f64::from_bits(sign << 63 | magnitude)
}
