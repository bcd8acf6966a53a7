//! A message in the form that the Go oracle gives it too (`e2e/oracle/fluxmsg/canonical.go`).

use std::fmt::Write as _;

use gear_abi::{Hop, Id, Map, Message, Value};
use serde_json::json;

pub(crate) fn message(message: &Message) -> serde_json::Value {
    json!({
        "id": id(message.id),
        "ref_id": id(message.ref_id),
        "trace": text(&message.trace),
        "src_id": id(message.src_id),
        "meta": table(message.meta.iter().map(|(key, value)| (text(key), text(value)))),
        "data": table(message.data.iter().map(|(key, inner)| (text(key), value(inner)))),
        "flags": message.flags.to_string(),
        "raw": message.raw.as_deref().map(bytes),
        "path": message.path.iter().map(hop).collect::<Vec<_>>(),
        "ts": message.ts.to_string(),
    })
}

fn hop(hop: &Hop) -> [String; 3] {
    [id(hop.g), id(hop.p), hop.t.to_string()]
}

fn id(id: Id) -> String {
    match id {
        Id::Uuid(uuid) => hex(&uuid.0),
        Id::Number(number) => panic!("the library reads no number {number} for an identity"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn text(text: &str) -> String {
    format!("s{}", hex(text.as_bytes()))
}

fn bytes(content: &[u8]) -> String {
    format!("b{}", hex(content))
}

fn value(inner: &Value) -> String {
    match inner {
        Value::Null => "n".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Uint(number) => format!("i{number:x}"),
        Value::Nint(number) => format!("i-{:x}", u128::from(*number) + 1),
        Value::Float(number) if number.is_nan() => "dnan".into(),
        Value::Float(number) if *number == 0.0 => "d0".into(),
        Value::Float(number) => format!("d{:x}", number.to_bits()),
        Value::Bytes(content) => bytes(content),
        Value::Text(content) => text(content),
        Value::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(",")),
        Value::Map(map) => map_of_any(map),
        Value::Tag(0 | 1, _) => "T".into(),
        Value::Tag(number @ (2 | 3), content) => bignum(*number == 3, content.as_bytes().unwrap()),
        Value::Tag(number, content) => format!("g{number}({})", value(content)),
        Value::Simple(number) => format!("v{number}"),
    }
}

/// The number that the magnitude stands for; negative ones are one further from zero.
fn bignum(negative: bool, magnitude: &[u8]) -> String {
    let mut digits = magnitude.to_vec();
    if negative {
        digits.insert(0, 0);
        for digit in digits.iter_mut().rev() {
            *digit = digit.wrapping_add(1);
            if *digit != 0 {
                break;
            }
        }
    }
    let digits = hex(&digits);
    match digits.trim_start_matches('0') {
        "" => "i0".into(),
        digits => format!("i{}{digits}", if negative { "-" } else { "" }),
    }
}

fn map_of_any(map: &Map<Value, Value>) -> String {
    table(map.iter().map(|(key, inner)| (value(key), value(inner))))
}

/// Of equal keys the last counts; what is no number equals nothing.
fn table(pairs: impl Iterator<Item = (String, String)>) -> String {
    let mut entries: Vec<(String, String)> = Vec::new();
    for (key, value) in pairs {
        if !key.contains("dnan") {
            entries.retain(|(earlier, _)| *earlier != key);
        }
        entries.push((key, value));
    }
    let mut entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    entries.sort();
    format!("{{{}}}", entries.join(","))
}
