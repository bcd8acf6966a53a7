//! The loop with a gear that only echoes, against a bare async-nats loop that only pulls, publishes with ack and makes a
//! confirmed ack; interleaved, on one real server.
//!
//! `cargo run --release -p gear-stream --example loop_bench -- [messages] [pairs] [threads]`

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use async_nats::{
    Client, HeaderMap,
    jetstream::{self, Context, consumer, stream},
};
use bytes::Bytes;
use futures_util::StreamExt;
use gear_config::{Deliver, Identity, Input, Nats, Retry, Span};
use gear_stream::{Gear, Outcome, Output, RevisionTag, Settings, Stream, Tuning, Verdict};
use nats_broker::Broker;
use tokio_util::sync::CancellationToken;

const INPUT: &str = "flux.msg.edge.in.out";
const OUTPUT: &str = "flux.msg.edge.echo.out";
const WINDOW: usize = 4_000;

/// Emits every message as it came.
struct Echo(Arc<RevisionTag>);

impl Gear for Echo {
    fn revision(&self, _: &gear_stream::Input) -> Arc<RevisionTag> {
        Arc::clone(&self.0)
    }

    fn process(&self, input: gear_stream::Input) -> impl Future<Output = Verdict> + Send {
        let message_id = format!("018f-2-{OUTPUT}@{}.{:x}.0", input.sequence, input.timestamp);
        let output = Output { subject: OUTPUT.into(), message_id, payload: input.payload };
        let verdict = Verdict { revision: Arc::clone(&self.0), outcome: Outcome::Emit(vec![output]), trace: None };
        std::future::ready(verdict)
    }
}

/// What one run cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    fn print(self, name: &str, count: usize) {
        let rate = count as f64 / self.wall.as_secs_f64();
        let cpu = self.cpu.as_secs_f64() * 1e6 / count as f64;
        println!("{name:<28} {rate:>8.0} msg/s   {cpu:>6.2} µs CPU per message");
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let mut next = |default| args.next().transpose().map(|arg| arg.unwrap_or(default));
    let (count, pairs, threads) = (next(300_000)?, next(3)?, next(1)?);
    let runtime = if threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?
    };
    println!("{count} messages of 512 bytes, window {WINDOW}, {pairs} pairs, {threads} runtime thread(s)");
    runtime.block_on(bench(count, pairs))
}

async fn bench(count: usize, pairs: usize) -> Result<()> {
    let broker = Broker::start()?;
    let client = async_nats::connect(broker.url()).await?;
    let context = jetstream::new(client.clone());
    gear_nats::provision::init(&context, 1).await?;
    let mut ratios = Vec::new();
    for pair in 0..pairs {
        let mut costs = Vec::new();
        for run in 0..3 {
            fill(&context, count).await?;
            // Turn and turn about, so that a machine that slows down slows both.
            let which = (run + pair) % 3;
            let (name, cost) = match which {
                0 => ("bare, no headers", bare(&client, &context, count, false).await?),
                1 => ("bare, Nats-Msg-Id", bare(&client, &context, count, true).await?),
                _ => ("gear-stream", ours(&broker, count, pair).await?),
            };
            cost.print(name, count);
            let stored = context.get_stream("flux-msg").await?.cached_info().state.messages;
            ensure!(stored == 2 * count as u64, "{name}: {stored} messages are stored, expected {}", 2 * count);
            costs.push((which, cost));
        }
        costs.sort_by_key(|(which, _)| *which);
        if let [(_, bare), _, (_, ours)] = costs[..] {
            let speed = bare.wall.as_secs_f64() / ours.wall.as_secs_f64();
            let cpu = ours.cpu.as_secs_f64() / bare.cpu.as_secs_f64();
            println!("{:>28} {speed:.2} × the speed, {cpu:.2} × the CPU of bare without headers", "=>");
            ratios.push((speed, cpu));
        }
    }
    let mean = |pick: fn(&(f64, f64)) -> f64| ratios.iter().map(pick).sum::<f64>() / ratios.len() as f64;
    println!("mean of {pairs}: {:.2} × the speed, {:.2} × the CPU", mean(|r| r.0), mean(|r| r.1));
    Ok(())
}

