//! Writing a record as fluxrig writes it: ten pairs in the order of the struct, shortest heads, definite lengths, floats
//! of 64 bits (16 where they are infinite or no number).

use alloc::vec::Vec;

use super::Message;
use crate::{
    Field, Hop, Id, Value,
    cbor::{kind, put_head, put_long_head, put_text},
};

pub(super) fn message(message: &Message, out: &mut Vec<u8>) {
    put_head(out, kind::MAP, 10);
    key(out, Field::Id);
    id(out, message.id);
    key(out, Field::RefId);
    id(out, message.ref_id);
    key(out, Field::Trace);
    put_text(out, &message.trace);
    key(out, Field::SrcId);
    id(out, message.src_id);
    key(out, Field::Meta);
    put_head(out, kind::MAP, message.meta.len());
    for (name, text) in message.meta.iter() {
        put_text(out, name);
        put_text(out, text);
    }
    key(out, Field::Data);
    put_head(out, kind::MAP, message.data.len());
    for (name, inner) in message.data.iter() {
        put_text(out, name);
        value(out, inner);
    }
    key(out, Field::Flags);
    put_long_head(out, kind::UINT, u64::from(message.flags));
    key(out, Field::Raw);
    match &message.raw {
        Some(raw) => bytes(out, raw),
        None => out.push(NULL),
    }
    key(out, Field::Path);
    put_head(out, kind::ARRAY, message.path.len());
    message.path.iter().for_each(|step| hop(out, step));
    key(out, Field::Ts);
    int64(out, message.ts);
}

const NULL: u8 = 0xf6;

fn key(out: &mut Vec<u8>, field: Field) {
    put_text(out, field.name());
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, kind::BYTES, bytes.len());
    out.extend_from_slice(bytes);
}

fn id(out: &mut Vec<u8>, id: Id) {
    match id {
        Id::Uuid(uuid) => bytes(out, &uuid.0),
        Id::Number(number) => put_long_head(out, kind::UINT, number),
    }
}

fn int64(out: &mut Vec<u8>, number: i64) {
    match u64::try_from(number) {
        Ok(number) => put_long_head(out, kind::UINT, number),
        Err(_) => put_long_head(out, kind::NINT, (!number).unsigned_abs()),
    }
}

/// The library shortens what is no number or infinite, and nothing else.
fn float(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.extend([0xf9, 0x7e, 0x00]);
    } else if number.is_infinite() {
        out.extend([0xf9, if number > 0.0 { 0x7c } else { 0xfc }, 0x00]);
    } else {
        out.push(0xfb);
        out.extend(number.to_bits().to_be_bytes());
    }
}

fn hop(out: &mut Vec<u8>, hop: &Hop) {
    put_head(out, kind::MAP, 3);
    put_text(out, "g");
    id(out, hop.g);
    put_text(out, "p");
    id(out, hop.p);
    put_text(out, "t");
    int64(out, hop.t);
}

fn value(out: &mut Vec<u8>, inner: &Value) {
    match inner {
        Value::Null => out.push(NULL),
        Value::Bool(truth) => out.push(if *truth { 0xf5 } else { 0xf4 }),
        Value::Uint(number) => put_long_head(out, kind::UINT, *number),
        Value::Nint(number) => put_long_head(out, kind::NINT, *number),
        Value::Float(number) => float(out, *number),
        Value::Bytes(content) => bytes(out, content),
        Value::Text(text) => put_text(out, text),
        Value::Array(items) => {
            put_head(out, kind::ARRAY, items.len());
            for item in items {
                value(out, item);
            }
        }
        Value::Map(map) => {
            put_head(out, kind::MAP, map.len());
            for (key, item) in map.iter() {
                value(out, key);
                value(out, item);
            }
        }
        Value::Tag(number, content) => {
            put_long_head(out, kind::TAG, *number);
            value(out, content);
        }
        Value::Simple(number) => put_long_head(out, kind::OTHER, u64::from(*number)),
    }
}
