use alloc::vec::Vec;
use std::{string::String, vec};

use super::*;

/// `{"data": {"k": <value>}}`.
fn holding(value: &[u8]) -> Vec<u8> {
    [b"\xa1\x64data\xa1\x61k", value].concat()
}

fn text(content: &str) -> Vec<u8> {
    string(0x60, content.as_bytes())
}

fn bytes(content: &[u8]) -> Vec<u8> {
    string(0x40, content)
}

fn string(major: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    let head = if len < 24 { vec![major | len] } else { vec![major | 0x18, len] };
    [&head, content].concat()
}

fn unsigned(value: u64) -> Vec<u8> {
    [&[0x1b][..], &value.to_be_bytes()].concat()
}

fn negative(value: u64) -> Vec<u8> {
    [&[0x3b][..], &(value - 1).to_be_bytes()].concat()
}

fn double(value: f64) -> Vec<u8> {
    [&[0xfb][..], &value.to_be_bytes()].concat()
}

/// What becomes of a value in `data`, under both versions.
fn becomes(value: &[u8], four: &[u8], six_four: &[u8]) {
    for (keep, expected) in [(Keep::LAST_FOUR, four), (Keep::FIRST_SIX_LAST_FOUR, six_four)] {
        let found = process(&holding(value), keep).unwrap();
        assert_eq!(found, holding(expected), "{keep:?}: {}", String::from_utf8_lossy(&found));
    }
}

fn stays(value: &[u8]) {
    becomes(value, value, value);
}

#[test]
fn text_keeps_its_length_and_its_gaps() {
    for (clear, four, six_four) in [
        ("4111111111111111", "************1111", "411111******1111"),
        ("4111 1111 1111 1111", "**** **** **** 1111", "4111 11** **** 1111"),
        ("4111-1111-1111-1111", "****-****-****-1111", "4111-11**-****-1111"),
        ("4111 - 1111 - 1111 - 1111", "**** - **** - **** - 1111", "4111 - 11** - **** - 1111"),
        ("3782 822463 10005", "**** ****** *0005", "3782 82**** *0005"),
        ("card 4111111111111111, thanks", "card ************1111, thanks", "card 411111******1111, thanks"),
        ("PAN4111111111111111X", "PAN************1111X", "PAN411111******1111X"),
        (";4111111111111111=25121010000", ";************1111=25121010000", ";411111******1111=25121010000"),
        ("zwölf 4111111111111111 €", "zwölf ************1111 €", "zwölf 411111******1111 €"),
        // Fewest and most digits.
        ("1234567890123", "*********0123", "123456***0123"),
        ("1234567890123456789", "***************6789", "123456*********6789"),
        // Two numbers, and a number among others: nobody can say where the card number starts.
        ("4111111111111111/4222222222222222", "************1111/************2222", "411111******1111/422222******2222"),
        ("12 4111111111111111", "** ************1111", "12 4111********1111"),
        ("4111111111111111 12/25", "**************11 12/25", "411111********11 12/25"),
        ("4111 1111 1111 1111 1225", "**** **** **** **** 1225", "4111 11** **** **** 1225"),
    ] {
        becomes(&text(clear), &text(four), &text(six_four));
        becomes(&bytes(clear.as_bytes()), &bytes(four.as_bytes()), &bytes(six_four.as_bytes()));
    }
}

#[test]
fn text_without_a_card_number_stays() {
    for clear in [
        "",
        "hello",
        "123456789012",
        "12345678901234567890",
        "1234567.8901234",
        "2026-11-23T15:31:00Z",
        "4111    1111    1111    1111",
        "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦",
    ] {
        stays(&text(clear));
    }
}

#[test]
fn a_card_number_is_found_at_every_place_and_only_gaps_are_gaps() {
    for before in 0..40 {
        for (pan, masked) in [("4222222222222", "*********2222"), ("4111111111111111", "************1111")] {
            let around = |number: &str| text(&["x".repeat(before), number.into(), "y".repeat(before % 3)].concat());
            assert_eq!(process(&holding(&around(pan)), Keep::LAST_FOUR).unwrap(), holding(&around(masked)), "{before}");
        }
    }
    for other in (0..128_u8).filter(|byte| !byte.is_ascii_digit() && !b" -".contains(byte)) {
        for place in 4..=12 {
            let mut clear = *b"41111111111111111";
            clear[place] = other;
            let clear = bytes(&clear);
            assert_eq!(process(&holding(&clear), Keep::LAST_FOUR).unwrap(), holding(&clear), "{other:#04x} at {place}");
        }
    }
}

