//! Records of one delivery to the wire.

use std::future::Future;

use async_nats::{HeaderMap, Subject, header};
use bytes::Bytes;

use super::{
    Engine, Key,
    window::{InHand, Made},
};
use crate::{
    Input, Output, RevisionTag, Verdict,
    link::{Command, Kind, Sink, Source, Token},
    settle::{Flight, Phase},
    wire,
};

/// Records on their way at once; beyond it only what nothing else goes before.
const RECORDS_OUT: usize = 4_096;

impl<S, K, C, F> Engine<'_, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    /// Sends all records at once, or lets them wait until there is room for all.
    pub(super) fn send_all(&mut self, key: Key) {
        let Some(made) = self.made(key) else { return };
        let count = made.outputs.len() + made.parts.len();
        let bytes = made.outputs.iter().map(|output| output.payload.len()).sum::<usize>()
            + made.parts.iter().map(|part| part.payload.len()).sum::<usize>();
        let crowded = self.records_out + count > RECORDS_OUT || self.bytes_out + bytes > self.plan.tuning.window_bytes;
        if self.records_out > 0 && crowded {
            self.blocked.push_back(key);
            return;
        }
        self.records_out += count;
        self.bytes_out += bytes;
        if let Some(made) = self.made(key) {
            made.out = (count, bytes);
        }
        for index in (0u16..).take(count) {
            self.send(key, Flight { index, copy: 0 });
        }
    }

    pub(super) fn send_blocked(&mut self) {
        for _ in 0..self.blocked.len() {
            let Some(key) = self.blocked.pop_front() else { return };
            let before = self.blocked.len();
            self.send_all(key);
            if self.blocked.len() > before {
                // Still no room: those behind it wait too, in their order.
                self.blocked.rotate_right(1);
                return;
            }
        }
    }

    pub(super) fn send(&mut self, key: Key, flight: Flight) {
        let overdue = self.now + self.plan.tuning.answer;
        let Some(in_hand) = self.window.get(key) else { return };
        in_hand.overdue = Some(overdue);
        let Some((subject, headers, payload)) = record(in_hand, flight, &self.plan.stream, &self.plan.dead_letters)
        else {
            return;
        };
        let token = token(Kind::Record, key, flight);
        self.commands.push(Command::Publish { token, subject, headers, payload });
    }

    pub(super) fn look_up(&mut self, key: Key, flight: Flight) {
        let overdue = self.now + self.plan.tuning.answer;
        self.carry.counts.lookups += 1;
        let Some(in_hand) = self.window.get(key) else { return };
        in_hand.overdue = Some(overdue);
        let there = in_hand.made.as_ref().and_then(|made| made.there.iter().rfind(|there| there.0 == flight.index));
        let Some((_, stream, sequence)) = there else { return };
        let token = token(Kind::LookUp, key, flight);
        self.commands.push(Command::LookUp { token, stream: stream.clone(), sequence: *sequence });
    }

    pub(super) fn alarm(&mut self, key: Key, flight: Flight) {
        self.carry.counts.collisions += 1;
        let Some(made) = self.made(key) else { return };
        if let Some(output) = made.outputs.get(usize::from(flight.index)) {
            tracing::error!(
                id = wire::copy_id(&output.message_id, flight.copy),
                subject = %output.subject,
                "another record has the id of an output; the output is sent under an id of its own"
            );
        }
    }

    fn made(&mut self, key: Key) -> Option<&mut Made> {
        self.window.get(key)?.made.as_mut()
    }

    /// Gives the room of a delivery's records back.
    pub(super) fn forget(&mut self, key: Key) {
        let Some(made) = self.made(key) else { return };
        let (records, bytes) = std::mem::take(&mut made.out);
        self.records_out -= records;
        self.bytes_out -= bytes;
    }
}

/// Bytes of the headers that an output gets, at most.
pub(super) fn header_len(output: &Output, revision: &RevisionTag, stream: &str) -> usize {
    // Version line and end, four names with separators and line ends, `.x9`, a colon and 20 digits of a sequence.
    const FIXED: usize = 12 + 4 * 4 + 11 + 14 + 15 + 20 + 3 + 21;
    FIXED + output.message_id.len() + revision.digest.len() + 2 * stream.len()
}

fn token(kind: Kind, key: Key, flight: Flight) -> Token {
    Token { kind, slot: key.slot, generation: key.generation, index: flight.index, copy: flight.copy }
}

fn record(
    in_hand: &InHand,
    flight: Flight,
    stream: &str,
    dead_letters: &Subject,
) -> Option<(Subject, HeaderMap, Bytes)> {
    let (made, index) = (in_hand.made.as_ref()?, usize::from(flight.index));
    if matches!(in_hand.state.phase, Phase::Sending { what: crate::settle::What::Letter, .. }) {
        let part = made.parts.get(index)?;
        return Some((dead_letters.clone(), part.headers.clone(), part.payload.clone()));
    }
    let output = made.outputs.get(index)?;
    let headers = [
        (header::NATS_MESSAGE_ID, wire::copy_id(&output.message_id, flight.copy).into()),
        (wire::INPUT, wire::input_of(stream, in_hand.input.sequence).into()),
        (wire::DIGEST, made.revision.digest.as_str().into()),
        (header::NATS_EXPECTED_STREAM, stream.into()),
    ];
    Some((output.subject.clone(), HeaderMap::from_iter(headers), output.payload.clone()))
}
