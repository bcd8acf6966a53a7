//! Bytes that were made by fluxrig's library, or by hand.

use gear_abi::{Hop, Id, Limits, Map, Message, Uuid, Value, peek};

use crate::bytes::hex;

/// `New()` of fluxrig.
const NEW: &str = "aa6269645000000000000000000000000000000000667265665f6964500000000000000000000000000000000065747261636560\
    667372635f69645000000000000000000000000000000000646d657461a06464617461a065666c6167730063726177f6647061746880627473\
    00";

#[test]
fn a_new_message_is_written_as_fluxrig_writes_it() {
    let bytes = hex(NEW);
    assert_eq!(bytes.len(), 110);
    assert_eq!(Message::default().encode(), bytes);
    assert_eq!(Message::decode(&bytes).unwrap(), Message::default());
}

#[test]
fn a_probe_is_written_as_fluxrig_writes_it_and_seen_as_one() {
    let id: Uuid = "0192f3a0-1111-7abc-8def-000102030405".parse().unwrap();
    let mut bytes = hex(NEW);
    bytes[5..21].copy_from_slice(&id.0);
    let flags = bytes.windows(5).position(|window| window == b"flags").unwrap() + 5;
    bytes[flags] = 1;
    let probe = Message { id: id.into(), flags: 1, ..Message::default() };
    assert_eq!(probe.encode(), bytes);
    let found = peek(&bytes, &Limits::default()).unwrap();
    assert!(found.is_probe() && probe.is_probe());
    assert_eq!((found.id(), found.flags()), (id.into(), 1));
}

#[test]
fn a_probe_with_a_nil_id_is_a_probe() {
    let bytes = Message { flags: 0x8000_0001, ..Message::default() }.encode();
    let found = peek(&bytes, &Limits::default()).unwrap();
    assert!(found.is_probe() && found.id().is_nil());
    let bytes = Message { flags: 2, ..Message::default() }.encode();
    assert!(!peek(&bytes, &Limits::default()).unwrap().is_probe());
}

#[test]
fn a_hop_is_three_pairs_in_the_order_of_fluxrig() {
    let hop = Hop::new([0x11; 16], [0x22; 16], 1_730_000_000_000_000_000);
    let bytes = Message { path: vec![hop], ..Message::default() }.encode();
    let wanted = [
        hex("6470617468 81 a3 6167 50"),
        vec![0x11; 16],
        hex("6170 50"),
        vec![0x22; 16],
        hex("6174 1b 180231d5856d0000 627473 00"),
    ];
    assert!(bytes.ends_with(&wanted.concat()), "{bytes:02x?}");
}

#[test]
fn old_identities_are_numbers_and_stay_numbers() {
    let message = Message {
        id: Id::Number(0x0123_4567_89ab_cdef),
        path: vec![Hop::new(Id::Number(5), Id::Number(6), -1)],
        ..Message::default()
    };
    let bytes = message.encode();
    assert!(bytes.starts_with(&hex("aa 626964 1b 0123456789abcdef")), "{bytes:02x?}");
    assert!(bytes.ends_with(&hex("81 a3 6167 05 6170 06 6174 20 627473 00")), "{bytes:02x?}");
    assert_eq!(Message::decode(&bytes).unwrap(), message);
    assert!(peek(&bytes, &Limits::default()).unwrap().has_numeric_ids());
}

#[test]
fn values_are_written_in_the_forms_of_the_library() {
    let inner: Map<Value, Value> =
        [(Value::from("é"), Value::from(-1i64)), (Value::from(500u64), Value::Null)].into_iter().collect();
    for (value, wanted) in [
        (Value::from(23u64), "17"),
        (Value::from(24u64), "1818"),
        (Value::from(256u64), "190100"),
        (Value::from(65_536u64), "1a00010000"),
        (Value::from(u64::MAX), "1bffffffffffffffff"),
        (Value::from(-25i64), "3818"),
        (Value::Nint(u64::MAX), "3bffffffffffffffff"),
        (Value::from(1.5), "fb3ff8000000000000"),
        (Value::from(f64::NAN), "f97e00"),
        (Value::from(f64::INFINITY), "f97c00"),
        (Value::from(f64::NEG_INFINITY), "f9fc00"),
        (Value::from(true), "f5"),
        (Value::from(false), "f4"),
        (Value::Simple(5), "e5"),
        (Value::Simple(255), "f8ff"),
        (Value::from(&b"\x00\xff"[..]), "4200ff"),
        (Value::from(vec![Value::from("")]), "8160"),
        (Value::from(inner), "a2 62c3a9 20 1901f4 f6"),
        (Value::Tag(1, Box::new(Value::from(0u64))), "c100"),
        (Value::Tag(55_800, Box::new(Value::Null)), "d9d9f8 f6"),
    ] {
        let mut message = Message::default();
        message.data.insert("v", value.clone());
        let bytes = message.encode();
        let wanted = [hex("6464617461 a1 6176"), hex(wanted), hex("65666c616773")].concat();
        assert!(bytes.windows(wanted.len()).any(|window| window == wanted), "{value:?}: {bytes:02x?}");
    }
}

#[test]
fn floats_of_every_width_keep_their_value() {
    for (bytes, value) in [
        ("f90000", 0.0),
        ("f98000", -0.0),
        ("f93c00", 1.0),
        ("f9c400", -4.0),
        ("f97bff", 65504.0),
        ("f90001", 5.960_464_477_539_063e-8),
        ("f903ff", 6.097_555_160_522_461e-5),
        ("f90400", 6.103_515_625e-5),
        ("f97c00", f64::INFINITY),
        ("f9fc00", f64::NEG_INFINITY),
        ("fa3fc00000", 1.5),
        ("fb3ff199999999999a", 1.1),
    ] {
        let message = Message::decode(&crate::bytes::data(&hex(bytes))).unwrap();
        let read = message.get("k").and_then(Value::as_f64).unwrap();
        assert_eq!(read.to_bits(), f64::to_bits(value), "{bytes}");
    }
    let message = Message::decode(&crate::bytes::data(&hex("f97e00"))).unwrap();
    assert!(message.get("k").and_then(Value::as_f64).unwrap().is_nan());
}
