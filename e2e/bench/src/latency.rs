//! How much later a message arrives because a gear stands in its way: 1,000 messages a second, sent by the clock, whether or
//! not the ones before have arrived.

use std::{
    io::Write as _,
    net::TcpStream,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::StreamExt;
use gear_config::Instance;
use tokio::sync::oneshot;

use crate::{
    Size,
    bare::{Bare, Work},
    measure::percentile,
    report::{Bound, Figure, Report},
    say,
    sidecar::{Gear, Sidecar},
    world::{INPUT, OUTPUT, World, record, serial},
};

const PART: &str = "latency";
const PERIOD: Duration = Duration::from_millis(1);
/// Messages before those that count.
const WARM_UP: u32 = 1_000;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn measure(size: Size, report: &mut Report) -> Result<()> {
    let world = World::start().await?;
    let count = size.latency_seconds * 1_000;
    let gears = [("kept", "C echo, kept", Instance::persistent()), ("fresh", "C echo, fresh", Instance::Fresh)];
    let (mut bare, mut ours) = (Rounds::default(), [Rounds::default(), Rounds::default()]);
    for pair in 0..size.latency_pairs {
        world.clear().await?;
        let running = Bare::start(&world, "bare", Work::Confirmed, u32::MAX).await?;
        bare.note(sent(&world, count).await?);
        running.stop().await?;
        for ((short, _, instance), rounds) in gears.iter().zip(&mut ours) {
            world.clear().await?;
            let gear = Gear { guest: "echo-c", instance: *instance };
            let running = Sidecar::start(&world, &format!("{short}-{pair}"), gear).await?;
            rounds.note(sent(&world, count).await?);
            running.stop().await?;
        }
        say(&format!("latency, round {} of {} is done", pair + 1, size.latency_pairs));
    }
    let figure = |name: &str, values| Figure::new(PART, name, "ms", count - WARM_UP, values);
    report.figure(figure("bare loop: p50", bare.p50.clone()));
    report.figure(figure("bare loop: p99", bare.p99.clone()));
    for ((_, name, _), rounds) in gears.iter().zip(&ours) {
        report.figure(figure(&format!("sidecar, {name}: p50"), rounds.p50.clone()));
        report.figure(figure(&format!("sidecar, {name}: p99"), rounds.p99.clone()));
        let added = |ours: &[f64], bare: &[f64]| ours.iter().zip(bare).map(|(ours, bare)| ours - bare).collect();
        report.bar(Bound::AtMost(0.3), figure(&format!("added by {name}: p50"), added(&rounds.p50, &bare.p50)));
        report.bar(Bound::AtMost(1.0), figure(&format!("added by {name}: p99"), added(&rounds.p99, &bare.p99)));
    }
    Ok(())
}

#[derive(Default)]
struct Rounds {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Rounds {
    fn note(&mut self, mut spans: Vec<Duration>) {
        spans.sort_unstable();
        self.p50.push(percentile(&spans, 50).as_secs_f64() * 1e3);
        self.p99.push(percentile(&spans, 99).as_secs_f64() * 1e3);
    }
}

/// Sends `count` messages by the clock; how long after its time each one arrived, those of the warm-up left out.
async fn sent(world: &World, count: u32) -> Result<Vec<Duration>> {
    let (ready, is_ready) = oneshot::channel();
    let url = world.broker.url();
    let receiver = thread::Builder::new().name("receiver".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(receive(url, count, ready))
    })?;
    is_ready.await.context("the receiver ended before it listened")?;
    let port = world.broker.port();
    let sender = thread::Builder::new().name("sender".into()).spawn(move || send(port, count))?;
    let (begin, arrived) = (joined(sender).await?, joined(receiver).await?);
    let due = (0..count).map(|n| begin + PERIOD * n);
    let spans = due.zip(arrived).skip(usize::try_from(WARM_UP)?);
    spans.map(|(due, at)| at.map(|at| at.saturating_duration_since(due)).context("a message did not arrive")).collect()
}

async fn joined<T: Send + 'static>(thread: JoinHandle<Result<T>>) -> Result<T> {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
    joined.map_err(|_| anyhow!("a thread panicked"))?
}

/// Publishes straight on a socket: nothing of a client stands between the clock and the server.
fn send(port: u16, count: u32) -> Result<Instant> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_nodelay(true)?;
    socket.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")?;
    let mut bytes = Vec::with_capacity(1_024);
    let begin = Instant::now() + Duration::from_millis(50);
    for n in 0..count {
        let payload = record(n);
        bytes.clear();
        write!(bytes, "PUB {INPUT} {}\r\n", payload.len())?;
        bytes.extend_from_slice(&payload);
        bytes.extend_from_slice(b"\r\n");
        thread::sleep((begin + PERIOD * n).saturating_duration_since(Instant::now()));
        socket.write_all(&bytes)?;
    }
    Ok(begin)
}

/// When each serial arrived.
async fn receive(url: String, count: u32, ready: oneshot::Sender<()>) -> Result<Vec<Option<Instant>>> {
    let client = async_nats::connect(url).await?;
    let mut outputs = client.subscribe(OUTPUT).await?;
    client.flush().await?;
    // The other end may be gone: then nobody waits.
    let _ = ready.send(());
    let mut arrived = vec![None; usize::try_from(count)?];
    for n in 0..count {
        let message = tokio::time::timeout(PATIENCE, outputs.next()).await;
        let now = Instant::now();
        let message = message.ok().flatten().with_context(|| format!("{n} of {count} messages arrived"))?;
        let record = gear_abi::peek(&message.payload, &gear_abi::Limits::default())?;
        let place = serial(&record).and_then(|serial| arrived.get_mut(usize::try_from(serial).ok()?));
        let place = place.context("a message that was not sent")?;
        ensure!(place.replace(now).is_none(), "a message arrived twice");
    }
    Ok(arrived)
}
