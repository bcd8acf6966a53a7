//! Our verdicts against those of fluxrig's library, and what was read against what it reads.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    process::Child,
};

use gear_abi::{Limits, Message, peek};

use crate::{
    canonical, kinds, oracle,
    random::Random,
    rows::{self, Verdict},
};

#[test]
fn every_row_gets_the_verdict_of_the_table_and_of_the_library() {
    let rows = rows::all();
    let records: Vec<Vec<u8>> = rows.iter().map(|(_, _, record)| record.clone()).collect();
    let mut wrong = Vec::new();
    let mut next = rows.iter();
    judge(&records, |record, theirs| {
        let (name, verdict, _) = next.next().unwrap();
        let (ours, accepts) = (peek(record, &Limits::default()), *verdict != Verdict::Refuse);
        if ours.is_ok() != accepts {
            wrong.push(format!("{name}: we say {ours:?}"));
        }
        if is_accepted(theirs) != (*verdict == Verdict::Accept) {
            wrong.push(format!("{name}: the library says {theirs}"));
        }
        if let Some(difference) = difference(record, theirs) {
            wrong.push(format!("{name}: {difference}"));
        }
    });
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The table has one row for each rule; this has one record for each kind of value in each place.
#[test]
fn every_kind_of_value_in_every_place_gets_the_verdict_of_the_library() {
    let mut records = Vec::new();
    for value in kinds::of_values() {
        records.extend(kinds::in_every_place(&value));
    }
    let (mut accepted, mut wrong, count) = (0, Vec::new(), records.len());
    judge(&records, |record, theirs| {
        accepted += usize::from(is_accepted(theirs));
        wrong.extend(difference(record, theirs).filter(|_| wrong.len() < 20));
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!((count / 10..count / 2).contains(&accepted), "{accepted} of {count} were accepted");
}

#[test]
fn damaged_records_get_the_verdict_of_the_library() {
    let count = count_from("WASMGEAR_MUTATIONS", 100_000);
    let seed = count_from("WASMGEAR_SEED", 7) as u64;
    let mut random = Random::new(seed);
    let seeds: Vec<Vec<u8>> =
        rows::all().into_iter().map(|(_, _, record)| record).chain(generated(seed, 2_000)).collect();
    let records: Vec<Vec<u8>> = (0..count)
        .map(|_| {
            let mut record = seeds[random.below(seeds.len())].clone();
            for _ in 0..=random.below(2) {
                random.mutate(&mut record);
            }
            record
        })
        .collect();
    let (mut accepted, mut wrong) = (0, Vec::new());
    judge(&records, |record, theirs| {
        accepted += usize::from(is_accepted(theirs));
        wrong.extend(difference(record, theirs).filter(|_| wrong.len() < 20));
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A test in which nearly everything is refused at the first byte would compare nothing.
    assert!((count / 10..count).contains(&accepted), "{accepted} of {count} were accepted");
}

#[test]
fn what_we_write_is_what_the_library_reads() {
    let mut records = Vec::new();
    for original in generated(3, 5_000) {
        records.push(Message::decode(&original).unwrap().encode());
        records.push(original);
    }
    let mut previous = None;
    judge(&records, |record, theirs| match previous.take() {
        None => previous = Some((record.to_vec(), theirs.clone())),
        Some((ours, read)) => assert_eq!(&read, theirs, "we wrote {ours:02x?} for {record:02x?}"),
    });
}

/// How our reading of a record differs from the library's.
fn difference(record: &[u8], theirs: &serde_json::Value) -> Option<String> {
    let ours = peek(record, &Limits::default());
    let decoded = Message::decode(record);
    assert_eq!(ours.is_ok(), decoded.is_ok(), "peek and decode disagree about {record:02x?}");
    let numeric = ours.is_ok_and(|found| found.has_numeric_ids());
    match (decoded, is_accepted(theirs)) {
        (Ok(_), true) if numeric => Some(format!("a number was accepted for an identity by both: {record:02x?}")),
        (Ok(message), true) => {
            let read = canonical::message(&message);
            (read != theirs["message"])
                .then(|| format!("we read {read}\nthe library {}\nin {record:02x?}", theirs["message"]))
        }
        (Ok(_), false) if !numeric => Some(format!("we accept, the library says {theirs}: {record:02x?}")),
        (Err(error), true) => Some(format!("{error}, the library accepts: {record:02x?}")),
        _ => None,
    }
}

fn is_accepted(verdict: &serde_json::Value) -> bool {
    verdict["accept"].as_bool().unwrap()
}

/// Asks the library about each record, and hands each to `answer` with what it said.
fn judge(records: &[Vec<u8>], mut answer: impl FnMut(&[u8], &serde_json::Value)) {
    let mut oracle = oracle::start(&["judge"]);
    let mut out = BufWriter::new(oracle.stdin.take().unwrap());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for record in records {
                oracle::write_record(&mut out, &[record]).unwrap();
            }
            drop(out);
        });
        let mut lines = BufReader::new(oracle.stdout.take().unwrap()).lines();
        for record in records {
            let line = lines.next().expect("a line for each record").unwrap();
            answer(record, &serde_json::from_str(&line).unwrap());
        }
        writer.join().unwrap();
    });
    finish(oracle);
}

/// Valid records in odd encodings, made by the oracle.
fn generated(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let (seed, count) = (seed.to_string(), count.to_string());
    let mut oracle = oracle::start(&["generate", "-seed", &seed, "-count", &count]);
    let mut input = BufReader::new(oracle.stdout.take().unwrap());
    let (mut records, mut buffer) = (Vec::new(), Vec::new());
    while oracle::read_record(&mut input, &mut buffer).unwrap() {
        records.push(buffer.clone());
    }
    finish(oracle);
    assert_eq!(records.len().to_string(), count);
    records
}

fn finish(mut oracle: Child) {
    drop(oracle.stdin.take());
    assert!(oracle.wait().unwrap().success(), "the oracle failed, see above");
    std::io::stderr().flush().unwrap();
}

fn count_from(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}
