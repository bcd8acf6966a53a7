//! The example gear high-value-filter, in the sandbox.

use gear_abi::{Limits, Message, OutputLimits, Shape, Value, outputs};
use guest_fixtures::{Failure, wasm};

use crate::{
    payments::{payment, with},
    runner::{Guest, Outcome},
};

const PLACE: &str = "amount.transaction";

fn filter(pairs: &[(&str, &str)]) -> Guest {
    Guest::new(&wasm("high-value-filter"), pairs, None).unwrap()
}

#[test]
fn small_amounts_are_dropped_and_large_ones_are_copied_for_review() {
    let mut guest = filter(&[("min", "100"), ("review", "1000")]);
    for amount in ["000000000100", "000000001000", "1000", "100"] {
        let record = with(PLACE, amount);
        assert_eq!(guest.call(&record), Outcome::Output(record), "{amount}");
    }
    for amount in ["000000000099", "0"] {
        assert_eq!(guest.call(&with(PLACE, amount)), Outcome::Drop, "{amount}");
    }
    for amount in [Value::from("000000001001"), Value::Uint(1001), Value::from("18446744073709551615")] {
        let record = with(PLACE, amount.clone());
        let Outcome::Output(both) = guest.call(&record) else { panic!("{amount:?}") };
        let records = split(&both);
        assert_eq!(records[0], record, "{amount:?}");
        let mut copy = Message::decode(&record).unwrap();
        copy.meta.insert("flux.port", "review");
        assert_eq!(records.len(), 2);
        assert_eq!(Message::decode(records[1]).unwrap(), copy, "{amount:?}");
    }
}

/// The records of an output, as the sidecar takes it apart.
fn split(output: &[u8]) -> Vec<&[u8]> {
    let limits = OutputLimits { messages: 64, size: 1 << 20, record: Limits::default() };
    outputs(output, Shape::OneOrMany, &limits).unwrap().map(|record| record.unwrap().bytes()).collect()
}

#[test]
fn without_configuration_everything_with_an_amount_passes() {
    let mut guest = filter(&[]);
    for amount in ["0", "999999999999"] {
        let record = with(PLACE, amount);
        assert_eq!(guest.call(&record), Outcome::Output(record));
    }
}

#[test]
fn what_has_no_amount_is_rejected_with_a_number_and_a_sentence() {
    let mut guest = filter(&[("min", "100")]);
    let mut without = payment();
    without.data.insert("amount", Value::Null);
    for record in [without.encode(), with(PLACE, Value::Null), b"\xa0".to_vec(), b"\xf6".to_vec()] {
        let reason = "data.amount.transaction is missing: text of digits is expected".to_owned();
        assert_eq!(guest.call(&record), Outcome::Reject { code: 3, reason });
    }
    for amount in [
        Value::from("12.50"),
        Value::from(""),
        Value::Float(1e3),
        Value::Nint(5),
        Value::Bool(true),
        Value::from("99999999999999999999"),
    ] {
        let reason = "data.amount.transaction is no amount: text of digits is expected".to_owned();
        assert_eq!(guest.call(&with(PLACE, amount.clone())), Outcome::Reject { code: 4, reason }, "{amount:?}");
    }
}

#[test]
fn a_kept_instance_answers_the_ten_thousandth_message_in_the_same_memory() {
    let mut guest = filter(&[("review", "1000")]);
    let (low, high) = (with(PLACE, "5"), with(PLACE, "5000"));
    let answers = [guest.call(&low), guest.call(&high), guest.call(b"\xa0")];
    let memory = guest.memory();
    for _ in 0..10_000 {
        assert_eq!([guest.call(&low), guest.call(&high), guest.call(b"\xa0")], answers);
    }
    assert_eq!(guest.memory(), memory);
}

#[test]
fn a_wrong_configuration_stops_the_instance_before_its_first_message() {
    for (key, value) in [("min", "10 EUR"), ("review", "-1"), ("min", "")] {
        let (failure, logs) = Guest::refused(&wasm("high-value-filter"), &[(key, value)]);
        assert_eq!(failure, Failure::Start);
        let sentence = format!(
            "config.{key} is \"{value}\", a whole number of the currency's smallest unit is expected; correct spec.config.{key}"
        );
        assert_eq!(logs, [(4, sentence)]);
    }
}
