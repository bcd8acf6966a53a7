//! A real server, and inputs on it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use async_nats::{
    Client,
    jetstream::{Context, stream},
};
use bytes::Bytes;
use futures_util::StreamExt;
use gear_abi::{Id, Message, Peek, Uuid};
use nats_broker::Broker;

pub(crate) const STREAM: &str = "flux-msg";
pub(crate) const INPUT: &str = "flux.msg.edge.in.out";
/// Where a gear's outputs go, without the port.
pub(crate) const PREFIX: &str = "flux.msg.edge.bench";
/// Where the outputs of every loop go.
pub(crate) const OUTPUT: &str = "flux.msg.edge.bench.out";
/// Records are so long, as the bars have it.
pub(crate) const RECORD: usize = 512;
/// Inputs on their way to the server at once.
const WINDOW: u32 = 5_000;
const PATIENCE: Duration = Duration::from_mins(1);

/// A server with everything that the product needs.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) client: Client,
    pub(crate) js: Context,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let broker = Broker::start()?;
        let client = async_nats::connect(broker.url()).await?;
        let js = async_nats::jetstream::new(client.clone());
        gear_nats::provision::init(&js, 1).await?;
        Ok(Self { broker, client, js })
    }

    /// An empty stream.
    pub(crate) async fn clear(&self) -> Result<()> {
        // It may not be there.
        let _ = self.js.delete_stream(STREAM).await;
        let config =
            stream::Config { name: STREAM.into(), subjects: vec!["flux.msg.>".into()], ..stream::Config::default() };
        self.js.create_stream(config).await?;
        Ok(())
    }

    /// A fresh stream with `count` inputs.
    pub(crate) async fn fill(&self, count: u32) -> Result<()> {
        self.clear().await?;
        let inbox = self.client.new_inbox();
        let mut acks = self.client.subscribe(inbox.clone()).await?;
        let (mut sent, mut stored) = (0u32, 0u32);
        while stored < count {
            while sent < count && sent - stored < WINDOW {
                self.client.publish_with_reply(INPUT, inbox.clone(), record(sent)).await?;
                sent += 1;
            }
            match tokio::time::timeout(PATIENCE, acks.next()).await {
                Ok(Some(ack)) if !ack.payload.windows(7).any(|part| part == b"\"error\"") => stored += 1,
                Ok(Some(ack)) => bail!("the server does not store an input: {}", ack.payload.escape_ascii()),
                _ => bail!("the server stored {stored} of {sent} inputs, and then nothing for {PATIENCE:?}"),
            }
        }
        let there = self.stored().await?;
        ensure!(there == u64::from(count), "{there} messages are stored, {count} inputs were published");
        Ok(())
    }

    /// Messages in the stream.
    pub(crate) async fn stored(&self) -> Result<u64> {
        Ok(self.js.get_stream(STREAM).await?.cached_info().state.messages)
    }

    /// CPU time of the server.
    pub(crate) fn server_cpu(&self) -> Result<Duration> {
        let Some(pid) = self.broker.pid() else { bail!("the server does not run") };
        crate::measure::cpu_of(pid)
    }
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, pause: Duration, mut condition: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + 2 * PATIENCE;
    while !condition().await? {
        ensure!(Instant::now() < end, "waited {:?} for {what}", 2 * PATIENCE);
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// A payment of exactly [`RECORD`] bytes, with a card number and its serial as id.
pub(crate) fn record(serial: u32) -> Bytes {
    let mut message = Message { id: id(serial), ts: 1_700_000_000_000_000_000, ..Message::default() };
    message.meta.push("flux.source".into(), "bench".into());
    message.data.push("n".into(), u64::from(serial).into());
    message.data.push("pan".into(), "4111111111111111".into());
    message.data.push("amount".into(), 1_250u64.into());
    message.data.push("currency".into(), "978".into());
    message.data.push("note".into(), String::new().into());
    // The text's own length takes two bytes more once it is longer than 255.
    let room = RECORD.saturating_sub(message.encode().len());
    let text = room - if room > 257 { 2 } else { 1 };
    message.data.get_mut("note").into_iter().for_each(|note| *note = "x".repeat(text).into());
    message.encode().into()
}

/// The serial of a record, whatever hops it has.
pub(crate) fn serial(record: &Peek<'_>) -> Option<u32> {
    let Id::Uuid(Uuid(id)) = record.id() else { return None };
    id.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

fn id(serial: u32) -> Id {
    let mut id = [0x70; 16];
    id.iter_mut().zip(serial.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    Id::Uuid(Uuid(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_as_long_as_the_bars_say_and_keeps_its_serial() {
        for number in [0, 23, 24, 255, 65_535, 300_000, u32::MAX] {
            let record = record(number);
            let peek = gear_abi::peek(&record, &gear_abi::Limits::default()).unwrap();
            assert_eq!((record.len(), serial(&peek)), (RECORD, Some(number)));
        }
    }
}
