use alloc::{string::ToString, vec, vec::Vec};

use super::*;

const LIMITS: Limits = Limits { hops: 100_000, payload: 2 << 20 };
const HOP: Hop = Hop { g: crate::Id::Number(1), p: crate::Id::Number(2), t: 3 };
/// `HOP` as it is written.
const WRITTEN: &[u8] = b"\xa3\x61g\x01\x61p\x02\x61t\x03";

fn spliced(bytes: &[u8], edit: Edit<'_>) -> Vec<u8> {
    let parts = splice(&peek(bytes, &LIMITS).unwrap(), &edit, &LIMITS).unwrap();
    let whole = parts.to_vec();
    assert_eq!(whole.len(), parts.len());
    let hops = peek(&whole, &LIMITS).unwrap().hops();
    assert_eq!((hops, parts.is_empty()), (parts.hops(), false));
    whole
}

/// Appends `HOP` to a record; `$` stands for it in what is expected.
#[track_caller]
fn appended(bytes: &[u8], expected: &[&[u8]]) {
    assert_eq!(spliced(bytes, Edit::hop(HOP)), expected.join(WRITTEN));
}

#[test]
fn a_hop_goes_behind_the_last_one() {
    appended(b"\xa1\x64path\x80", &[b"\xa1\x64path\x81", b""]);
    appended(b"\xa2\x64path\x81\xa0\x62ts\x05", &[b"\xa2\x64path\x82\xa0", b"\x62ts\x05"]);
    appended(b"\xa1\x64path\x9f\xa0\xff", &[b"\xa1\x64path\x9f\xa0", b"\xff"]);
    appended(b"\xa1\x64path\xd8\x63\x80", &[b"\xa1\x64path\xd8\x63\x81", b""]);
    appended(b"\xa1\x64path\x98\x01\xa0", &[b"\xa1\x64path\x82\xa0", b""]);
}

#[test]
fn a_null_path_becomes_one_with_a_hop() {
    appended(b"\xa2\x64path\xf6\x62ts\x05", &[b"\xa2\x64path\x81", b"\x62ts\x05"]);
    appended(b"\xa1\x64path\xd8\x63\xf7", &[b"\xa1\x64path\xd8\x63\x81", b""]);
}

#[test]
fn a_missing_path_is_appended() {
    appended(b"\xa0", &[b"\xa1\x64path\x81", b""]);
    appended(b"\xa1\x62ts\x05", &[b"\xa2\x62ts\x05\x64path\x81", b""]);
    appended(b"\xbf\x62ts\x05\xff", &[b"\xbf\x62ts\x05\x64path\x81", b"\xff"]);
    appended(b"\xd9\xd9\xf7\xbf\xff", &[b"\xd9\xd9\xf7\xbf\x64path\x81", b"\xff"]);
    appended(b"\xf6", &[b"\xa1\x64path\x81", b""]);
    appended(b"\xd9\xd9\xf7\xf7", &[b"\xd9\xd9\xf7\xa1\x64path\x81", b""]);
}

#[test]
fn the_path_that_counts_gets_the_hop() {
    appended(b"\xa2\x64PATH\x80\x64path\x80", &[b"\xa2\x64PATH\x81", b"\x64path\x80"]);
    appended(b"\xa2\x64path\xf6\x64path\x81\xa0", &[b"\xa2\x64path\x81", b"\x64path\x81\xa0"]);
}

#[test]
fn heads_grow_with_what_they_count() {
    for (count, before, after) in [
        (22, &b"\x96"[..], &b"\x97"[..]),
        (23, b"\x97", b"\x98\x18"),
        (255, b"\x98\xff", b"\x99\x01\x00"),
        (65_535, b"\x99\xff\xff", b"\x9a\x00\x01\x00\x00"),
    ] {
        let hops = vec![0xa0; count];
        let bytes = [b"\xa1\x64path", before, &hops].concat();
        appended(&bytes, &[&[b"\xa1\x64path", after, &hops].concat(), b""]);
    }
    let pairs = b"\x61x\x00".repeat(23);
    let longer = [b"\xb8\x18", pairs.as_slice(), b"\x64path\x81"].concat();
    appended(&[b"\xb7", pairs.as_slice()].concat(), &[&longer, b""]);
}

#[test]
fn everything_else_stays_as_it_is() {
    let odd: &[u8] = b"\x78\x04data\xbf\x7f\x61a\x60\xff\xf9\x3c\x00\x61a\xc1\x1b\0\0\0\0\0\0\0\x01\xff\x05\x61\xff\x62ID\x80\x62id\xf5";
    let bytes = [b"\xa5", odd, b"\x64path\x80"].concat();
    appended(&bytes, &[&[b"\xa5", odd, b"\x64path\x81"].concat(), b""]);
}

