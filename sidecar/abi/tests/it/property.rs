//! What holds for all messages and for all bytes.

use gear_abi::{Hop, Id, Map, Message, Uuid, Value};
use proptest::{collection::vec, prelude::*};

use crate::{checks, odd::Odd, random::Random};

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        6 => any::<[u8; 16]>().prop_map(|bytes| Id::Uuid(Uuid(bytes))),
        1 => Just(Id::NIL),
        1 => any::<u64>().prop_map(Id::Number),
    ]
}

fn hop() -> impl Strategy<Value = Hop> {
    (id(), id(), any::<i64>()).prop_map(|(g, p, t)| Hop { g, p, t })
}

/// Values that can be keys.
fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        (-1e9..1e9).prop_map(Value::Float),
        prop_oneof![0..20u8, 32..=255u8].prop_map(Value::Simple),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        8 => plain(),
        1 => any::<u64>().prop_map(Value::Nint),
        1 => vec(any::<u8>(), 0..12).prop_map(|bytes| Value::Tag(2, Box::new(Value::Bytes(bytes)))),
        1 => any::<i64>().prop_map(|time| Value::Tag(1, Box::new(Value::from(time)))),
        1 => Just(Value::Tag(0, Box::new(Value::from("2026-01-01T00:00:00Z")))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((plain(), inner.clone()), 0..5).prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
            (100..u64::MAX, inner).prop_map(|(tag, content)| Value::Tag(tag, Box::new(content))),
        ]
    })
}

fn meta() -> impl Strategy<Value = Map<String, String>> {
    let key = prop_oneof![
        Just("traceparent".to_owned()),
        Just("tracestate".to_owned()),
        Just("baggage".to_owned()),
        Just("flux.port".to_owned()),
        ".{0,8}",
    ];
    vec((key, ".{0,12}"), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

prop_compose! {
    fn message()(
        ids in (id(), id(), id()),
        trace in ".{0,40}",
        meta in meta(),
        data in vec((".{0,8}", value()), 0..6),
        flags: u32,
        raw in prop::option::of(vec(any::<u8>(), 0..40)),
        path in vec(hop(), 0..30),
        ts: i64,
    ) -> Message {
        let (id, ref_id, src_id) = ids;
        Message { id, ref_id, trace, src_id, meta, data: data.into_iter().collect(), flags, raw, path, ts }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_message_survives_its_own_bytes(message in message()) {
        prop_assert_eq!(Message::decode(&message.encode()).unwrap(), message);
    }

    #[test]
    fn a_message_survives_odd_encodings(message in message(), seed: u64) {
        let bytes = Odd::new(seed).encode(&message);
        prop_assert_eq!(Message::decode(&bytes).unwrap(), message);
        checks::peek(&bytes);
        checks::decode(&bytes);
    }

    #[test]
    fn a_spliced_record_is_the_decoded_one_with_the_edit(message in message(), seed: u64) {
        checks::splice(&message.encode());
        checks::splice(&Odd::new(seed).encode(&message));
    }

    #[test]
    fn damaged_records_break_nothing(message in message(), seed: u64) {
        let mut bytes = Odd::new(seed).encode(&message);
        let mut random = Random::new(seed);
        for _ in 0..12 {
            random.mutate(&mut bytes);
            checks::peek(&bytes);
            checks::decode(&bytes);
            checks::splice(&bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_break_nothing(bytes in vec(any::<u8>(), 0..200)) {
        checks::peek(&bytes);
        checks::decode(&bytes);
        checks::splice(&bytes);
    }
}
