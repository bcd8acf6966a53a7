//! The table of what fluxrig's library accepts and refuses, one row for each case.

use Verdict::{Accept, Ours, Refuse};

use crate::bytes::{array, bytes, data, head, hex, hop, map, nested, record, text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Refuse,
    /// Accepted here, refused by the library: identities of fluxrig up to v0.4.5.
    Ours,
}

pub(crate) type Row = (&'static str, Verdict, Vec<u8>);

pub(crate) fn all() -> Vec<Row> {
    [
        record_rows(),
        key_rows(),
        identity_rows(),
        scalar_rows(),
        raw_rows(),
        path_rows(),
        meta_rows(),
        data_rows(),
        time_rows(),
        form_rows(),
    ]
    .concat()
}

const ID: &str = "50 0192f3a011117abc8def000102030405";

fn id() -> Vec<u8> {
    hex(ID)
}

fn record_rows() -> Vec<Row> {
    vec![
        ("empty-map", Accept, hex("a0")),
        ("missing-keys", Accept, record("ts", &hex("05"))),
        ("null", Accept, hex("f6")),
        ("undefined", Accept, hex("f7")),
        ("tag-55799", Accept, hex("d9d9f7 a0")),
        ("tag-55799-twice-null", Accept, hex("d9d9f7 d9d9f7 f6")),
        ("tag-other", Accept, hex("d863 a0")),
        ("tag-0-map", Refuse, hex("c0 a0")),
        ("tag-1-map", Refuse, hex("c1 a0")),
        ("tag-2-map", Refuse, hex("c2 a0")),
        ("tag-2-null", Refuse, hex("c2 f6")),
        ("tag-1-tag-55799", Refuse, hex("c1 d9d9f7 a0")),
        ("array", Refuse, hex("80")),
        ("array-of-record", Refuse, hex("81 a0")),
        ("text", Refuse, text("x")),
        ("bytes", Refuse, bytes(b"x")),
        ("bignum", Refuse, hex("c2 41 01")),
        ("number", Refuse, hex("00")),
        ("negative", Refuse, hex("20")),
        ("true", Refuse, hex("f5")),
        ("float", Refuse, hex("f90000")),
        ("simple", Refuse, hex("e0")),
        ("nothing", Refuse, vec![]),
        ("trailing-byte", Refuse, hex("a0 00")),
        ("trailing-record", Refuse, hex("a0 a0")),
        ("trailing-break", Refuse, hex("a0 ff")),
        ("indefinite", Accept, [hex("bf"), text("ts"), hex("05 ff")].concat()),
        ("indefinite-empty", Accept, hex("bf ff")),
        ("indefinite-odd", Refuse, [hex("bf"), text("ts"), hex("ff")].concat()),
        ("indefinite-open", Refuse, [hex("bf"), text("ts"), hex("05")].concat()),
        ("probe", Accept, record("flags", &hex("01"))),
    ]
}

fn key_rows() -> Vec<Row> {
    let two = |first: (&[u8], &str), second: (&[u8], &str)| {
        map(&[(first.0.to_vec(), hex(first.1)), (second.0.to_vec(), hex(second.1))])
    };
    vec![
        ("key-unknown", Accept, record("other", &hex("00"))),
        ("key-empty", Accept, record("", &hex("00"))),
        ("key-number", Accept, hex("a1 05 00")),
        ("key-number-largest", Accept, hex("a1 1b7fffffffffffffff 00")),
        ("key-number-too-large", Refuse, hex("a1 1b8000000000000000 00")),
        ("key-negative", Accept, hex("a1 20 00")),
        ("key-negative-smallest", Accept, hex("a1 3b7fffffffffffffff 00")),
        ("key-negative-too-small", Refuse, hex("a1 3b8000000000000000 00")),
        ("key-bytes", Refuse, hex("a1 426964 00")),
        ("key-null", Refuse, hex("a1 f6 00")),
        ("key-true", Refuse, hex("a1 f5 00")),
        ("key-float", Refuse, hex("a1 f90000 00")),
        ("key-array", Refuse, hex("a1 80 00")),
        ("key-tagged-text", Refuse, hex("a1 d863 6174 00")),
        ("key-not-utf8", Refuse, hex("a1 61ff 00")),
        ("key-chunked", Accept, [hex("a1 7f 61 69 61 64 ff"), id()].concat()),
        ("key-chunked-split-character", Refuse, hex("a1 7f 61c3 61a9 ff 00")),
        ("key-upper-case", Accept, record("ID", &id())),
        ("key-mixed-case", Accept, record("Ref_Id", &id())),
        ("key-upper-case-wrong-value", Refuse, record("FLAGS", &text("x"))),
        ("key-long-s", Accept, record("ſrc_id", &hex("00"))),
        ("key-kelvin", Accept, record("\u{212a}", &hex("00"))),
        ("key-with-blank", Accept, record("id ", &hex("00"))),
        ("duplicate-first-wins", Accept, two((&text("ts"), "05"), (&text("ts"), "f5"))),
        ("duplicate-second-not-read", Refuse, two((&text("ts"), "f5"), (&text("ts"), "05"))),
        ("duplicate-other-case", Accept, two((&text("TS"), "05"), (&text("ts"), "f5"))),
        ("duplicate-after-null", Accept, two((&text("flags"), "f6"), (&text("flags"), "61ff"))),
        ("unknown-not-utf8", Accept, record("other", &hex("61ff"))),
        ("unknown-bad-time", Accept, record("other", &hex("c0 6178"))),
        ("unknown-bad-tag", Accept, record("other", &hex("c2 00"))),
        ("unknown-bad-key", Accept, record("other", &hex("a1 80 00"))),
        ("unknown-broken", Refuse, record("other", &hex("82 00"))),
    ]
}

fn identity_rows() -> Vec<Row> {
    let sixteen = |item: &str| array(&vec![hex(item); 16]);
    let mut rows = vec![
        ("id-16-bytes", Accept, record("id", &id())),
        ("id-null", Accept, record("id", &hex("f6"))),
        ("id-undefined", Accept, record("id", &hex("f7"))),
        ("id-16-numbers", Accept, record("id", &sixteen("1825"))),
        ("id-3-numbers", Accept, record("id", &hex("83 01 02 03"))),
        ("id-no-numbers", Accept, record("id", &hex("80"))),
        ("id-17-numbers", Accept, record("id", &[hex("91"), vec![1; 16], hex("61ff")].concat())),
        ("id-number-256", Refuse, record("id", &hex("81 190100"))),
        ("id-number-negative", Refuse, record("id", &hex("81 20"))),
        ("id-number-null", Accept, record("id", &hex("81 f6"))),
        ("id-number-simple", Accept, record("id", &hex("82 e5 f8ff"))),
        ("id-number-bignum", Accept, record("id", &hex("81 c2 420005"))),
        ("id-number-bignum-256", Refuse, record("id", &hex("81 c2 420100"))),
        ("id-number-tagged", Accept, record("id", &hex("82 d863 05 c1 06"))),
        ("id-number-true", Refuse, record("id", &hex("81 f5"))),
        ("id-number-float", Refuse, record("id", &hex("81 f93c00"))),
        ("id-number-bytes", Refuse, record("id", &hex("81 4105"))),
        ("id-indefinite-numbers", Accept, record("id", &hex("9f 01 02 ff"))),
        ("id-chunks", Accept, record("id", &hex("5f 48 0192f3a011117abc 48 8def000102030405 40 ff"))),
        ("id-chunks-15", Refuse, record("id", &hex("5f 48 0192f3a011117abc 47 8def0001020304 ff"))),
        ("id-tag-37", Accept, record("id", &[hex("d825"), id()].concat())),
        ("id-tag-2", Accept, record("id", &[hex("c2"), id()].concat())),
        ("id-tag-3", Accept, record("id", &[hex("c3"), id()].concat())),
        ("id-tag-0", Refuse, record("id", &[hex("c0"), id()].concat())),
        ("id-tagged-null", Accept, record("id", &hex("d825 f6"))),
        ("id-text", Refuse, record("id", &text("0192f3a0-1111-7abc-8def-000102030405"))),
        ("id-empty-bytes", Refuse, record("id", &hex("40"))),
        ("id-15-bytes", Refuse, record("id", &bytes(&[1; 15]))),
        ("id-17-bytes", Refuse, record("id", &bytes(&[1; 17]))),
        ("id-negative", Refuse, record("id", &hex("20"))),
        ("id-true", Refuse, record("id", &hex("f5"))),
        ("id-float", Refuse, record("id", &hex("fb0000000000000000"))),
        ("id-simple", Refuse, record("id", &hex("e5"))),
        ("id-map", Refuse, record("id", &hex("a0"))),
        ("id-old-number", Ours, record("id", &hex("1b0123456789abcdef"))),
        ("id-old-zero", Ours, record("id", &hex("00"))),
        ("ref-id-old-number", Ours, record("ref_id", &hex("05"))),
        ("src-id-old-number", Ours, record("src_id", &hex("05"))),
        ("hop-old-numbers", Ours, hop(&map(&[(text("g"), hex("05")), (text("p"), hex("06")), (text("t"), hex("07"))]))),
    ];
    for (name, field) in [("ref-id-text", "ref_id"), ("src-id-text", "src_id")] {
        rows.push((name, Refuse, record(field, &text("x"))));
    }
    rows
}

fn scalar_rows() -> Vec<Row> {
    vec![
        ("trace-text", Accept, record("trace", &text("0af7651916cd43dd8448eb211c80319c"))),
        ("trace-null", Accept, record("trace", &hex("f6"))),
        ("trace-chunks", Accept, record("trace", &hex("7f 6161 60 6162 ff"))),
        ("trace-bytes", Refuse, record("trace", &hex("4161"))),
        ("trace-number", Refuse, record("trace", &hex("05"))),
        ("trace-array", Refuse, record("trace", &hex("80"))),
        ("trace-not-utf8", Refuse, record("trace", &hex("61ff"))),
        ("trace-surrogate", Refuse, record("trace", &hex("63eda080"))),
        ("trace-overlong", Refuse, record("trace", &hex("62c080"))),
        ("trace-tag-0-no-time", Accept, record("trace", &hex("c0 6178"))),
        ("trace-tagged", Accept, record("trace", &hex("d863 d864 6178"))),
        ("trace-tag-2", Refuse, record("trace", &hex("c2 4161"))),
        ("flags-number", Accept, record("flags", &hex("1affffffff"))),
        ("flags-too-large", Refuse, record("flags", &hex("1b0000000100000000"))),
        ("flags-long-head", Accept, record("flags", &hex("1b0000000000000001"))),
        ("flags-negative", Refuse, record("flags", &hex("20"))),
        ("flags-float", Refuse, record("flags", &hex("f93c00"))),
        ("flags-true", Refuse, record("flags", &hex("f5"))),
        ("flags-null", Accept, record("flags", &hex("f6"))),
        ("flags-simple", Accept, record("flags", &hex("e1"))),
        ("flags-simple-255", Accept, record("flags", &hex("f8ff"))),
        ("flags-bignum", Accept, record("flags", &hex("c2 44ffffffff"))),
        ("flags-bignum-too-large", Refuse, record("flags", &hex("c2 450100000000"))),
        ("flags-bignum-negative", Refuse, record("flags", &hex("c3 40"))),
        ("flags-tag-1", Accept, record("flags", &hex("c1 01"))),
        ("flags-tag-1-text", Refuse, record("flags", &hex("c1 6131"))),
        ("flags-text", Refuse, record("flags", &text("1"))),
        ("flags-array", Refuse, record("flags", &hex("81 01"))),
        ("ts-largest", Accept, record("ts", &hex("1b7fffffffffffffff"))),
        ("ts-too-large", Refuse, record("ts", &hex("1b8000000000000000"))),
        ("ts-smallest", Accept, record("ts", &hex("3b7fffffffffffffff"))),
        ("ts-too-small", Refuse, record("ts", &hex("3b8000000000000000"))),
        ("ts-float", Refuse, record("ts", &hex("fb41d0000000000000"))),
        ("ts-null", Accept, record("ts", &hex("f7"))),
        ("ts-bignum", Accept, record("ts", &hex("c2 487fffffffffffffff"))),
        ("ts-bignum-zeros", Accept, record("ts", &hex("c2 4a00007fffffffffffffff"))),
        ("ts-bignum-too-large", Refuse, record("ts", &hex("c2 488000000000000000"))),
        ("ts-bignum-much-too-large", Refuse, record("ts", &hex("c2 49010000000000000000"))),
        ("ts-bignum-smallest", Accept, record("ts", &hex("c3 487fffffffffffffff"))),
        ("ts-bignum-too-small", Refuse, record("ts", &hex("c3 488000000000000000"))),
        ("ts-bignum-chunks", Accept, record("ts", &hex("c2 5f 4101 4102 ff"))),
        ("ts-bignum-empty", Accept, record("ts", &hex("c2 40"))),
        ("ts-bytes", Refuse, record("ts", &hex("4101"))),
        ("ts-text", Refuse, record("ts", &text("0"))),
    ]
}

fn raw_rows() -> Vec<Row> {
    vec![
        ("raw-bytes", Accept, record("raw", &hex("43 0001ff"))),
        ("raw-empty", Accept, record("raw", &hex("40"))),
        ("raw-null", Accept, record("raw", &hex("f6"))),
        ("raw-chunks", Accept, record("raw", &hex("5f 4100 4101 ff"))),
        ("raw-text", Refuse, record("raw", &text("x"))),
        ("raw-numbers", Accept, record("raw", &hex("83 00 01 18ff"))),
        ("raw-no-numbers", Accept, record("raw", &hex("80"))),
        ("raw-number-256", Refuse, record("raw", &hex("81 190100"))),
        ("raw-number-null", Accept, record("raw", &hex("82 f6 01"))),
        ("raw-number-text", Refuse, record("raw", &hex("81 6131"))),
        ("raw-indefinite-numbers", Accept, record("raw", &hex("9f 00 ff"))),
        ("raw-tag-2", Accept, record("raw", &hex("c2 4101"))),
        ("raw-tagged", Accept, record("raw", &hex("d863 4101"))),
        ("raw-number", Refuse, record("raw", &hex("01"))),
        ("raw-map", Refuse, record("raw", &hex("a0"))),
        ("raw-true", Refuse, record("raw", &hex("f5"))),
    ]
}

fn path_rows() -> Vec<Row> {
    let usual = map(&[(text("g"), id()), (text("p"), id()), (text("t"), hex("05"))]);
    let deep = |tags: usize, hop: &[u8]| record("path", &[&vec![0xc6; tags], &hex("81")[..], hop].concat());
    let g = |value: &str| hop(&map(&[(text("g"), hex(value))]));
    vec![
        ("path-null", Accept, record("path", &hex("f6"))),
        ("path-empty", Accept, record("path", &hex("80"))),
        ("path-indefinite", Accept, record("path", &hex("9f a0 a0 ff"))),
        ("path-tagged", Accept, record("path", &hex("d863 80"))),
        ("path-map", Refuse, record("path", &hex("a0"))),
        ("path-bytes", Refuse, record("path", &hex("40"))),
        ("path-tag-2", Refuse, record("path", &hex("c2 40"))),
        ("path-text", Refuse, record("path", &text(""))),
        ("path-number", Refuse, record("path", &hex("00"))),
        ("hop-whole", Accept, hop(&map(&[(text("g"), id()), (text("p"), id()), (text("t"), hex("05"))]))),
        ("hop-whole-depth-32", Accept, deep(30, &usual)),
        ("hop-whole-depth-33", Refuse, deep(31, &usual)),
        ("hop-empty-depth-32", Accept, deep(30, &hex("a0"))),
        ("hop-empty-depth-33", Refuse, deep(31, &hex("a0"))),
        ("hop-whole-time-negative", Accept, hop(&map(&[(text("g"), id()), (text("p"), id()), (text("t"), hex("20"))]))),
        ("hop-whole-time-text", Refuse, hop(&map(&[(text("g"), id()), (text("p"), id()), (text("t"), hex("6131"))]))),
        ("hop-empty", Accept, hop(&hex("a0"))),
        ("hop-null", Accept, hop(&hex("f6"))),
        ("hop-tagged-null", Accept, hop(&hex("d863 f6"))),
        ("hop-tagged", Accept, hop(&hex("d863 a0"))),
        ("hop-indefinite", Accept, hop(&hex("bf 6174 05 ff"))),
        ("hop-array", Refuse, hop(&hex("83 40 40 00"))),
        ("hop-number", Refuse, hop(&hex("00"))),
        ("hop-simple", Refuse, hop(&hex("e0"))),
        ("hop-true", Refuse, hop(&hex("f5"))),
        ("hop-text", Refuse, hop(&text("g"))),
        ("hop-bignum", Refuse, hop(&hex("c2 4101"))),
        ("hop-unknown-key", Accept, hop(&record("x", &hex("61ff")))),
        ("hop-number-key", Accept, hop(&hex("a1 01 00"))),
        ("hop-bytes-key", Refuse, hop(&hex("a1 4167 00"))),
        ("hop-upper-case", Refuse, hop(&record("T", &text("x")))),
        ("hop-duplicate", Accept, hop(&map(&[(text("t"), hex("05")), (text("T"), text("x"))]))),
        ("hop-time-float", Refuse, hop(&record("t", &hex("f90000")))),
        ("hop-time-simple", Accept, hop(&record("t", &hex("e5")))),
        ("hop-gear-text", Refuse, g("6161")),
        ("hop-gear-short", Refuse, g("4101")),
        ("hop-gear-numbers", Accept, g("82 01 02")),
        ("hop-gear-null", Accept, g("f6")),
    ]
}

fn meta_rows() -> Vec<Row> {
    let entry = |key: &str, value: &str| record("meta", &map(&[(hex(key), hex(value))]));
    vec![
        ("meta-empty", Accept, record("meta", &hex("a0"))),
        ("meta-null", Accept, record("meta", &hex("f6"))),
        ("meta-tagged", Accept, record("meta", &hex("d863 a0"))),
        ("meta-array", Refuse, record("meta", &hex("80"))),
        ("meta-text", Refuse, record("meta", &text(""))),
        ("meta-bytes", Refuse, record("meta", &hex("40"))),
        ("meta-entry", Accept, entry("6161", "6162")),
        ("meta-indefinite", Accept, record("meta", &hex("bf 6161 6162 ff"))),
        ("meta-indefinite-odd", Refuse, record("meta", &hex("bf 6161 ff"))),
        ("meta-value-number", Refuse, entry("6161", "05")),
        ("meta-value-bytes", Refuse, entry("6161", "4162")),
        ("meta-value-true", Refuse, entry("6161", "f5")),
        ("meta-value-map", Refuse, entry("6161", "a0")),
        ("meta-value-null", Accept, entry("6161", "f6")),
        ("meta-value-tagged", Accept, entry("6161", "d863 6162")),
        ("meta-value-tag-0", Accept, entry("6161", "c0 6162")),
        ("meta-value-not-utf8", Refuse, entry("6161", "61ff")),
        ("meta-key-number", Refuse, entry("05", "6162")),
        ("meta-key-bytes", Refuse, entry("4161", "6162")),
        ("meta-key-null", Accept, entry("f6", "6162")),
        ("meta-key-tagged", Accept, entry("d863 6161", "6162")),
        ("meta-key-not-utf8", Refuse, entry("61ff", "6162")),
        ("meta-null-takes-the-value-before", Accept, record("meta", &hex("a2 6161 6178 6162 f6"))),
        ("meta-null-takes-the-key-before", Accept, record("meta", &hex("a2 6161 6178 f6 6179"))),
        ("meta-last-wins", Accept, record("meta", &hex("a2 6161 6178 6161 6179"))),
    ]
}

fn data_rows() -> Vec<Row> {
    let key = |key: &str| data(&map(&[(hex(key), hex("00"))]));
    vec![
        ("data-empty", Accept, record("data", &hex("a0"))),
        ("data-null", Accept, record("data", &hex("f6"))),
        ("data-array", Refuse, record("data", &hex("80"))),
        ("data-number", Refuse, record("data", &hex("00"))),
        ("data-key-number", Refuse, record("data", &hex("a1 01 01"))),
        ("data-key-bytes", Refuse, record("data", &hex("a1 4161 01"))),
        ("data-key-null", Accept, record("data", &hex("a2 6161 01 f6 02"))),
        ("data-key-not-utf8", Refuse, record("data", &hex("a1 61ff 01"))),
        ("data-last-wins", Accept, record("data", &hex("a2 6161 01 6161 02"))),
        ("data-largest", Accept, data(&hex("1bffffffffffffffff"))),
        ("data-smallest", Accept, data(&hex("3bffffffffffffffff"))),
        ("data-bytes", Accept, data(&hex("42 00ff"))),
        ("data-text-not-utf8", Refuse, data(&hex("61ff"))),
        ("data-nested-not-utf8", Refuse, data(&hex("81 a1 6161 81 61ff"))),
        ("data-chunks", Accept, data(&hex("7f 6161 6162 ff"))),
        ("data-chunk-split-character", Refuse, data(&hex("7f 61c3 61a9 ff"))),
        (
            "data-floats",
            Accept,
            data(&hex("87 f93c00 f90001 f97e00 f9fc00 fa3fc00000 fb3ff8000000000000 fb8000000000000000")),
        ),
        ("data-plain", Accept, data(&hex("86 f4 f5 f6 f7 e0 f8ff"))),
        ("data-map-any-keys", Accept, data(&hex("a8 00 00 20 00 6161 00 4161 00 f4 00 f6 00 f93c00 00 e5 00"))),
        ("data-map-duplicates", Accept, data(&hex("a2 01 6161 01 6162"))),
        ("data-map-key-array", Refuse, key("80")),
        ("data-map-key-map", Refuse, key("a0")),
        ("data-map-key-bignum", Refuse, key("c2 4101")),
        ("data-map-key-beyond-64-bits", Refuse, key("3b8000000000000000")),
        ("data-map-key-smallest", Accept, key("3b7fffffffffffffff")),
        ("data-map-key-time", Accept, key("c1 05")),
        ("data-map-key-tagged-text", Accept, key("d863 6161")),
        ("data-map-key-tagged-bytes", Accept, key("d863 d864 4161")),
        ("data-map-key-tagged-array", Refuse, key("d863 80")),
        ("data-map-key-tagged-bignum", Refuse, key("d863 c2 4101")),
        ("data-map-key-not-utf8", Refuse, key("61ff")),
        ("data-tagged", Accept, data(&hex("d863 d9d9f7 6161"))),
        ("data-self-described", Accept, data(&hex("d9d9f7 d9d9f7 81 d9d9f7 6161"))),
        ("data-tagged-not-utf8", Refuse, data(&hex("d863 61ff"))),
        ("data-bignum", Accept, data(&hex("82 c2 49010000000000000000 c3 40"))),
        ("data-bignum-chunks", Accept, data(&hex("c2 5f 4101 ff"))),
        ("data-bignum-number", Refuse, data(&hex("c2 05"))),
        ("data-bignum-tagged", Refuse, data(&hex("c2 d863 4101"))),
        ("data-tag-21", Accept, data(&hex("d5 4101"))),
    ]
}

fn time_rows() -> Vec<Row> {
    let mut rows = vec![
        ("time-number", Accept, data(&hex("c1 1a65000000"))),
        ("time-negative", Accept, data(&hex("c1 3b7fffffffffffffff"))),
        ("time-negative-too-small", Refuse, data(&hex("c1 3b8000000000000000"))),
        ("time-number-too-large", Refuse, data(&hex("c1 1b8000000000000000"))),
        ("time-half", Accept, data(&hex("c1 f97bff"))),
        ("time-single", Accept, data(&hex("c1 fa4f000000"))),
        ("time-single-too-large", Refuse, data(&hex("c1 fa7f7fffff"))),
        ("time-double", Accept, data(&hex("c1 fbc3e0000000000000"))),
        ("time-double-largest", Accept, data(&hex("c1 fb43e0000000000000"))),
        ("time-double-too-large", Refuse, data(&hex("c1 fb43e0000000000001"))),
        ("time-double-too-small", Refuse, data(&hex("c1 fbc3e0000000000001"))),
        ("time-not-a-number", Accept, data(&hex("c1 f97e00"))),
        ("time-infinite", Accept, data(&hex("82 c1 fb7ff0000000000000 c1 fa7f800000"))),
        ("time-text-in-tag-1", Refuse, data(&hex("c1 6131"))),
        ("time-null-in-tag-1", Refuse, data(&hex("c1 f6"))),
        ("time-number-in-tag-0", Refuse, data(&hex("c0 01"))),
        ("time-tag-in-tag-0", Refuse, data(&[hex("c0 d863"), text("2026-01-01T00:00:00Z")].concat())),
        ("time-behind-other-tag", Refuse, data(&hex("d863 c0 6178"))),
        ("time-chunks", Accept, data(&[hex("c0 7f"), text("2026-01-01T0"), text("0:00:00Z"), hex("ff")].concat())),
    ];
    let mut add = |name, verdict, time: &str| rows.push((name, verdict, data(&[hex("c0"), text(time)].concat())));
    add("time-text", Accept, "2026-01-31T23:59:59Z");
    add("time-text-leap-day", Accept, "2024-02-29T00:00:00Z");
    add("time-text-leap-day-2000", Accept, "2000-02-29T00:00:00Z");
    add("time-text-no-leap-day", Refuse, "2026-02-29T00:00:00Z");
    add("time-text-no-leap-day-1900", Refuse, "1900-02-29T00:00:00Z");
    add("time-text-april-31", Refuse, "2026-04-31T00:00:00Z");
    add("time-text-day-0", Refuse, "2026-04-00T00:00:00Z");
    add("time-text-month-0", Refuse, "2026-00-01T00:00:00Z");
    add("time-text-month-13", Refuse, "2026-13-01T00:00:00Z");
    add("time-text-year-0", Accept, "0000-01-01T00:00:00Z");
    add("time-text-hour-24", Refuse, "2026-01-01T24:00:00Z");
    add("time-text-hour-one-digit", Accept, "2026-01-01T1:00:00Z");
    add("time-text-minute-60", Refuse, "2026-01-01T00:60:00Z");
    add("time-text-second-60", Refuse, "2026-01-01T00:00:60Z");
    add("time-text-fraction", Accept, "2026-01-01T00:00:00.1Z");
    add(
        "time-text-long-fraction",
        Accept,
        "2026-01-01T00:00:00.1234567890123456789012345678901234567890123456789012345678901234567890Z",
    );
    add("time-text-comma", Accept, "2026-01-01T00:00:00,5Z");
    add("time-text-no-fraction", Refuse, "2026-01-01T00:00:00.Z");
    add("time-text-offset", Accept, "2026-01-01T00:00:00+01:30");
    add("time-text-offset-largest", Accept, "2026-01-01T00:00:00-24:60");
    add("time-text-offset-25", Refuse, "2026-01-01T00:00:00+25:00");
    add("time-text-offset-61", Refuse, "2026-01-01T00:00:00+00:61");
    add("time-text-offset-no-colon", Refuse, "2026-01-01T00:00:00+0100");
    add("time-text-offset-no-sign", Refuse, "2026-01-01T00:00:00 01:00");
    add("time-text-no-zone", Refuse, "2026-01-01T00:00:00");
    add("time-text-small-z", Refuse, "2026-01-01T00:00:00z");
    add("time-text-small-t", Refuse, "2026-01-01t00:00:00Z");
    add("time-text-blank", Refuse, "2026-01-01 00:00:00Z");
    add("time-text-trailing", Refuse, "2026-01-01T00:00:00ZZ");
    add("time-text-short-year", Refuse, "226-01-01T00:00:00Z");
    add("time-text-signed-year", Refuse, "+026-01-01T00:00:00Z");
    add("time-text-empty", Refuse, "");
    rows
}

fn form_rows() -> Vec<Row> {
    let tags = |count: usize, inner: &str| [vec![0xc6; count], hex(inner)].concat();
    vec![
        ("form-depth-32", Accept, data(&nested(30, &hex("00")))),
        ("form-depth-33", Refuse, data(&nested(31, &hex("00")))),
        ("form-depth-32-skipped", Accept, record("other", &nested(31, &hex("00")))),
        ("form-depth-33-skipped", Refuse, record("other", &nested(32, &hex("00")))),
        ("form-depth-32-tags", Accept, data(&tags(31, "00"))),
        ("form-depth-33-tags", Refuse, data(&tags(32, "00"))),
        ("form-depth-32-tags-skipped", Accept, record("other", &tags(32, "00"))),
        ("form-depth-33-tags-skipped", Refuse, record("other", &tags(33, "00"))),
        ("form-depth-top-tags-32", Accept, tags(32, "a0")),
        ("form-depth-top-tags-33", Refuse, tags(33, "a0")),
        ("form-depth-top-tags-null", Accept, tags(33, "f6")),
        ("form-depth-top-tags-34-null", Refuse, tags(34, "f6")),
        ("form-depth-tags-apart", Accept, data(&[[0xc6, 0x81].repeat(30), hex("00")].concat())),
        ("form-elements-131073", Refuse, record("other", &head(4, 131_073))),
        ("form-pairs-131073", Refuse, record("other", &head(5, 131_073))),
        ("form-elements-huge", Refuse, record("other", &head(4, u64::MAX))),
        ("form-bytes-huge", Refuse, record("other", &head(2, u64::MAX))),
        ("form-text-short", Refuse, record("other", &hex("62 61"))),
        ("form-info-28", Refuse, record("other", &hex("1c"))),
        ("form-info-30-text", Refuse, record("other", &hex("7e"))),
        ("form-indefinite-number", Refuse, record("other", &hex("1f"))),
        ("form-indefinite-tag", Refuse, record("other", &hex("df 00"))),
        ("form-break", Refuse, record("other", &hex("ff"))),
        ("form-break-in-array", Refuse, record("other", &hex("82 00 ff"))),
        ("form-break-behind-tag", Refuse, record("other", &hex("9f c6 ff ff"))),
        ("form-tag-alone", Refuse, record("other", &hex("c6"))),
        ("form-simple-24", Refuse, record("other", &hex("f818"))),
        ("form-simple-31", Refuse, record("other", &hex("f81f"))),
        ("form-simple-32", Accept, record("other", &hex("f820"))),
        ("form-simple-null-long", Refuse, record("other", &hex("f816"))),
        ("form-chunk-other-type", Refuse, record("other", &hex("5f 6161 ff"))),
        ("form-chunk-indefinite", Refuse, record("other", &hex("5f 5f 4161 ff ff"))),
        ("form-chunk-tagged", Refuse, record("other", &hex("5f c6 4161 ff"))),
        ("form-chunks-none", Accept, record("other", &hex("5f ff"))),
        ("form-chunks-open", Refuse, record("other", &hex("5f 4161"))),
        ("form-truncated-head", Refuse, record("other", &hex("19 01"))),
        ("form-truncated-float", Refuse, record("other", &hex("fb 00"))),
        ("form-skipped-map-odd", Refuse, record("other", &hex("bf 00 ff"))),
        ("form-non-minimal", Accept, [hex("bb0000000000000001 7b0000000000000002"), hex("7473 1900 05")].concat()),
    ]
}
