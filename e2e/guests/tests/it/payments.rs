//! Records as fluxrig's gears make them.

use gear_abi::{Hop, Message, Value};

/// A payment without a card number.
pub(crate) fn payment() -> Message {
    let mut message = Message {
        id: [0x11; 16].into(),
        path: vec![Hop::new([5; 16], [7; 16], 1_732_375_000_000_000_000)],
        ts: 1_732_375_000_000_000_000,
        ..Message::default()
    };
    message.meta.insert("iso8583.mti", "0100");
    message.meta.insert("traceparent", "00-41111111111111114111111111111111-4111111111111111-01");
    message.set("n", 42_u64).unwrap();
    message.set("amount.transaction", "000000012500").unwrap();
    message.set("trace.stan", "000042").unwrap();
    message.set("iso8583.field.11", "000042").unwrap();
    message.set("score", 0.25).unwrap();
    message
}

/// A payment with a value at a place of `data`.
pub(crate) fn with(place: &str, value: impl Into<Value>) -> Vec<u8> {
    let mut message = payment();
    message.set(place, value).unwrap();
    message.encode()
}
