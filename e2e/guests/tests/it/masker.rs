//! The example gear pan-masker: what it does in the sandbox is what its logic does natively.

use gear_abi::Value;
use guest_fixtures::{Failure, wasm};
use pan_masker::{Keep, process};

use crate::{
    payments::{payment, with},
    runner::{Guest, Outcome},
};

const PAN: &str = "4111111111111111";

fn v1() -> Guest {
    Guest::new(&wasm("pan-masker-v1"), &[], None).unwrap()
}

fn v2() -> Guest {
    Guest::new(&wasm("pan-masker-v2"), &[], None).unwrap()
}

/// Card numbers in every place where payments have them, and what they become under both versions.
fn places() -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let texts = [
        ("card.pan", PAN, "************1111", "411111******1111"),
        ("card.pan", "4111 1111 1111 1111", "**** **** **** 1111", "4111 11** **** 1111"),
        ("iso8583.field.35", "4111111111111111=2712101", "************1111=2712101", "411111******1111=2712101"),
        (
            "note",
            "ref 4111-1111-1111-1111 see ticket",
            "ref ****-****-****-1111 see ticket",
            "ref 4111-11**-****-1111 see ticket",
        ),
        (
            "note",
            "customer read 4222222222222 over",
            "customer read *********2222 over",
            "customer read 422222***2222 over",
        ),
    ];
    let wallet = |number: Value| Value::Array(vec![Value::Null, Value::Array(vec![number])]);
    let numbers = [
        (Value::Uint(4_111_111_111_111_111), "************1111", "411111******1111"),
        (Value::Nint(4_111_111_111_111_110), "-************1111", "-411111******1111"),
        (Value::Float(4_111_111_111_111_111.0), "************1111", "411111******1111"),
        (Value::Bytes(PAN.into()), "", ""),
    ];
    let texts =
        texts.into_iter().map(|(place, clear, one, two)| (with(place, clear), with(place, one), with(place, two)));
    let numbers = numbers.into_iter().map(|(clear, one, two)| {
        let masked = |text: &str| match &clear {
            Value::Bytes(_) if text == "one" => Value::Bytes("************1111".into()),
            Value::Bytes(_) => Value::Bytes("411111******1111".into()),
            _ => Value::from(text),
        };
        let (one, two) = if one.is_empty() { (masked("one"), masked("two")) } else { (masked(one), masked(two)) };
        (
            with("customer.wallet", wallet(clear.clone())),
            with("customer.wallet", wallet(one)),
            with("customer.wallet", wallet(two)),
        )
    });
    texts.chain(numbers).collect()
}

#[test]
fn a_card_number_is_masked_wherever_it_is() {
    let (mut one, mut two) = (v1(), v2());
    for (clear, last_four, first_six_last_four) in places() {
        // In a kept instance, and in one of its own.
        assert_eq!(one.call(&clear), Outcome::Output(last_four.clone()));
        assert_eq!(v1().call(&clear), Outcome::Output(last_four.clone()));
        assert_eq!(two.call(&clear), Outcome::Output(first_six_last_four.clone()));
        assert_eq!(process(&clear, Keep::LAST_FOUR).unwrap(), last_four);
        assert_eq!(process(&clear, Keep::FIRST_SIX_LAST_FOUR).unwrap(), first_six_last_four);
    }
}

#[test]
fn a_record_without_a_card_number_goes_through_byte_for_byte() {
    let fluxrig_empty: &[u8] = b"\xaa\x62id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x66ref_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x65trace\x60\x66src_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x64meta\xa0\x64data\xa0\x65flags\x00\x63raw\xf6\x64path\x80\x62ts\x00";
    assert_eq!(fluxrig_empty.len(), 110);
    let odd: &[u8] =
        b"\xd9\xd9\xf7\xbf\x64path\xf6\x62id\x18\x2a\x64DATA\xbf\x7f\x61a\xff\x9f\xff\xff\x61?\x01\x64data\xa0\xff";
    for record in [fluxrig_empty, odd, b"\xa0", b"\xf6", &payment().encode()] {
        assert_eq!(v1().call(record), Outcome::Output(record.to_vec()));
        assert_eq!(v2().call(record), Outcome::Output(record.to_vec()));
    }
}

#[test]
fn a_kept_instance_masks_the_twenty_thousandth_message_in_the_same_memory() {
    let mut guest = v1();
    let cases = places();
    for (clear, masked, _) in &cases {
        assert_eq!(guest.call(clear), Outcome::Output(masked.clone()));
    }
    let memory = guest.memory();
    for round in 0..20_000 {
        let (clear, masked, _) = &cases[round % cases.len()];
        assert_eq!(guest.call(clear), Outcome::Output(masked.clone()), "round {round}");
    }
    assert_eq!(guest.memory(), memory);
}

#[test]
fn large_records_are_masked_too() {
    let clear = with("note", format!("{}{PAN}", "x".repeat(900_000)));
    let masked = with("note", format!("{}************1111", "x".repeat(900_000)));
    assert_eq!(v1().call(&clear), Outcome::Output(masked));
}

#[test]
fn keep_comes_from_the_configuration() {
    let clear = with("card.pan", PAN);
    for (module, keep, shown) in [
        ("pan-masker-v1", "0", "****************"),
        ("pan-masker-v1", "2", "**************11"),
        ("pan-masker-v2", "1", "411111*********1"),
    ] {
        let mut guest = Guest::new(&wasm(module), &[("keep", keep)], None).unwrap();
        assert_eq!(guest.call(&clear), Outcome::Output(with("card.pan", shown)), "{module} keep={keep}");
    }
}

#[test]
fn a_wrong_configuration_stops_the_instance_before_its_first_message() {
    for (module, keep) in [("pan-masker-v1", "all"), ("pan-masker-v1", "11"), ("pan-masker-v2", "5")] {
        let (failure, logs) = Guest::refused(&wasm(module), &[("keep", keep)]);
        assert_eq!(failure, Failure::Start);
        let [(4, sentence)] = &logs[..] else { panic!("{logs:?}") };
        assert!(sentence.starts_with(&format!("config.keep is \"{keep}\", a whole number from 0 to ")), "{sentence}");
    }
}

#[test]
fn bytes_that_are_no_record_are_refused_with_a_sentence() {
    assert_eq!(v1().call(b"\x80"), Outcome::Reject { code: 1, reason: "the record is no CBOR map".to_owned() });
}