/// A fresh stream with `count` inputs.
async fn fill(context: &Context, count: usize) -> Result<()> {
    let _ = context.delete_stream("flux-msg").await;
    let config =
        stream::Config { name: "flux-msg".into(), subjects: vec!["flux.msg.>".into()], ..stream::Config::default() };
    context.create_stream(config).await?;
    let body = Bytes::from(vec![0x5a; 512]);
    let mut acks = Vec::with_capacity(1_000);
    for _ in 0..count {
        acks.push(context.publish(INPUT, body.clone()).await?);
        if acks.len() == 1_000 {
            for ack in acks.drain(..) {
                ack.await?;
            }
        }
    }
    for ack in acks {
        ack.await?;
    }
    Ok(())
}

async fn bare(client: &Client, context: &Context, count: usize, with_id: bool) -> Result<Cost> {
    let config = consumer::pull::Config {
        durable_name: Some("bare".into()),
        filter_subject: INPUT.into(),
        max_ack_pending: 8_192,
        ..consumer::pull::Config::default()
    };
    let consumer = context.get_stream("flux-msg").await?.create_consumer(config).await?;
    let messages = consumer.stream().max_messages_per_batch(WINDOW).messages().await?;
    let (start, cpu) = (Instant::now(), cpu_time()?);
    messages
        .take(count)
        .for_each_concurrent(WINDOW, |message| async {
            if let Err(error) = one(client, context, message, with_id).await {
                eprintln!("{error:#}");
            }
        })
        .await;
    Ok(Cost { wall: start.elapsed(), cpu: cpu_time()?.saturating_sub(cpu) })
}

async fn one(
    client: &Client,
    context: &Context,
    message: Result<jetstream::Message, consumer::pull::MessagesError>,
    with_id: bool,
) -> Result<()> {
    let message = message?;
    let reply = message.reply.clone().context("a reply subject")?;
    let ack = if with_id {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", format!("018f-2-{OUTPUT}@{reply}"));
        context.publish_with_headers(OUTPUT, headers, message.payload.clone()).await?
    } else {
        context.publish(OUTPUT, message.payload.clone()).await?
    };
    ack.await?;
    let answer = client.request(reply, Bytes::new()).await?;
    ensure!(answer.payload.is_empty() && answer.status.is_none(), "not confirmed");
    Ok(())
}

async fn ours(broker: &Broker, count: usize, pair: usize) -> Result<Cost> {
    let revision = RevisionTag {
        name: "r1-00000000".into(),
        digest: format!("sha256:{}", "0".repeat(64)),
        retry: Retry::default(),
    };
    let stream = Stream::new(settings(broker, pair), Arc::new(Echo(Arc::new(revision))));
    let (monitor, stop) = (stream.monitor(), CancellationToken::new());
    let (start, cpu) = (Instant::now(), cpu_time()?);
    let run = stream.run(stop.clone(), Duration::from_secs(5));
    let watch = async {
        while monitor.ledger().ok < count as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let cost = cpu_time().map(|now| Cost { wall: start.elapsed(), cpu: now.saturating_sub(cpu) });
        stop.cancel();
        cost
    };
    let (ended, cost) = tokio::join!(run, watch);
    ensure!(ended.clean && monitor.ledger().balances(), "{:?}", monitor.ledger());
    cost
}

fn settings(broker: &Broker, pair: usize) -> Settings {
    // Another gear each time: the stream is made anew, and a recorded position would rightly not fit it.
    Settings {
        identity: Identity {
            cluster_id: "b".into(),
            namespace: "n".into(),
            name: "echo".into(),
            uid: format!("u{pair}"),
        },
        input: Input {
            stream: "flux-msg".into(),
            subjects: vec![INPUT.into()],
            deliver: Deliver::All,
            ack_wait: Span::from_secs(30),
            ordered: false,
            forget_after: Span::from_secs(3600),
            max_ack_pending: 8_192,
            generation: 1,
        },
        nats: Nats { url: broker.url(), ..Nats::default() },
        version: "bench".into(),
        tuning: Tuning { window_messages: WINDOW, ..Tuning::default() },
    }
}

/// CPU time of this process, all threads.
fn cpu_time() -> Result<Duration> {
    // Thread by thread: the file of the process speaks of its first thread only.
    let mut nanos = 0u64;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split(' ').next().context("run time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
