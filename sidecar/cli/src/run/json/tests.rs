use gear_abi::Uuid;

use super::*;

fn round(message: &Message) -> Message {
    let text = serde_json::to_string(&Json(message.clone())).unwrap();
    let Json(back) = serde_json::from_str(&text).unwrap();
    // NaN equals nothing, so texts are compared as well.
    assert_eq!(serde_json::to_string(&Json(back.clone())).unwrap(), text);
    back
}

fn odd() -> Message {
    let mut message = Message {
        id: "0192f3a0-1111-7abc-8def-000102030405".parse::<Uuid>().unwrap().into(),
        ref_id: Id::Number(u64::MAX),
        trace: "0af7651916cd43dd8448eb211c80319c".into(),
        flags: 7,
        raw: Some(vec![0, 255]),
        path: vec![Hop { g: Id::from([1; 16]), p: Id::Number(2), t: -1 }],
        ts: i64::MIN,
        ..Message::default()
    };
    message.meta.insert("zeta", "1".to_owned());
    message.meta.insert("alpha", "\u{1b}\"".to_owned());
    let mut keys = Map::new();
    keys.push(Value::Uint(1), Value::Bytes(vec![1, 2]));
    let mut dollar = Map::new();
    dollar.push(Value::from("$bytes"), Value::from("not bytes"));
    for (key, value) in [
        ("z", Value::Uint(u64::MAX)),
        ("a", Value::from(-5i64)),
        ("negative", Value::Nint(u64::MAX)),
        ("float", Value::Float(1.0)),
        ("small", Value::Float(f64::MIN_POSITIVE)),
        ("infinite", Value::Float(f64::NEG_INFINITY)),
        ("list", Value::Array(vec![Value::Null, Value::Bool(true), Value::Simple(255)])),
        ("keys", Value::Map(keys)),
        ("dollar", Value::Map(dollar)),
        ("tag", Value::Tag(1, Box::new(Value::Uint(7)))),
    ] {
        message.data.insert(key, value);
    }
    message.set("card.pan", "4111").unwrap();
    message
}

#[test]
fn every_value_survives_json_and_keeps_its_place() {
    assert_eq!(round(&odd()), odd());
    assert_eq!(round(&Message::default()), Message::default());
    let text = serde_json::to_string(&Json(odd())).unwrap();
    assert!(text.contains(r#""meta":{"zeta":"1","alpha""#), "{text}");
    assert!(text.contains(r#""card":{"pan":"4111"}"#), "{text}");
}

#[test]
fn not_a_number_survives_json() {
    let mut message = Message::default();
    message.data.insert("nan", Value::Float(f64::NAN));
    assert!(round(&message).get("nan").unwrap().as_f64().unwrap().is_nan());
}

#[test]
fn of_a_key_that_comes_twice_the_last_is_written() {
    let mut message = Message::default();
    message.meta.push("k".into(), "first".into());
    message.meta.push("k".into(), "last".into());
    let text = serde_json::to_string(&Json(message)).unwrap();
    assert!(text.contains(r#""meta":{"k":"last"}"#), "{text}");
}

#[test]
fn fields_may_be_left_out_and_unknown_ones_are_refused() {
    let Json(message) = serde_json::from_str(r#"{"data":{"n":1}}"#).unwrap();
    assert_eq!(message.get("n"), Some(&Value::Uint(1)));
    for (text, told) in [
        (r#"{"dta":{}}"#, "dta"),
        (r#"{"id":"x"}"#, "UUID"),
        (r#"{"id":-1}"#, "a UUID text or a number"),
        (r#"{"raw":"*"}"#, "raw"),
        (r#"{"data":{"a":{"$bytes":"*"}}}"#, "base64"),
        (r#"{"data":{"a":{"$bytes":1}}}"#, "another type"),
        (r#"{"data":{"a":{"$tag":[1]}}}"#, "[number, value]"),
        (r#"{"data":{"a":{"$simple":24}}}"#, "0 to 19"),
        (r#"{"data":{"a":{"$x":1}}}"#, "$x is unknown"),
        (r#"{"flags":4294967296}"#, "4294967296"),
    ] {
        let error = serde_json::from_str::<Json>(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
