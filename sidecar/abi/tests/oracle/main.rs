//! A million random records, edited here and checked by fluxrig's own library.
//!
//! The oracle makes the records, sends them, gets them back edited and compares: the same message with two hops more,
//! and by the number of the record an identity, entries of `meta`, or `flux.port` taken out. Nothing else may differ.
//! `WASMGEAR_ORACLE_MESSAGES` and `WASMGEAR_SEED` change how many and which.
#![cfg(test)]

#[path = "../support/oracle.rs"]
mod oracle;

use std::io::{BufReader, BufWriter, Write};

use gear_abi::{Edit, Hop, Limits, Uuid, peek, splice};

/// Records have up to 63 hops, and get two more.
const LIMITS: Limits = Limits { hops: 65, payload: 2 << 20 };

#[test]
fn a_million_spliced_records_are_the_same_messages_to_the_library() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let (count, seed) = (setting("WASMGEAR_ORACLE_MESSAGES", "1000000"), setting("WASMGEAR_SEED", "20261028"));
    let mut oracle = oracle::start(&["splice", "-seed", &seed, "-count", &count]);
    let mut input = BufReader::with_capacity(1 << 20, oracle.stdout.take().unwrap());
    let mut out = BufWriter::with_capacity(1 << 16, oracle.stdin.take().unwrap());
    let (mut number, mut record, mut arrived) = (0u64, Vec::new(), Vec::new());
    while oracle::read_record(&mut input, &mut record).unwrap() {
        let time = i64::try_from(number).unwrap() * 1_000_003 - 5_000_000_000;
        let arrival = Hop::new(numbered(number, 1), numbered(number, 2), time);
        arrived.clear();
        splice(&peek(&record, &LIMITS).unwrap(), &Edit::hop(arrival), &LIMITS).unwrap().append_to(&mut arrived);

        let entries = [
            ("traceparent", format!("00-{:032x}-{:016x}-01", number + 1, number + 2)),
            ("tracestate", format!("wasmgear={number}")),
        ];
        let entries: Vec<(&str, &str)> = entries.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut edit = Edit::hop(Hop::new(numbered(number, 3), numbered(number, 4), time + 1));
        if matches!(number % 5, 1 | 4) {
            edit = edit.with_id(numbered(number, 5));
        }
        if matches!(number % 5, 2 | 4) {
            edit = edit.with_meta(&entries);
        }
        if matches!(number % 5, 3 | 4) {
            edit = edit.without_port();
        }
        let arrived = peek(&arrived, &LIMITS).unwrap();
        let edited = splice(&arrived, &edit, &LIMITS).unwrap();
        let pieces: Vec<&[u8]> = edited.iter().collect();
        oracle::write_record(&mut out, &pieces).expect("the oracle reads on; see above why it ended");
        number += 1;
    }
    out.flush().unwrap();
    drop(out);
    assert!(oracle.wait().unwrap().success(), "the oracle found a difference, see above");
    assert_eq!(number.to_string(), count);
}

fn numbered(number: u64, part: u8) -> Uuid {
    let mut id = [part; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Uuid(id)
}
