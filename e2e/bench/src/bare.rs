//! The bare loop: pulls, publishes with ack, acks. Nothing else: no accounts, no guest, and no headers but where what they
//! cost is the question.
//!
//! It has what the sidecar has: one connection, one runtime thread for it, the same window, the same allocator.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use async_nats::{
    Client, HeaderMap, Request, header,
    jetstream::{self, Context, consumer},
};
use bytes::Bytes;
use futures_util::StreamExt;
use gear_stream::wire;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    measure::process_cpu,
    throughput::Cost,
    world::{INPUT, OUTPUT, STREAM, World},
};

/// What is done for each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// The ack is said, and not asked whether anybody heard it.
    Plain,
    /// The ack is a request on its subject, whose answer has to be empty.
    Confirmed,
    /// The same, and what is published has the headers of an output: an id that the server has to remember, and where it
    /// comes from.
    WithHeaders,
}

/// A loop on a thread of its own.
pub(crate) struct Bare {
    stop: CancellationToken,
    thread: JoinHandle<Result<Cost>>,
}

impl Bare {
    /// Starts a loop that ends after `count` messages, or when it is stopped. Comes back when it is ready to pull.
    pub(crate) async fn start(world: &World, name: &str, work: Work, count: u32) -> Result<Self> {
        let (url, name, stop) = (world.broker.url(), name.to_owned(), CancellationToken::new());
        let (asked, (ready, is_ready)) = (stop.clone(), oneshot::channel());
        let thread = thread::Builder::new().name("bare".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(Box::pin(run(url, name, work, count, asked, ready)))
        })?;
        if is_ready.await.is_err() {
            // It ended before it was ready, and says why.
            joined(thread).await?;
        } else {
            return Ok(Self { stop, thread });
        }
        bail!("the bare loop ended before it began")
    }

    /// What the loop cost, once it has ended by itself.
    pub(crate) async fn ended(self) -> Result<Cost> {
        joined(self.thread).await
    }

    /// Ends the loop.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        joined(self.thread).await.map(drop)
    }
}

async fn joined(thread: JoinHandle<Result<Cost>>) -> Result<Cost> {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
    joined.map_err(|_| anyhow!("the bare loop panicked"))?
}

async fn run(
    url: String,
    name: String,
    work: Work,
    count: u32,
    stop: CancellationToken,
    ready: oneshot::Sender<()>,
) -> Result<Cost> {
    let client = async_nats::connect(url).await?;
    let context = jetstream::new(client.clone());
    let window = gear_stream::Tuning::default().window_messages;
    let config = consumer::pull::Config {
        durable_name: Some(name),
        filter_subject: INPUT.into(),
        max_ack_pending: crate::sidecar::MAX_ACK_PENDING.into(),
        ack_wait: Duration::from_secs(30),
        ..consumer::pull::Config::default()
    };
    let consumer = context.get_stream(STREAM).await?.create_consumer(config).await?;
    let messages = consumer.stream().max_messages_per_batch(window).messages().await?;
    // The other end may be gone: then nobody waits.
    let _ = ready.send(());
    let failed = Arc::new(AtomicU32::new(0));
    let (begin, cpu) = (Instant::now(), process_cpu());
    let all = messages.take(usize::try_from(count)?).for_each_concurrent(window, |message| {
        let (client, context, failed) = (&client, &context, &failed);
        async move {
            if let Err(error) = one(client, context, message, work).await
                && failed.fetch_add(1, Relaxed) == 0
            {
                eprintln!("bench: the bare loop: {error:#}");
            }
        }
    });
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
    client.flush().await?;
    let cost = Cost { wall: begin.elapsed(), cpu: process_cpu().saturating_sub(cpu), messages: count };
    ensure!(failed.load(Relaxed) == 0, "{} messages failed in the bare loop", failed.load(Relaxed));
    Ok(cost)
}

async fn one(
    client: &Client,
    context: &Context,
    message: Result<jetstream::Message, consumer::pull::MessagesError>,
    work: Work,
) -> Result<()> {
    let message = message?;
    let reply = message.reply.clone().context("a reply subject")?;
    if work == Work::WithHeaders {
        let sequence = message.info().map_err(|error| anyhow!(error))?.stream_sequence;
        context.publish_with_headers(OUTPUT, headers(sequence), message.payload.clone()).await?.await?;
    } else {
        context.publish(OUTPUT, message.payload.clone()).await?.await?;
    }
    match work {
        Work::Plain => client.publish(reply, Bytes::from_static(b"+ACK")).await?,
        Work::Confirmed | Work::WithHeaders => {
            // Without the client's timer for each request: the baseline is to be as cheap as it can be made.
            let request = Request::new().payload(Bytes::from_static(b"+ACK")).timeout(None);
            let answer = client.send_request(reply, request).await?;
            ensure!(answer.payload.is_empty() && answer.status.is_none(), "an ack was not confirmed");
        }
    }
    Ok(())
}

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// As many bytes, and as many names, as an output of the sidecar has.
fn headers(sequence: u64) -> HeaderMap {
    let headers = [
        (
            header::NATS_MESSAGE_ID,
            format!("00000000-0000-4000-8000-{sequence:012}-2-edge.out@{sequence}.0123456789abcdef.0").into(),
        ),
        (wire::INPUT, format!("{STREAM}:{sequence}").into()),
        (wire::DIGEST, DIGEST.into()),
        (header::NATS_EXPECTED_STREAM, STREAM.into()),
    ];
    HeaderMap::from_iter(headers)
}
