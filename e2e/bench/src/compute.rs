//! The masker's own work, natively and in the sandbox: the same code over the same large record, in turns.
//!
//! From the time of a call in the sandbox that of an echo of the same record is taken off: copies in and out, entering and
//! leaving are the call's cost, which is measured elsewhere.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use gear_abi::{Message, Value};
use gear_config::Instance;
use gear_host::Guest;
use pan_masker::{Keep, process_in_place};

use crate::{
    Size,
    call::call,
    gear::Bench,
    measure::{micros, percentile},
    report::{Bound, Figure, Report},
    say,
};

const PART: &str = "compute";
/// Payments in the record.
const PAYMENTS: u32 = 200;
/// Records of each round are so many, for a median.
const RECORDS: u32 = 500;
/// Rounds for each round of the loops: they are short.
const ROUNDS: u32 = 4;

pub(crate) async fn measure(bench: &Bench, size: Size, report: &mut Report) -> Result<()> {
    let masker = bench.guest("pan-masker-v1", Instance::persistent()).await?;
    let echo = bench.guest("echo-c", Instance::persistent()).await?;
    let record = batch();
    let mut native = vec![];
    let mut sandboxed = vec![];
    let mut ratios = vec![];
    for _ in 0..size.pairs * ROUNDS {
        let (masker, echo, record) = (masker.clone(), echo.clone(), record.clone());
        let round = bench.threads.run(async move {
            let native = natively(&record)?;
            let (masker, echo) = (called(&masker, &record).await?, called(&echo, &record).await?);
            anyhow::Ok((native, masker.saturating_sub(echo)))
        });
        let (plain, guest) = round.await??;
        native.push(micros(plain));
        sandboxed.push(micros(guest));
        ratios.push(micros(plain) / micros(guest));
    }
    let length = record.len();
    let figure = |name: &str, unit, values| Figure::new(PART, name, unit, RECORDS, values);
    report.figure(figure(&format!("masker over {length} bytes, native"), "µs", native));
    report.figure(figure(&format!("masker over {length} bytes, wasm"), "µs", sandboxed));
    report.bar(Bound::AtLeast(0.7), figure("masker, speed of wasm / native", "×", ratios));
    say("compute is done");
    Ok(())
}

fn natively(record: &[u8]) -> Result<Duration> {
    let mut spans = vec![];
    let mut place = record.to_vec();
    for _ in 0..RECORDS {
        place.copy_from_slice(record);
        let begin = Instant::now();
        let replaced = std::hint::black_box(process_in_place(std::hint::black_box(&mut place), Keep::LAST_FOUR));
        spans.push(begin.elapsed());
        ensure!(matches!(replaced, Ok(None)) && place != record, "nothing was masked");
    }
    Ok(median(spans))
}

async fn called(guest: &Guest, record: &[u8]) -> Result<Duration> {
    let mut spans = vec![];
    for _ in 0..RECORDS {
        let begin = Instant::now();
        let length = call(guest, record).await?;
        spans.push(begin.elapsed());
        ensure!(length == record.len(), "{length} bytes came back of {}", record.len());
    }
    Ok(median(spans))
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    percentile(&spans, 50)
}

/// A record that is worth computing on: many payments in one, each shaped as a rack's ISO 8583 gears write them, with card
/// numbers where they turn up.
fn batch() -> Vec<u8> {
    let mut message = Message::default();
    message.data.push("payments".into(), Value::Array((0..PAYMENTS).map(payment).collect()));
    message.encode()
}

fn payment(n: u32) -> Value {
    let amount = format!("{:012}", 1_250 + n);
    let pan = format!("41111111{n:08}");
    let mut fields = vec![
        ("3", Value::from("000000")),
        ("4", Value::from(amount.clone())),
        ("7", Value::from("0102150405")),
        ("11", Value::from(format!("{n:06}"))),
        ("37", Value::from(format!("{:012}", 7_919 * u64::from(n)))),
        ("41", Value::from(format!("TERM{n:04}"))),
        ("42", Value::from(format!("MERCHANT{n:07}"))),
        ("49", Value::from("978")),
        ("52", Value::from(&[0xa5; 8][..])),
    ];
    let mut card = vec![("exp", Value::from("2904"))];
    let mut rest = vec![];
    // In tens of a hundred as the generator of the tests has them, but for numbers, which change the record's length.
    match n % 20 {
        0..11 => card.push(("pan", Value::from(pan))),
        11..14 => fields.push(("2", Value::from(pan))),
        14..16 => rest.push(("note", Value::from(format!("customer read {pan} over the phone")))),
        16..18 => rest.push(("customer", map(vec![("wallet", map(vec![("number", Value::from(pan))]))]))),
        18 => card.push(("pan", Value::from("5500 0000 0000 0004"))),
        _ => rest.push(("note", Value::from("ref 5500-0000-0000-0004 see ticket"))),
    }
    let mut parts = vec![
        ("n", Value::from(u64::from(n))),
        ("card", map(card)),
        ("amount", map(vec![("transaction", Value::from(amount)), ("currency", Value::from("978"))])),
        ("trace", map(vec![("stan", Value::from(format!("{n:06}")))])),
        ("iso8583", map(vec![("field", map(fields))])),
        ("online", Value::from(n.is_multiple_of(2))),
        ("score", Value::from(0.25)),
    ];
    parts.append(&mut rest);
    map(parts)
}

fn map(parts: Vec<(&str, Value)>) -> Value {
    let mut map = gear_abi::Map::new();
    for (name, value) in parts {
        map.push(Value::from(name), value);
    }
    Value::Map(map)
}
