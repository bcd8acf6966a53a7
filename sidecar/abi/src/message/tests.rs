use alloc::{string::ToString, vec};

use super::*;

#[test]
fn dots_lead_into_nested_maps() {
    let mut message = Message::default();
    message.set("card.pan", "4111").unwrap();
    message.set("card.exp", "2612").unwrap();
    message.set("iso8583.field.2", 5u64).unwrap();
    assert_eq!(message.get("card.pan").and_then(Value::as_str), Some("4111"));
    assert_eq!(message.get("iso8583.field.2").and_then(Value::as_u64), Some(5));
    assert_eq!(message.get("card").and_then(Value::as_map).map(Map::len), Some(2));
    assert_eq!((message.get("card.none"), message.get("none.pan"), message.get("card.pan.x")), (None, None, None));
    *message.get_mut("card.pan").unwrap() = "****".into();
    assert_eq!(message.get("card.pan").and_then(Value::as_str), Some("****"));
}

#[test]
fn a_flat_key_with_a_dot_is_another_thing() {
    let mut message = Message::default();
    message.data.insert("card.pan", "4111");
    assert_eq!(message.get("card.pan"), None);
    message.set("card.pan", "nested").unwrap();
    assert_eq!(message.data.get("card.pan").and_then(Value::as_str), Some("4111"));
}

#[test]
fn nothing_is_set_inside_of_what_is_no_map() {
    let mut message = Message::default();
    message.set("a.b", 1u64).unwrap();
    let refused = message.set("a.b.c", 2u64).unwrap_err();
    assert_eq!(refused.to_string(), "b in data is not a map, so nothing can be set inside of it");
    assert_eq!(message.set("a.b.c.d", 2u64), Err(NotAMap("b".into())));
    assert_eq!(message.get("a.b").and_then(Value::as_u64), Some(1));
}

#[test]
fn maps_with_other_keys_are_walked_by_their_texts() {
    let inner: Map<Value, Value> =
        [(Value::from(1u64), Value::from("one")), (Value::from("1"), Value::from("text"))].into_iter().collect();
    let mut message = Message::default();
    message.data.insert("map", inner);
    assert_eq!(message.get("map.1").and_then(Value::as_str), Some("text"));
}

#[test]
fn several_messages_make_a_sequence() {
    let message = Message { raw: Some(vec![1]), ..Message::default() };
    let mut bytes = message.encode();
    message.encode_into(&mut bytes);
    let read: Result<Vec<Message>, Malformed> =
        crate::records(&bytes, &Limits::default()).map(|record| Message::decode(record?.bytes())).collect();
    assert_eq!(read, Ok(vec![message.clone(), message]));
}

#[test]
fn decode_has_the_limits_it_is_given() {
    let bytes = Message { path: vec![Hop::default(); 3], ..Message::default() }.encode();
    let limits = |hops| Limits { hops, ..Limits::default() };
    assert!(Message::decode_with(&bytes, &limits(3)).is_ok());
    assert!(Message::decode_with(&bytes, &limits(2)).is_err());
}
