//! What a call costs beside the guest's own work: a record in, its answer copied out, on a guest thread.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use gear_config::Instance;
use gear_host::{Answer, Guest};

use crate::{
    Size,
    gear::Bench,
    measure::{micros, percentile, thread_cpu},
    report::{Bound, Figure, Report},
    say,
    world::record,
};

const PART: &str = "call";

/// A guest, and where its calls have to lie.
struct Subject {
    name: &'static str,
    guest: &'static str,
    instance: Instance,
    p50: f64,
    p99: Option<f64>,
}

const SUBJECTS: [Subject; 3] = [
    Subject { name: "C echo, kept", guest: "echo-c", instance: Instance::persistent(), p50: 2.0, p99: None },
    Subject { name: "C echo, fresh", guest: "echo-c", instance: Instance::Fresh, p50: 10.0, p99: None },
    Subject {
        name: "Rust masker, fresh",
        guest: "pan-masker-v1",
        instance: Instance::Fresh,
        p50: 20.0,
        p99: Some(50.0),
    },
];

/// Each round is a percentile over so many calls; all subjects have their turn in each.
pub(crate) async fn measure(bench: &Bench, size: Size, report: &mut Report) -> Result<()> {
    let mut guests = Vec::new();
    for subject in &SUBJECTS {
        guests.push((bench.guest(subject.guest, subject.instance).await?, Rounds::default()));
    }
    for _ in 0..size.pairs {
        for (guest, rounds) in &mut guests {
            let calls = calls(guest.clone(), size.calls);
            rounds.note(bench.threads.run(calls).await??);
        }
    }
    for (subject, (_, rounds)) in SUBJECTS.iter().zip(guests) {
        let figure = |what, values| Figure::new(PART, &format!("{}: {what}", subject.name), "µs", size.calls, values);
        let Rounds { p50, p99, cpu } = rounds;
        report.figure(figure("CPU", cpu));
        report.bar(Bound::AtMost(subject.p50), figure("p50", p50));
        match subject.p99 {
            Some(bar) => report.bar(Bound::AtMost(bar), figure("p99", p99)),
            None => report.figure(figure("p99", p99)),
        }
    }
    say("call overhead is done");
    Ok(())
}

#[derive(Default)]
struct Rounds {
    p50: Vec<f64>,
    p99: Vec<f64>,
    cpu: Vec<f64>,
}

impl Rounds {
    fn note(&mut self, (mut spans, cpu): (Vec<Duration>, Duration)) {
        spans.sort_unstable();
        self.p50.push(micros(percentile(&spans, 50)));
        self.p99.push(micros(percentile(&spans, 99)));
        let calls = u32::try_from(spans.len().max(1)).unwrap_or(u32::MAX);
        self.cpu.push(micros(cpu) / f64::from(calls));
    }
}

/// How long each call took, and the CPU time of all.
async fn calls(guest: Guest, count: u32) -> Result<(Vec<Duration>, Duration)> {
    let input = record(1);
    let mut spans = Vec::with_capacity(usize::try_from(count)?);
    let before = thread_cpu();
    for _ in 0..count {
        let begin = Instant::now();
        let length = call(&guest, &input).await?;
        spans.push(begin.elapsed());
        ensure!(length == input.len(), "{length} bytes came back of {}", input.len());
    }
    Ok((spans, thread_cpu().saturating_sub(before)))
}

/// One call; how long the answer was.
pub(crate) async fn call(guest: &Guest, input: &[u8]) -> Result<usize> {
    let called = guest.call(input, |answer| match answer {
        Answer::Output(bytes) => std::hint::black_box(bytes.to_vec()).len(),
        _ => 0,
    });
    Ok(called.await.result?)
}