#[test]
fn every_number_of_digits_is_hidden_with_every_number_that_stays() {
    let digits = "4222222222222222222222222222222222222222";
    for len in 13..=digits.len() {
        for (first, last) in [(0, 0), (0, 4), (0, 10), (6, 0), (6, 4)] {
            let clear = &digits[..len];
            let masked = [&clear[..first], &"*".repeat(len - first - last), &clear[len - last..]].concat();
            let raw = |value: &str| [b"\xa1\x63raw", &bytes(value.as_bytes())[..]].concat();
            let keep = Keep { first, last };
            assert_eq!(process(&raw(clear), keep).unwrap(), raw(&masked), "{len} {keep:?}");
            let expected = if len <= 19 { &masked } else { clear };
            assert_eq!(process(&holding(&text(clear)), keep).unwrap(), holding(&text(expected)), "{len} {keep:?}");
        }
    }
}

#[test]
fn what_follows_an_item_without_a_length_is_reached() {
    let (clear, masked) = (text("4111111111111111"), text("************1111"));
    for open in [
        &b"\x9f\xff"[..],
        b"\x9f\x01\x82\x01\x02\xff",
        b"\xbf\x61a\x81\x01\xff",
        b"\x9f\x9f\xff\x01\xff",
        b"\x7f\x61a\xff",
    ] {
        let around = |pan: &[u8]| holding(&[b"\x84", open, &[0x81], open, pan, pan].concat());
        assert_eq!(process(&around(&clear), Keep::LAST_FOUR).unwrap(), around(&masked), "{open:02x?}");
    }
}

#[test]
fn a_group_too_long_for_a_card_number_does_not_hide_one_beside_it() {
    becomes(
        &text("12345678901234567890 4111111111111111"),
        &text("12345678901234567890 ************1111"),
        &text("12345678901234567890 411111******1111"),
    );
    becomes(
        &text("4111111111111111 12345678901234567890"),
        &text("************1111 12345678901234567890"),
        &text("411111******1111 12345678901234567890"),
    );
}

#[test]
fn numbers_as_long_as_a_card_number_become_text() {
    for (clear, four, six_four) in [
        (unsigned(4_111_111_111_111_111), "************1111", "411111******1111"),
        (unsigned(1_000_000_000_000), "*********0000", "100000***0000"),
        (unsigned(9_999_999_999_999_999_999), "***************9999", "999999*********9999"),
        (negative(4_111_111_111_111_111), "-************1111", "-411111******1111"),
        (double(4_111_111_111_111_111.0), "************1111", "411111******1111"),
        (double(-4_111_111_111_111.5), "-*********1111", "-411111***1111"),
        // Single precision holds 4111111020347392 of it.
        (vec![0xfa, 0x59, 0x69, 0xb0, 0x8a], "************7392", "411111******7392"),
        // Bignums, short and with zeros in front, and negative.
        (vec![0xc2, 0x47, 0x0e, 0x9b, 0x08, 0xa5, 0x68, 0xf1, 0xc7], "************1111", "411111******1111"),
        (vec![0xc2, 0x49, 0, 0, 0x0e, 0x9b, 0x08, 0xa5, 0x68, 0xf1, 0xc7], "************1111", "411111******1111"),
        (vec![0xc3, 0x47, 0x0e, 0x9b, 0x08, 0xa5, 0x68, 0xf1, 0xc6], "-************1111", "-411111******1111"),
        // A tag goes with its number: a time that is text would be no time.
        ([&[0xc1][..], &unsigned(1_732_375_000_000)].concat(), "*********0000", "173237***0000"),
    ] {
        becomes(&clear, &text(four), &text(six_four));
    }
}

