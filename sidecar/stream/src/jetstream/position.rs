//! Where a gear stands in its stream, kept apart from the consumer, so that a consumer that was lost does not begin
//! somewhere in silence.
//!
//! Written every five seconds while it moves, and at the end. A consumer that is missing is made anew after the recorded
//! floor when the record is of this gear and of this very stream; a record that does not fit makes nothing.

use std::time::Duration;

use async_nats::jetstream::{Context, consumer};
use bytes::Bytes;
use gear_config::status::Problem;
use gear_nats::Session;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::{Names, api, consumer::Begin};
use crate::{
    Monitor,
    problem::{self, problem},
    wire,
};

/// How often a moving position is written, and the server asked what is left.
const EVERY: Duration = Duration::from_secs(5);
/// A quiet stream is asked less often, by this factor.
const QUIET: u32 = 6;

/// The value under `p.<durable>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Position {
    /// UID of the gear.
    uid: String,
    /// When the stream was created, Unix nanoseconds as the server says; a stream that was made anew has another one.
    stream_created: i64,
    /// Everything up to this sequence is settled.
    ack_floor: u64,
    /// Unix milliseconds of the gear's first start on this stream.
    first_start: i64,
}

/// Where a missing consumer begins, by the record.
pub(super) fn begin(
    record: Option<&Position>,
    uid: &str,
    created: i64,
    last: u64,
    durable: &str,
) -> Result<Begin, Problem> {
    let Some(record) = record.filter(|record| record.uid == uid) else { return Ok(Begin::AsConfigured) };
    if record.stream_created == created && record.ack_floor <= last {
        return Ok(Begin::After(record.ack_floor));
    }
    Err(problem(
        problem::POSITION_UNKNOWN,
        format!(
            "the consumer {durable} is gone, and its recorded position ({} of a stream created {}) does not fit the stream (last \
             sequence {last}, created {}); decide where to begin by deleting the key {} of the bucket wasmgear_state \
             (begins as input.deliver says)",
            record.ack_floor,
            wire::rfc3339(record.stream_created),
            wire::rfc3339(created),
            wire::position_key(durable)
        ),
    ))
}

/// Reads the record.
pub(super) async fn read(session: &Session, names: &Names) -> Result<Option<Position>, api::Fault> {
    let key = format!("$KV.{}.{}", gear_config::names::STATE_BUCKET, wire::position_key(&names.durable));
    let subject = format!("{}.DIRECT.GET.KV_{}.{key}", names.api, gear_config::names::STATE_BUCKET);
    let answer = tokio::select! {
        answer = session.client().request(subject.clone(), Bytes::new()) => answer,
        () = session.denials().of(&subject) => return Err(api::Fault::Denied(subject)),
        () = session.ended().cancelled() => return Err(api::Fault::Lost("the connection is lost".to_owned())),
    };
    match answer {
        Ok(message) if message.status.is_none() => Ok(serde_json::from_slice(&message.payload).ok()),
        Ok(_) => Ok(None),
        Err(error) => Err(api::Fault::Lost(api::chain(&error))),
    }
}

/// Keeps the record, and what others may know of the backlog.
#[derive(Debug)]
pub(crate) struct Keeper {
    session: Session,
    context: Context,
    names: Names,
    record: Position,
    /// What the bucket holds, as far as we know.
    written: Option<Position>,
    seen: u64,
    quiet: u32,
}

impl Keeper {
    pub(super) fn new(
        session: &Session,
        names: &Names,
        uid: &str,
        created: i64,
        old: Option<Position>,
        now_ms: i64,
    ) -> Self {
        let old = old.filter(|old| old.uid == uid && old.stream_created == created);
        let record = old.clone().unwrap_or_else(|| Position {
            uid: uid.to_owned(),
            stream_created: created,
            ack_floor: 0,
            first_start: now_ms,
        });
        let (context, names) = (session.jetstream(), names.clone());
        Self { session: session.clone(), context, names, record, written: old, seen: 0, quiet: 0 }
    }

    /// Never ends.
    pub(crate) async fn keep(&mut self, monitor: &Monitor) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let received = monitor.ledger().received;
            let moved = received != std::mem::replace(&mut self.seen, received);
            self.quiet = if moved { 0 } else { self.quiet + 1 };
            // Once more after the last movement: what was in hand then is settled by now.
            if self.quiet <= 1 || self.quiet.is_multiple_of(QUIET) {
                self.once(monitor).await;
            }
        }
    }

    /// Asks and writes once.
    pub(crate) async fn once(&mut self, monitor: &Monitor) {
        let subject = format!("CONSUMER.INFO.{}.{}", self.names.stream, self.names.durable);
        let info = api::ask::<_, consumer::Info>(&self.session, &self.context, &subject, &json!({})).await;
        match info {
            Ok(info) => self.note(monitor, &info).await,
            Err(fault) => tracing::debug!(?fault, "the consumer's position is not known now"),
        }
    }

    async fn note(&mut self, monitor: &Monitor, info: &consumer::Info) {
        let in_hand = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
        monitor.update(|status| (status.pending, status.ack_pending) = (info.num_pending, in_hand));
        self.record.ack_floor = info.ack_floor.stream_sequence;
        if self.written.as_ref() == Some(&self.record) {
            return;
        }
        let Ok(value) = serde_json::to_vec(&self.record) else { return };
        let key = format!("{}{}", self.names.state, wire::position_key(&self.names.durable));
        let stored = async { self.context.publish(key, value.into()).await?.await };
        match stored.await {
            Ok(_) => self.written = Some(self.record.clone()),
            Err(error) => tracing::debug!(%error, "the consumer's position could not be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_consumer_begins_after_the_floor_or_not_at_all() {
        let record = Position { uid: "u".into(), stream_created: 1_000, ack_floor: 40, first_start: 1 };
        assert_eq!(begin(None, "u", 1_000, 50, "d"), Ok(Begin::AsConfigured));
        assert_eq!(begin(Some(&record), "u", 1_000, 50, "d"), Ok(Begin::After(40)));
        assert_eq!(begin(Some(&record), "another gear of this name", 1_000, 50, "d"), Ok(Begin::AsConfigured));
        for (created, last) in [(2_000, 50), (1_000, 39)] {
            let problem = begin(Some(&record), "u", created, last, "d").unwrap_err();
            assert_eq!(problem.reason, problem::POSITION_UNKNOWN);
            assert!(problem.message.contains("p.d"), "{}", problem.message);
        }
    }
}
