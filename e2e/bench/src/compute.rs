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

/// A record that is worth computing on: many payments in one.
fn batch() -> Vec<u8> {
    let mut message = Message::default();
    let payments = (0..PAYMENTS).map(|n| {
        let mut payment = gear_abi::Map::new();
        payment.push(Value::from("n"), Value::from(u64::from(n)));
        payment.push(Value::from("pan"), Value::from(format!("41111111{n:08}")));
        payment.push(Value::from("amount"), Value::from(1_250u64 + u64::from(n)));
        payment.push(Value::from("merchant"), Value::from("Corner shop, 12 Long Street, Springfield"));
        payment.push(Value::from("note"), Value::from(format!("paid with card 5500 0000 {n:04} 0004 at the till")));
        Value::Map(payment)
    });
    message.data.push("payments".into(), Value::Array(payments.collect()));
    message.encode()
}