#[test]
fn other_numbers_stay() {
    for value in [
        unsigned(999_999_999_999),
        unsigned(10_000_000_000_000_000_000),
        unsigned(u64::MAX),
        negative(999_999_999_999),
        double(999_999_999_999.9),
        double(1e19),
        double(f64::NAN),
        double(f64::INFINITY),
        vec![0xf9, 0x7b, 0xff],
        vec![0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![0xf4],
        vec![0xf6],
        vec![0xf8, 0xff],
    ] {
        stays(&value);
    }
}

#[test]
fn every_depth_every_key_and_every_form_is_reached() {
    let pan = text("4111111111111111");
    let masked = text("************1111");
    let wrapped = |inner: &[u8]| -> Vec<Vec<u8>> {
        vec![
            [&[0x81][..], inner].concat(),
            [&[0x9f][..], inner, &[0xff]].concat(),
            [b"\xa1\x61x", inner].concat(),
            [b"\xbf\x61x", inner, &[0xff]].concat(),
            [&[0xa1][..], inner, &[1]].concat(),
            [&[0xd8, 0x2a][..], inner].concat(),
            [&[0x81; 30][..], inner].concat(),
            [&[0x83, 1][..], inner, &[0xf6]].concat(),
        ]
    };
    for (clear, expected) in wrapped(&pan).into_iter().zip(wrapped(&masked)) {
        assert_eq!(process(&holding(&clear), Keep::LAST_FOUR).unwrap(), holding(&expected), "{clear:02x?}");
    }
    let number = unsigned(4_111_111_111_111_111);
    for (clear, expected) in wrapped(&number).into_iter().zip(wrapped(&masked)).filter(|(clear, _)| clear[0] != 0xd8) {
        assert_eq!(process(&holding(&clear), Keep::LAST_FOUR).unwrap(), holding(&expected), "{clear:02x?}");
    }
}

#[test]
fn a_string_in_pieces_is_masked_over_the_joints_and_stays_in_its_pieces() {
    stays(b"\x7f\x64abcd\x60\x63efg\xff");
    becomes(
        b"\x7f\x6641111 \x60\x6811111111\x6411 x\xff".as_slice(),
        b"\x7f\x66***** \x60\x68******11\x6411 x\xff".as_slice(),
        b"\x7f\x6641111 \x60\x681*****11\x6411 x\xff".as_slice(),
    );
}

/// A record with a card number in every field that can hold one.
fn full(pan: &[u8], raw: &[u8]) -> Vec<u8> {
    let zeros = [0; 16];
    let mut record = b"\xaa\x62id\x50".to_vec();
    for part in [&zeros[..], b"\x66ref_id\x50", &zeros, b"\x65trace\x78\x204111111111111111411111111111111a"] {
        record.extend(part);
    }
    for part in [
        b"\x66src_id\x50",
        &zeros[..],
        b"\x64meta\xa1\x63pan\x704111111111111111",
        b"\x64data\xa1\x64card\xa1\x63pan",
        pan,
    ] {
        record.extend(part);
    }
    for part in [
        b"\x65flags\x00\x63raw",
        raw,
        b"\x64path\x81\xa3\x61g\x50",
        &zeros,
        b"\x61p\x50",
        &zeros,
        b"\x61t\x1b\x17\x06\x51\0\0\0\0\0",
    ] {
        record.extend(part);
    }
    record.extend(b"\x62ts\x1b\x17\x06\x51\0\0\0\0\0");
    record
}

#[test]
fn only_data_and_raw_change() {
    for (clear, masked) in [
        (text("4111111111111111"), text("************1111")),
        (unsigned(4_111_111_111_111_111), text("************1111")),
    ] {
        assert_eq!(process(&full(&clear, &[0xf6]), Keep::LAST_FOUR).unwrap(), full(&masked, &[0xf6]));
    }
}

#[test]
fn raw_is_masked_also_where_fields_run_together() {
    // A message type, a bitmap, a PAN of 16, a processing code and an amount, one behind the other.
    let raw = |raw: &[u8]| process(&full(&[0], raw), Keep::LAST_FOUR).unwrap();
    assert_eq!(
        raw(&bytes(b"0200F238000108A180001641111111111111110000000000001000")),
        full(&[0], &bytes(b"0200F238000108A***********************************1000"))
    );
    assert_eq!(raw(&bytes(b"\x014111111111111111\x02")), full(&[0], &bytes(b"\x01************1111\x02")));
    assert_eq!(raw(&bytes(b"12345678901234567890")), full(&[0], &bytes(b"****************7890")));
    assert_eq!(raw(b"\x5f\x4841111111\x4811111111\xff"), full(&[0], b"\x5f\x48********\x48****1111\xff"));
    assert_eq!(raw(&[0x40]), full(&[0], &[0x40]));
    // Bytes as an array of numbers, as fluxrig takes them too.
    let array = |content: &[u8]| {
        let mut out = vec![0x98, u8::try_from(content.len()).unwrap()];
        out.extend(content.iter().flat_map(|byte| [0x18, *byte]));
        out
    };
    assert_eq!(raw(&array(b"4111111111111111")), full(&[0], &array(b"************1111")));
}

#[test]
fn records_in_odd_forms_are_read_like_any() {
    let both = |head: &[u8], tail: &[u8]| {
        let record = |value: &str| [head, &text(value), tail].concat();
        (record("4111111111111111"), record("************1111"))
    };
    for (clear, masked) in [
        // Other letters, a break at the end, a key in pieces, the mark in front, keys that are no text, duplicates.
        both(b"\xa1\x64DaTa\xa1\x61k", b""),
        both(b"\xbf\x64data\xbf\x61k", b"\xff\xff"),
        both(b"\xa1\x7f\x62da\x62ta\xff\xa1\x61k", b""),
        both(b"\xd9\xd9\xf7\xa1\x64data\xa1\x61k", b""),
        both(b"\xa2\x01\x02\x64data\xa1\x61k", b""),
        both(b"\xa2\x64data\xa0\x64data\xa1\x61k", b""),
        both(b"\xa1\x78\x04data\xb8\x01\x78\x01k", b""),
        // `data` that is no map is the host's to judge; its card numbers are masked all the same.
        both(b"\xa1\x64data", b""),
    ] {
        assert_eq!(process(&clear, Keep::LAST_FOUR).unwrap(), masked, "{clear:02x?}");
    }
    for record in [&b"\xf6"[..], b"\xa0", b"\xbf\xff", b"\xa1\x64data\xf6", b"\xd9\xd9\xf7\xa0"] {
        assert_eq!(process(record, Keep::LAST_FOUR).unwrap(), record);
    }
}

#[test]
fn what_is_no_record_is_named() {
    for (record, error) in [
        (&b""[..], Error::Short),
        (b"\xa1\x64dat", Error::Short),
        (b"\xa1", Error::Short),
        (b"\xa1\x64data\x65four", Error::Short),
        (b"\xa1\x62ts\x1b\0\0\0\0\0\0\0", Error::Short),
        (b"\xa1\x64data\x5b\xff\xff\xff\xff\xff\xff\xff\xff", Error::Short),
        (b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", Error::Short),
        (b"\xa1\x64data\x1c", Error::Invalid),
        (b"\xa1\x64data\xff", Error::Invalid),
        (b"\xa1\x64data\x7f\x01\xff", Error::Invalid),
        (b"\xa1\x63raw\x81\x61x", Error::Invalid),
        (b"\x80", Error::NotAMap),
        (b"\x01", Error::NotAMap),
        (b"\xa0\xa0", Error::Trailing),
    ] {
        assert_eq!(process(record, Keep::LAST_FOUR), Err(error), "{record:02x?}");
    }
    let open = |levels: usize| holding(&[vec![0x9f; levels], vec![0xff; levels]].concat());
    assert!(process(&open(32), Keep::LAST_FOUR).is_ok());
    assert_eq!(process(&open(10_000), Keep::LAST_FOUR), Err(Error::Deep));
    // Depth of known length costs nothing.
    let deep = |pan: &str| holding(&[&[0x81; 10_000][..], &text(pan)].concat());
    assert_eq!(process(&deep("4111111111111111"), Keep::LAST_FOUR).unwrap(), deep("************1111"));
    assert_eq!(process(&holding(&[0xc1; 10_000]), Keep::LAST_FOUR), Err(Error::Short));
}

#[test]
fn nothing_panics_and_masking_twice_changes_nothing_more() {
    let mut state = 1_u64;
    let mut number = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let seeds = [
        full(&text("4111 1111-1111  1111 and 5500005555555559"), &bytes(b"02004111111111111111")),
        full(&unsigned(4_111_111_111_111_111), &[0xf6]),
    ];
    let mut read = 0;
    for round in 0..200_000 {
        let mut record = seeds[round % seeds.len()].clone();
        for _ in 0..=number(4) {
            let at = number(record.len());
            record[at] = u8::try_from(number(256)).unwrap();
        }
        for keep in [Keep::LAST_FOUR, Keep::FIRST_SIX_LAST_FOUR, Keep { first: 0, last: 0 }] {
            if let Ok(masked) = process(&record, keep) {
                assert_eq!(process(&masked, keep).as_ref(), Ok(&masked), "{record:02x?}");
                read += 1;
            }
        }
    }
    assert!(read > 100_000, "only {read} records were read");
}

#[test]
fn keep_is_read_from_the_configuration() {
    let pan = |keep: Keep| process(&holding(&text("4111111111111111")), keep).unwrap();
    for (base, value, shown) in [
        (Keep::LAST_FOUR, None, "************1111"),
        (Keep::LAST_FOUR, Some("0"), "****************"),
        (Keep::LAST_FOUR, Some("2"), "**************11"),
        (Keep::LAST_FOUR, Some("10"), "******1111111111"),
        (Keep::FIRST_SIX_LAST_FOUR, None, "411111******1111"),
        (Keep::FIRST_SIX_LAST_FOUR, Some("0"), "411111**********"),
    ] {
        assert_eq!(pan(base.configured(value).unwrap()), holding(&text(shown)), "{base:?} {value:?}");
    }
    assert_eq!(
        Keep::LAST_FOUR.configured(Some("11")).unwrap_err(),
        "config.keep is \"11\", a whole number from 0 to 10 is expected; correct spec.config.keep"
    );
    assert_eq!(
        Keep::FIRST_SIX_LAST_FOUR.configured(Some("5")).unwrap_err(),
        "config.keep is \"5\", a whole number from 0 to 4 is expected; correct spec.config.keep"
    );
    for wrong in ["", " ", "-1", "four", "4.0", "18446744073709551616"] {
        assert!(Keep::LAST_FOUR.configured(Some(wrong)).is_err(), "{wrong}");
    }
}