#[test]
fn an_identity_is_set_where_it_counts() {
    let id = Uuid([7; 16]);
    let edit = Edit::hop(HOP).with_id(id);
    let written = [&[0x50][..], &id.0].concat();
    let expect = |before: &[u8], between: &[u8]| [before, &written, between, WRITTEN].concat();
    assert_eq!(spliced(b"\xa2\x62ID\xf6\x64path\x80", edit), expect(b"\xa2\x62ID", b"\x64path\x81"));
    assert_eq!(spliced(b"\xa2\x62id\xd8\x25\x81\x05\x64path\x80", edit), expect(b"\xa2\x62id", b"\x64path\x81"));
    assert_eq!(spliced(b"\xf6", edit), expect(b"\xa2\x62id", b"\x64path\x81"));
    let parts = splice(&peek(b"\xa0", &LIMITS).unwrap(), &edit, &LIMITS).unwrap();
    assert_eq!(parts.id(), id.into());
}

/// The path is the last field, so the hop and what is added to the record go to the same place: the hop first.
#[test]
fn what_is_added_to_the_record_goes_behind_the_hop() {
    let id = Uuid([7; 16]);
    let expected = [b"\xa2\x64path\x81", WRITTEN, b"\x62id\x50", &id.0].concat();
    assert_eq!(spliced(b"\xa1\x64path\x80", Edit::hop(HOP).with_id(id)), expected);
}

const SET: [(&str, &str); 2] = [("traceparent", "00"), ("a", "")];

#[track_caller]
fn meta(before: &[u8], edit: Edit<'_>, after: &[u8]) {
    let whole = |meta: &[u8], path: &[u8]| [b"\xa2\x64meta", meta, b"\x64path", path].concat();
    let expected = whole(after, &[b"\x81", WRITTEN].concat());
    assert_eq!(spliced(&whole(before, b"\x80"), edit), expected);
}

#[test]
fn entries_of_meta_are_set() {
    let edit = Edit::hop(HOP).with_meta(&SET);
    meta(b"\xa0", edit, b"\xa2\x6btraceparent\x6200\x61a\x60");
    meta(b"\xf6", edit, b"\xa2\x6btraceparent\x6200\x61a\x60");
    meta(b"\xa1\x61b\x61c", edit, b"\xa3\x61b\x61c\x6btraceparent\x6200\x61a\x60");
    meta(b"\xbf\x61b\x61c\xff", edit, b"\xbf\x61b\x61c\x6btraceparent\x6200\x61a\x60\xff");
    // All of a name are replaced.
    meta(b"\xa3\x61a\x61x\x61b\x61c\x61a\x61y", edit, b"\xa3\x61b\x61c\x6btraceparent\x6200\x61a\x60");
    let appended = spliced(b"\xa1\x64path\x80", edit);
    assert!(appended.ends_with(b"\x64meta\xa2\x6btraceparent\x6200\x61a\x60"), "{appended:02x?}");
}

#[test]
fn the_port_is_removed() {
    let edit = Edit::hop(HOP).without_port();
    meta(b"\xa2\x69flux.port\x61x\x61b\x61c", edit, b"\xa1\x61b\x61c");
    meta(b"\xa3\x69flux.port\x61x\x61b\x61c\x7f\x64flux\x65.port\xff\x61y", edit, b"\xa1\x61b\x61c");
    meta(b"\xbf\x69flux.port\x61x\xff", edit, b"\xbf\xff");
    meta(b"\xa1\x69Flux.port\x61x", edit, b"\xa1\x69Flux.port\x61x");
    meta(b"\xf6", edit, b"\xf6");
    meta(b"\xa2\x69flux.port\x61x\xf6\x61y", edit, b"\xa0");
}

#[test]
fn a_null_that_stood_for_a_removed_value_gets_it() {
    let edit = Edit::hop(HOP).without_port();
    meta(b"\xa3\x69flux.port\x61x\x61b\xf6\x61c\xf7", edit, b"\xa2\x61b\x61x\x61c\x61x");
    meta(b"\xa3\x61a\x61y\x69flux.port\xf6\x61b\xf6", edit, b"\xa2\x61a\x61y\x61b\xf6");
}

#[test]
fn a_full_record_says_what_has_no_room() {
    let limits = Limits { hops: 1, payload: 5 };
    let found = peek(b"\xa1\x64path\x81\xa0", &limits).unwrap();
    let refused = splice(&found, &Edit::hop(HOP), &limits).unwrap_err();
    assert_eq!(refused.to_string(), "field path has no room for a hop: at most 1 are allowed");
    let refused = splice(&peek(b"\xa0", &limits).unwrap(), &Edit::hop(HOP).with_meta(&SET), &limits).unwrap_err();
    assert_eq!(refused, NoRoom::Payload { limit: 5 });
}

#[test]
fn parts_are_written_only_where_they_fit() {
    let parts = splice(&peek(b"\xa0", &LIMITS).unwrap(), &Edit::hop(HOP), &LIMITS).unwrap();
    assert!(parts.copy_to(&mut vec![0; parts.len()]));
    assert!(!parts.copy_to(&mut vec![0; parts.len() + 1]));
    assert!(!parts.copy_to(&mut vec![0; parts.len() - 1]));
    assert_eq!(parts.iter().map(<[u8]>::len).sum::<usize>(), parts.len());
}
