//! How long the codec takes on one core: `cargo bench -p gear-abi`.
//!
//! Prints the median and the fastest of many rounds, in nanoseconds per record, for records of several sizes as
//! payments have them.

use std::{error::Error, hint::black_box, time::Instant};

use gear_abi::{Edit, Hop, Limits, Message, peek, splice};

const ROUNDS: u32 = 51;
const RECORDS: u32 = 20_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("{:<24}{:>10}{:>14}{:>14}", "operation", "bytes", "median ns", "fastest ns");
    for size in [256, 512, 1024, 4096] {
        let bytes = payment(size)?.encode();
        let message = Message::decode(&bytes)?;
        let (limits, edit) = (Limits::default(), Edit::hop(Hop::new([1; 16], [2; 16], 3)));
        let mut target = Vec::with_capacity(2 * size);
        report("peek", &bytes, |bytes| Ok(peek(bytes, &limits)?.hops()))?;
        report("peek, splice, copy", &bytes, |bytes| {
            target.clear();
            splice(&peek(bytes, &limits)?, &edit, &limits)?.append_to(&mut target);
            Ok(target.len())
        })?;
        report("decode", &bytes, |bytes| Ok(black_box(Message::decode(bytes)?).path.len()))?;
        report("encode", &bytes, |_| Ok(black_box(message.encode()).len()))?;
    }
    Ok(())
}

/// A payment as fluxrig shapes them, filled up to about `size` bytes.
fn payment(size: usize) -> Outcome<Message> {
    let mut message = Message {
        id: [1; 16].into(),
        trace: "0af7651916cd43dd8448eb211c80319c".into(),
        path: vec![Hop::new([3; 16], [4; 16], 1_730_000_000_000_000_000); 2],
        ts: 1_730_000_000_000_000_000,
        ..Message::default()
    };
    message.meta.insert("conn.id", "7f3a9c");
    message.meta.insert("iso8583.mti", "0200");
    message.set("card.pan", "4111111111111111")?;
    message.set("card.exp", "2712")?;
    message.set("amount.transaction", "000000012345")?;
    message.set("n", 4711u64)?;
    message.set("iso8583.field.48", "")?;
    let missing = size.saturating_sub(message.encode().len());
    message.set("iso8583.field.48", "x".repeat(missing))?;
    Ok(message)
}

fn report(name: &str, bytes: &[u8], mut one: impl FnMut(&[u8]) -> Outcome<usize>) -> Outcome<()> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..RECORDS {
            black_box(one(black_box(bytes))?);
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS));
    }
    rounds.sort_by(f64::total_cmp);
    let (fastest, median) = (rounds.first(), rounds.get(rounds.len() / 2));
    println!("{name:<24}{:>10}{:>14.0}{:>14.0}", bytes.len(), median.unwrap_or(&0.0), fastest.unwrap_or(&0.0));
    Ok(())
}
