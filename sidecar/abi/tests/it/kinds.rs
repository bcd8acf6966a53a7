//! Every kind of value, and every place of a record.

use crate::bytes::{array, bytes, head, hex, hop, map, record, text};

/// Values of every kind, plain and behind tags.
pub(crate) fn of_values() -> Vec<Vec<u8>> {
    let mut values = plain();
    for tag in [0, 1, 2, 3, 21, 99, 55_799] {
        for value in plain() {
            values.push([head(6, tag), value.clone()].concat());
            values.push([head(6, 99), head(6, tag), value.clone()].concat());
            values.push([head(6, tag), head(6, 55_799), value].concat());
        }
    }
    values
}

/// Whole numbers around the limits of 8, 32 and 64 bits, signed and unsigned; strings, whole and in chunks; arrays and
/// maps; simple values and floats; things that are not well-formed.
const PLAIN: &str = "
    00 17 18ff 190100 1affffffff 1b0000000100000000 1b7fffffffffffffff 1b8000000000000000 1bffffffffffffffff
    20 38ff 3b7fffffffffffffff 3b8000000000000000 3bffffffffffffffff
    40 4101 42ffff 487fffffffffffffff 488000000000000000 49010000000000000000 5fff 5f41014102ff
    60 6161 61ff 62c3a9 7fff 7f61616162ff 7f61c361a9ff
    80 8105 8305f6e5 8120 811a00010000 816161 8161ff 81a0 9f05ff
    a0 a1616105 a161616162 a10505 a18005 a1416105 a1f605 a1c2410105 bfff bf6161f6ff a2616161f66162f6
    f4 f5 f6 f7 e0 f3 f820 f8ff
    f93c00 f97e00 fa4f000000 fa7f7fffff fb3ff8000000000000 fb43e0000000000000 fb43e0000000000001 fb7ff0000000000000
    1c ff f818 5f6161ff 8200";

fn plain() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = PLAIN.split_whitespace().map(hex).collect();
    values.push(vec![]);
    values.push(bytes(&[7; 15]));
    values.push(bytes(&[7; 16]));
    values.push(bytes(&[7; 17]));
    values.push(array(&vec![hex("18ff"); 20]));
    values.push(text("2026-02-28T12:00:00Z"));
    values.push(text("2026-02-30T12:00:00Z"));
    values
}

/// Records with the value in each place where a value can be.
pub(crate) fn in_every_place(value: &[u8]) -> Vec<Vec<u8>> {
    let value = || value.to_vec();
    let mut records: Vec<Vec<u8>> =
        ["id", "ref_id", "trace", "src_id", "meta", "data", "flags", "raw", "path", "ts", "unknown", "TS"]
            .into_iter()
            .map(|field| record(field, &value()))
            .collect();
    records.extend(["g", "p", "t", "x"].map(|key| hop(&record(key, &value()))));
    let data = |inner: Vec<u8>| record("data", &record("k", &inner));
    records.extend([
        value(),
        map(&[(value(), hex("00"))]),
        hop(&value()),
        hop(&map(&[(value(), hex("00"))])),
        record("id", &array(&[value()])),
        record("raw", &array(&[hex("01"), value()])),
        record("meta", &map(&[(text("a"), text("b")), (value(), text("c"))])),
        record("meta", &map(&[(text("a"), text("b")), (text("c"), value())])),
        record("data", &map(&[(text("a"), text("b")), (value(), hex("00"))])),
        data(value()),
        data(array(&[value()])),
        data(map(&[(value(), hex("00"))])),
        data(map(&[(hex("00"), value())])),
        data([hex("c6"), value()].concat()),
        // a second one of the same name, which nobody reads
        map(&[(text("ts"), hex("00")), (text("ts"), value())]),
    ]);
    records
}
