//! One event into the machine of one delivery, and its effects out.

use std::{future::Future, time::Duration};

use bytes::Bytes;

use super::{Engine, Key, window::InHand};
use crate::{
    Input, Verdict,
    attempts::{Attempts, jittered, pause},
    disposition::{Class, End},
    link::{Command, Kind, Sink, Source, Token},
    settle::{Effect, Event, Phase, State, Why, step},
};

const ACK: &[u8] = b"+ACK";
const TERM: &[u8] = b"+TERM";
const IN_PROGRESS: &[u8] = b"+WPI";

/// Pause of what a stopping process gives back: another one takes it.
const STOPPING: Duration = Duration::from_secs(1);
/// First and longest pause of what was held too long.
const HELD: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));

impl<S, K, C, F> Engine<'_, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    pub(super) fn apply(&mut self, key: Key, event: Event) {
        let Some(in_hand) = self.window.get(key) else { return };
        let before = std::mem::replace(&mut in_hand.state, State::new(false));
        let (state, effects) = step(before, event);
        if !state.held && matches!(state.phase, Phase::Calling | Phase::Settling { .. } | Phase::Waiting) {
            in_hand.held_since = None;
        }
        in_hand.state = state;
        for effect in effects {
            self.effect(key, effect);
        }
        self.after(key);
    }

    fn after(&mut self, key: Key) {
        let phase = self.window.get(key).map(|in_hand| (in_hand.state.is_done(), &in_hand.state.phase));
        let in_guest = matches!(phase, Some((_, Phase::Marking { .. } | Phase::Calling)));
        let done = matches!(phase, Some((true, _)));
        if self.suspect == Some(key) && !in_guest {
            self.suspect = None;
        }
        if done && let Some((records, bytes)) = self.window.remove(key) {
            self.records_out -= records;
            self.bytes_out -= bytes;
        }
    }

    fn effect(&mut self, key: Key, effect: Effect) {
        match effect {
            Effect::Recall => {
                let Some((token, in_hand)) = self.ask(key, Kind::Recall) else { return };
                let sequence = in_hand.input.sequence;
                self.commands.push(Command::Recall { token, sequence });
            }
            Effect::Queue => self.ready.push_back(key),
            Effect::QueueSuspect => {
                self.carry.counts.suspects += 1;
                self.suspects.push_back(key);
            }
            Effect::Mark(suspects) => {
                if let Some(in_hand) = self.window.get(key) {
                    in_hand.attempts.suspects = suspects;
                }
                self.remember(key);
            }
            Effect::Call => {
                let Some(in_hand) = self.window.get(key) else { return };
                let input = in_hand.input.clone();
                in_hand.overdue = None;
                self.calls.push((self.call)(key, input));
            }
            Effect::SendAll => self.send_all(key),
            Effect::Send(flight) => self.send(key, flight),
            Effect::LookUp(flight) => self.look_up(key, flight),
            Effect::Alarm(flight) => self.alarm(key, flight),
            Effect::Record(failures) => {
                self.note_failure(key, failures);
                self.remember(key);
            }
            Effect::End(end) => self.end(key, end),
            Effect::Nak(why) => self.nak(key, why),
            Effect::InProgress => self.tell(key, Bytes::from_static(IN_PROGRESS)),
            Effect::Hold => self.hold(key),
            Effect::Count(class) => self.count(key, class),
            Effect::Tally(tally) => self.carry.counts.tally(tally),
        }
    }

    /// A token for an asking other than for a record, with its deadline.
    fn ask(&mut self, key: Key, kind: Kind) -> Option<(Token, &mut InHand)> {
        let overdue = self.now + self.plan.tuning.answer;
        let in_hand = self.window.get(key)?;
        in_hand.serial = in_hand.serial.wrapping_add(1);
        in_hand.overdue = Some(overdue);
        let token = Token { kind, slot: key.slot, generation: key.generation, index: in_hand.serial, copy: 0 };
        Some((token, in_hand))
    }

    fn remember(&mut self, key: Key) {
        let Some((token, in_hand)) = self.ask(key, Kind::Remember) else { return };
        let (sequence, record) = (in_hand.input.sequence, Bytes::from(in_hand.attempts.write()));
        self.commands.push(Command::Remember { token, sequence, record });
    }

    fn note_failure(&mut self, key: Key, failures: u32) {
        let Some(in_hand) = self.window.get(key) else { return };
        let (reason, revision) = in_hand
            .made
            .as_ref()
            .map_or(("", ""), |made| (made.failure.unwrap_or_default(), made.revision.name.as_str()));
        in_hand.attempts =
            Attempts::failed(&in_hand.attempts, failures, in_hand.delivered, unix_ms(), reason, revision);
    }

    fn end(&mut self, key: Key, end: End) {
        let payload = Bytes::from_static(if end == End::Term { TERM } else { ACK });
        let Some((token, in_hand)) = self.ask(key, Kind::End) else { return };
        let reply = in_hand.reply.clone();
        self.commands.push(Command::End { token, reply, payload });
    }

    fn nak(&mut self, key: Key, why: Why) {
        let rounds = self.carry.hold_rounds;
        let Some(in_hand) = self.window.get(key) else { return };
        let seed = in_hand.input.sequence;
        let delay = match why {
            Why::Stopping => STOPPING,
            Why::Held => jittered(HELD.1.min(HELD.0 * 2u32.pow(rounds.saturating_sub(1).min(4))), seed),
            Why::Failed => in_hand
                .made
                .as_ref()
                .map_or(STOPPING, |made| pause(&made.revision.retry, in_hand.attempts.attempts, seed)),
        };
        if why == Why::Held {
            self.circuit_open = true;
            self.absent = self.absent.max(self.now + delay);
        }
        if why != Why::Failed {
            self.account(key);
        }
        self.tell(key, format!("-NAK {{\"delay\":{}}}", delay.as_nanos()).into());
    }

    /// Tells whoever gets the message next that this delivery ended by intention, not by a crash. Nobody waits for it: if
    /// it is lost, the next one only looks more closely.
    fn account(&mut self, key: Key) {
        let Some((token, in_hand)) = self.ask(key, Kind::Remember) else { return };
        in_hand.attempts.delivery = in_hand.delivered;
        let (sequence, record) = (in_hand.input.sequence, Bytes::from(in_hand.attempts.write()));
        self.commands.push(Command::Remember { token, sequence, record });
    }

    fn tell(&mut self, key: Key, payload: Bytes) {
        let Some(in_hand) = self.window.get(key) else { return };
        let reply = in_hand.reply.clone();
        self.commands.push(Command::Tell { reply, payload });
    }

    fn hold(&mut self, key: Key) {
        let (now, retry) = (self.now, self.now + self.plan.tuning.hold_retry);
        let Some(in_hand) = self.window.get(key) else { return };
        in_hand.overdue = None;
        in_hand.retry = retry;
        in_hand.held_since.get_or_insert(now);
    }

    fn count(&mut self, key: Key, class: Class) {
        let Some(in_hand) = self.window.get(key) else { return };
        if matches!(class, Class::Released | Class::Unconfirmed) {
            self.carry.forgiven.add(in_hand.input.sequence);
        }
        let buried = in_hand.made.as_ref().and_then(|made| made.letter);
        if matches!(class, Class::Rejected | Class::DeadLettered)
            && let Some(reason) = buried
        {
            self.carry.counts.buried(reason);
        }
        self.carry.counts.ended(class);
    }
}

pub(super) fn unix_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn unix_ms() -> i64 {
    unix_ns() / 1_000_000
}
