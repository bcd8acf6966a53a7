use alloc::{string::ToString, vec::Vec};

use super::*;

const LIMITS: Limits = Limits { hops: 64, payload: 2 << 20 };

/// A record with these bytes behind the head of a map.
fn record(pairs: u8, rest: &[u8]) -> Vec<u8> {
    [&[0xa0 + pairs], rest].concat()
}

fn found(bytes: &[u8]) -> Peek<'_> {
    peek(bytes, &LIMITS).unwrap()
}

#[test]
fn the_parts_of_a_record_are_found() {
    let id = [9; 16];
    let bytes = [&b"\xa3\x62id\x50"[..], &id, b"\x64meta\xa1\x61a\x61b\x64path\x82\xa0\xa0"].concat();
    let found = found(&bytes);
    assert_eq!((found.id(), found.hops(), found.payload()), (Id::from(id), 2, 2));
    let part = |range: Option<Range<usize>>| bytes.get(range.unwrap()).unwrap();
    assert_eq!(part(found.id_range()), [&[0x50][..], &id].concat());
    assert_eq!(part(found.meta_range()), b"\xa1\x61a\x61b");
    assert_eq!(part(found.path_range()), b"\x82\xa0\xa0");
}

#[test]
fn ranges_reach_behind_the_break_and_begin_behind_the_tags() {
    let bytes = record(1, b"\x64path\xd8\x63\xd8\x63\x9f\xa0\xff");
    assert_eq!(found(&bytes).path_range(), Some(10..13));
    let bytes = record(1, b"\x64path\xd8\x63\xf6");
    assert_eq!(found(&bytes).path_range(), Some(8..9));
    assert_eq!(found(&[0xa0]).path_range(), None);
}

#[test]
fn the_first_field_of_a_name_counts_in_any_letter_case() {
    let bytes = record(3, b"\x65Flags\x02\x65flags\x01\x65FLAGS\xf5");
    assert_eq!(found(&bytes).flags(), 2);
    let bytes = record(2, b"\x65flags\xf6\x65flags\x01");
    assert!(!found(&bytes).is_probe());
}

#[test]
fn the_last_entry_of_a_name_counts_in_meta() {
    let bytes = record(1, b"\x64meta\xa2\x67baggage\x61x\x67baggage\x61y");
    assert_eq!(found(&bytes).baggage().as_deref(), Some("y"));
    let bytes = record(1, b"\x64meta\xa1\x67Baggage\x61x");
    assert_eq!(found(&bytes).baggage(), None, "keys of meta have one letter case");
}

#[test]
fn entries_in_chunks_are_found() {
    let bytes = record(1, b"\x64meta\xa1\x7f\x65flux.\x64port\xff\x7f\x61\x61\x60\x62re\xff");
    assert_eq!(found(&bytes).port().as_deref(), Some("are"));
}

#[test]
fn null_in_meta_takes_what_was_before() {
    let bytes = record(1, b"\x64meta\xa3\x69flux.port\x61x\xf6\x61y\x67baggage\xf6");
    let found = found(&bytes);
    assert_eq!((found.port().as_deref(), found.baggage().as_deref()), (Some("y"), Some("y")));
    // 9 + 1, 9 + 1, 7 + 1: before anything is replaced.
    assert_eq!(found.payload(), 28);
}

#[test]
fn both_forms_of_identity_are_read() {
    let bytes = record(1, b"\x62id\x1b\x01\x23\x45\x67\x89\xab\xcd\xef");
    assert_eq!(found(&bytes).id(), Id::Number(0x0123_4567_89ab_cdef));
    assert!(found(&bytes).has_numeric_ids());
    for numeric in
        [&b"\x66ref_id\x05"[..], b"\x66src_id\x05", b"\x64path\x81\xa1\x61g\x05", b"\x64path\x81\xa1\x61p\x05"]
    {
        assert!(found(&record(1, numeric)).has_numeric_ids(), "{numeric:02x?}");
    }
    assert!(!found(&record(1, b"\x62id\x81\x05")).has_numeric_ids());
}

#[test]
fn an_error_names_the_byte_the_field_and_what_was_expected() {
    for (bytes, sentence) in [
        (record(1, b"\x65flags\x20"), "not a fluxMsg: field flags, byte 7: expected an unsigned number of 32 bits"),
        (record(1, b"\x64meta\xa1\x61a\x01"), "not a fluxMsg: field meta, byte 9: expected a text"),
        (record(1, b"\x61x\x81"), "not a fluxMsg: byte 4: the bytes end inside an item"),
        (record(0, b"\x00"), "not a fluxMsg: byte 1: the record ends here, but bytes follow"),
        (b"\x80".to_vec(), "not a fluxMsg: byte 0: expected one map, or null"),
    ] {
        assert_eq!(peek(&bytes, &LIMITS).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn a_sequence_ends_at_the_first_record_that_is_none() {
    let bytes = b"\xa0\xf6\xa1\x65flags\x01\x80\xa0";
    let lengths: Vec<_> = records(bytes, &LIMITS).map(|record| record.map(|record| record.bytes().len())).collect();
    assert_eq!(lengths.len(), 4);
    assert_eq!(lengths.get(..3).unwrap(), [Ok(1), Ok(1), Ok(8)]);
    assert_eq!(lengths.last().unwrap().unwrap_err().at(), 10, "bytes are counted from the beginning of the sequence");
    assert_eq!(records(b"", &LIMITS).count(), 0);
}
