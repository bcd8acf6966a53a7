//! Loops side by side: the same inputs, one after the other, in turns.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use gear_config::Instance;

use crate::{
    Size,
    bare::{Bare, Work},
    measure::{micros, process_cpu},
    report::{Bound, Figure, Report},
    say,
    sidecar::{Gear, Sidecar},
    world::{World, until},
};

const PART: &str = "throughput";
/// How often a running sidecar is asked how far it is.
const LOOK: Duration = Duration::from_millis(20);

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// CPU time of this process.
    pub(crate) cpu: Duration,
    pub(crate) messages: u32,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
enum Loop {
    Bare(Work),
    Sidecar(Gear),
}

struct Contender {
    short: &'static str,
    name: &'static str,
    what: Loop,
    rates: Vec<f64>,
    cpu: Vec<f64>,
    server: Vec<f64>,
}

fn contenders() -> [Contender; 6] {
    let contender = |short, name, what| Contender { short, name, what, rates: vec![], cpu: vec![], server: vec![] };
    let gear = |guest, instance| Loop::Sidecar(Gear { guest, instance });
    [
        contender("plain", "bare loop, plain ack", Loop::Bare(Work::Plain)),
        contender("bare", "bare loop, confirmed ack", Loop::Bare(Work::Confirmed)),
        contender("headers", "bare loop, confirmed ack, headers", Loop::Bare(Work::WithHeaders)),
        contender("kept", "sidecar, C echo, kept", gear("echo-c", Instance::persistent())),
        contender("fresh", "sidecar, C echo, fresh", gear("echo-c", Instance::Fresh)),
        contender("masker", "sidecar, Rust masker, fresh", gear("pan-masker-v1", Instance::Fresh)),
    ]
}

/// All of them, or those that are named; then there is nothing to compare.
pub(crate) async fn measure(size: Size, loops: &[String], report: &mut Report) -> Result<()> {
    let world = World::start().await?;
    let mut contenders = contenders();
    for pair in 0..size.pairs {
        // Turn and turn about, so that a machine that slows down slows everybody.
        let turns = contenders.len();
        for turn in 0..turns {
            let at = (turn + usize::try_from(pair)?) % turns;
            let wanted = |short: &str| loops.is_empty() || loops.iter().any(|name| name == short);
            let Some(contender) = contenders.get_mut(at).filter(|contender| wanted(contender.short)) else { continue };
            let server = contender.run(&world, size.messages, pair).await?;
            let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
            say(&format!(
                "throughput, round {} of {}, {}: {:.0} msg/s, {:.2} µs CPU per message (server {server:.2})",
                pair + 1,
                size.pairs,
                contender.name,
                last(&contender.rates),
                last(&contender.cpu),
            ));
        }
    }
    if loops.is_empty() {
        tell(&contenders, size, report);
    }
    Ok(())
}

impl Contender {
    /// One run over a fresh stream. The server's CPU time per message, which is not ours, comes back.
    async fn run(&mut self, world: &World, messages: u32, pair: u32) -> Result<f64> {
        world.fill(messages).await?;
        let server = world.server_cpu()?;
        let cost = match self.what {
            Loop::Bare(work) => Bare::start(world, "bare", work, messages).await?.ended().await?,
            Loop::Sidecar(gear) => through(world, &format!("{}-{pair}", self.short), gear, messages).await?,
        };
        let stored = world.stored().await?;
        ensure!(
            stored == 2 * u64::from(messages),
            "{}: {stored} messages are stored, expected {}",
            self.name,
            2 * messages
        );
        let server = world.server_cpu()?.saturating_sub(server);
        let per_message = |span: Duration| micros(span) / f64::from(cost.messages);
        self.rates.push(f64::from(cost.messages) / cost.wall.as_secs_f64());
        self.cpu.push(per_message(cost.cpu));
        self.server.push(micros(server) / f64::from(messages));
        Ok(micros(server) / f64::from(messages))
    }
}

async fn through(world: &World, name: &str, gear: Gear, messages: u32) -> Result<Cost> {
    let sidecar = Sidecar::start(world, name, gear).await?;
    // It pulls as soon as it is ready: what was done until now is left out of both sides.
    let (begin, cpu, done) = (Instant::now(), process_cpu(), sidecar.status()?.ledger.ok);
    until("the sidecar to settle everything", LOOK, async || Ok(sidecar.status()?.ledger.ok >= u64::from(messages)))
        .await?;
    let (wall, cpu) = (begin.elapsed(), process_cpu().saturating_sub(cpu));
    sidecar.stop().await?;
    Ok(Cost { wall, cpu, messages: messages - u32::try_from(done)? })
}

fn tell(contenders: &[Contender; 6], size: Size, report: &mut Report) {
    for Contender { name, rates, cpu, server, .. } in contenders {
        let mut figure = |what, unit, values: &[f64]| {
            let name = format!("{name}{what}");
            report.figure(Figure::new(PART, &name, unit, size.messages, values.to_vec()));
        };
        figure("", "msg/s", rates);
        figure(": CPU", "µs/msg", cpu);
        figure(": CPU of the server", "µs/msg", server);
    }
    let [plain, bare, headers, kept, fresh, masker] = contenders;
    let mut ratio = |bound: Option<Bound>, name: &str, above: &[f64], below: &[f64]| {
        let values = above.iter().zip(below).map(|(above, below)| above / below).collect();
        let figure = Figure::new(PART, name, "×", size.messages, values);
        match bound {
            Some(bound) => report.bar(bound, figure),
            None => report.figure(figure),
        }
    };
    let (at_least, at_most) = (|bar| Some(Bound::AtLeast(bar)), |bar| Some(Bound::AtMost(bar)));
    ratio(None, "bare with headers / bare, speed", &headers.rates, &bare.rates);
    ratio(None, "masker fresh / bare, speed", &masker.rates, &bare.rates);
    ratio(None, "masker fresh / bare, CPU", &masker.cpu, &bare.cpu);
    ratio(at_least(0.7), "bare confirmed / bare plain, speed", &bare.rates, &plain.rates);
    ratio(at_least(0.85), "kept / bare, speed", &kept.rates, &bare.rates);
    ratio(at_most(1.35), "kept / bare, CPU", &kept.cpu, &bare.cpu);
    ratio(at_least(0.65), "fresh / bare, speed", &fresh.rates, &bare.rates);
    ratio(at_most(2.0), "fresh / bare, CPU", &fresh.cpu, &bare.cpu);
}
