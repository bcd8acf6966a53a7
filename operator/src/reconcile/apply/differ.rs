//! Is what the server has what was sent? Only what was sent is compared: defaults and the fields of others are theirs.

use serde_json::{Map, Value};

/// The part of `live` that `sent` speaks of, in the same shape. Lists of equal length are compared item by item; a list
/// of another length is taken as it is.
pub(super) fn project(sent: &Value, live: &Value) -> Value {
    match (sent, live) {
        (Value::Object(sent), Value::Object(live)) => {
            let part = sent.iter().filter_map(|(key, value)| Some((key.clone(), project(value, live.get(key)?))));
            Value::Object(part.collect::<Map<_, _>>())
        }
        (Value::Array(sent), Value::Array(live)) if sent.len() == live.len() => {
            Value::Array(sent.iter().zip(live).map(|(sent, live)| project(sent, live)).collect())
        }
        _ => live.clone(),
    }
}

/// Where the two differ, at most five places, for people.
pub(super) fn paths(sent: &Value, form: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect("", sent, form, &mut found);
    found.truncate(5);
    found
}

fn collect(path: &str, sent: &Value, form: &Value, found: &mut Vec<String>) {
    match (sent, form) {
        (Value::Object(sent), Value::Object(form)) => {
            for (key, value) in sent {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match form.get(key) {
                    Some(other) => collect(&path, value, other, found),
                    None => found.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(form)) if sent.len() == form.len() => {
            for (index, (sent, form)) in sent.iter().zip(form).enumerate() {
                collect(&format!("{path}[{index}]"), sent, form, found);
            }
        }
        (sent, form) if sent != form => found.push(path.to_owned()),
        _ => {}
    }
}
