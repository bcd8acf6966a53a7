use alloc::{string::ToString, vec::Vec};

use super::*;

const LIMITS: OutputLimits = OutputLimits { messages: 3, size: 100, record: Limits { hops: 64, payload: 100 } };

fn lengths(bytes: &[u8], shape: Shape) -> Result<Vec<usize>, OutputError> {
    outputs(bytes, shape, &LIMITS)?.map(|output| output.map(|record| record.bytes().len())).collect()
}

#[test]
fn one_record_is_one_output_in_both_shapes() {
    for shape in [Shape::One, Shape::OneOrMany] {
        assert_eq!(lengths(b"\xa1\x62ts\x05", shape), Ok([5].into()));
        assert_eq!(lengths(b"\xd9\xd9\xf7\xa0", shape), Ok([4].into()));
    }
}

#[test]
fn an_array_holds_any_number_of_outputs() {
    for (bytes, expected) in [
        (&b"\x80"[..], &[][..]),
        (b"\x9f\xff", &[]),
        (b"\x82\xa0\xa1\x62ts\x05", &[1, 5]),
        (b"\x9f\xa0\xa0\xa0\xff", &[1, 1, 1]),
        (b"\x98\x01\xbf\xff", &[2]),
    ] {
        assert_eq!(lengths(bytes, Shape::OneOrMany).as_deref(), Ok(expected), "{bytes:02x?}");
        let refused = lengths(bytes, Shape::One);
        assert!(matches!(refused, Err(OutputError::Record { index: 0, .. })), "rack guests answer with one record");
    }
}

#[test]
fn an_answer_ends_where_its_item_ends() {
    for (bytes, index, at) in [
        (&b"\xa0\x00"[..], 0, 1),
        (b"\x80\x00", 0, 1),
        (b"\x81\xa0\xa0", 1, 2),
        (b"\x9f\xa0\xff\xff", 1, 3),
        (b"\x82\xa0", 1, 2),
        (b"\x9f\xa0", 1, 2),
        (b"", 0, 0),
    ] {
        let Err(OutputError::Record { index: found, error }) = lengths(bytes, Shape::OneOrMany) else {
            panic!("{bytes:02x?} was taken");
        };
        assert_eq!((found, error.at()), (index, at), "{bytes:02x?}");
    }
}

#[test]
fn a_bad_record_is_named_by_its_place() {
    let refused = lengths(b"\x82\xa0\xa1\x65flags\x20", Shape::OneOrMany).unwrap_err();
    let sentence = "output 1 is not a fluxMsg: field flags, byte 9: expected an unsigned number of 32 bits";
    assert_eq!(refused.to_string(), sentence);
}

#[test]
fn arrays_in_arrays_are_no_outputs() {
    assert!(lengths(b"\x81\x81\xa0", Shape::OneOrMany).is_err());
    assert!(lengths(b"\xd9\xd9\xf7\x81\xa0", Shape::OneOrMany).is_err());
}

#[test]
fn a_count_is_refused_before_anything_is_read() {
    assert_eq!(lengths(b"\x84", Shape::OneOrMany), Err(OutputError::Messages { limit: 3 }));
    assert!(lengths(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", Shape::OneOrMany).is_err());
}

#[test]
fn nothing_comes_behind_an_error() {
    let mut found = outputs(b"\x83\xa0\x00\xa0", Shape::OneOrMany, &LIMITS).unwrap();
    assert!(found.next().unwrap().is_ok());
    assert!(found.next().unwrap().is_err());
    assert!(found.next().is_none());
}
