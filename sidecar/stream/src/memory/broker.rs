//! The twin's own state: what the server would know.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

use async_nats::{HeaderMap, Subject, header};
use bytes::Bytes;

use super::{Emitted, Item, Options, fault::Dice};
use crate::{
    Input,
    link::{Answer, Arrival, Command, Delivery, Lost, PullNotice, Refusal, Token},
    wire,
};

/// Ids remembered by the duplicate window.
const DUPLICATES: usize = 65_536;
/// Time of the first input, Unix nanoseconds; each next one is a millisecond later.
const EPOCH: i64 = 1_767_225_600_000_000_000;

pub(super) struct Broker {
    inputs: Box<dyn Iterator<Item = Item> + Send>,
    exhausted: bool,
    emit: Box<dyn FnMut(Emitted) + Send>,
    dead_letters: Subject,
    ack_wait: Duration,
    dice: Dice,
    sequence: u64,
    /// Delivered and not settled, by sequence.
    pending: BTreeMap<u64, Pending>,
    due: BTreeSet<(Instant, u64)>,
    /// Pull requests: messages and bytes left.
    asked: VecDeque<(usize, usize)>,
    max_payload: usize,
    stored: HashMap<String, (u64, Option<String>)>,
    stored_order: VecDeque<String>,
    records: u64,
    attempts: HashMap<u64, Bytes>,
    arrivals: BTreeMap<(Instant, u64), Arrival>,
    arrived: u64,
    /// Signs of life while nothing else is to be said.
    heartbeat: Duration,
    beat: Instant,
    lost: bool,
}

struct Pending {
    input: Input,
    delivered: u64,
    due: Instant,
}

impl Broker {
    pub(super) fn new(
        inputs: Box<dyn Iterator<Item = Item> + Send>,
        emit: Box<dyn FnMut(Emitted) + Send>,
        options: &Options,
    ) -> Self {
        Self {
            inputs,
            exhausted: false,
            emit,
            dead_letters: gear_config::names::dead_letter_subject(&options.namespace, &options.name).into(),
            ack_wait: options.ack_wait,
            dice: Dice::new(options.faults),
            sequence: 0,
            pending: BTreeMap::new(),
            due: BTreeSet::new(),
            asked: VecDeque::new(),
            max_payload: options.max_payload,
            stored: HashMap::new(),
            stored_order: VecDeque::new(),
            records: 0,
            attempts: HashMap::new(),
            arrivals: BTreeMap::new(),
            arrived: 0,
            heartbeat: options.tuning.heartbeat,
            beat: Instant::now(),
            lost: false,
        }
    }

    /// A new connection: nothing is asked for, nothing is on its way.
    pub(super) fn disconnected(&mut self) {
        self.lost = false;
        self.asked.clear();
        self.arrivals.clear();
    }

    /// What arrived by now; else when to look again.
    pub(super) fn take(&mut self, now: Instant, into: &mut Vec<Arrival>) -> Result<Option<Instant>, Lost> {
        if self.lost {
            return Err(Lost::Disconnected);
        }
        self.deliver(now);
        if now >= self.beat {
            self.beat = now + self.heartbeat;
            into.push(Arrival::Pull(PullNotice::Heartbeat));
        }
        while let Some(entry) = self.arrivals.first_entry() {
            if entry.key().0 > now {
                break;
            }
            into.push(entry.remove());
        }
        let quiet = into.iter().all(|arrival| matches!(arrival, Arrival::Pull(_)));
        if quiet && self.exhausted && self.pending.is_empty() && self.arrivals.is_empty() {
            return Err(Lost::Drained);
        }
        let next = [self.arrivals.keys().next().map(|key| key.0), self.due.first().map(|due| due.0), Some(self.beat)];
        Ok(next.into_iter().flatten().min())
    }

    fn deliver(&mut self, now: Instant) {
        while !self.asked.is_empty() {
            let again = self.due.first().filter(|due| due.0 <= now).map(|due| due.1);
            let Some(sequence) = again.or_else(|| self.feed(now)) else { break };
            if self.room(now, sequence) {
                self.hand_over(now, sequence);
                if self.dice.draw(|faults| faults.doubled) && self.room(now, sequence) {
                    self.hand_over(now, sequence);
                }
            }
        }
    }

    /// Takes a message's place in the first request that has one; a request that it does not fit into is over.
    fn room(&mut self, now: Instant, sequence: u64) -> bool {
        let size = self.pending.get(&sequence).map_or(0, |pending| pending.input.payload.len());
        while let Some((messages, bytes)) = self.asked.pop_front() {
            if size <= bytes {
                if messages > 1 {
                    self.asked.push_front((messages - 1, bytes - size));
                }
                return true;
            }
            self.arrive(now, Arrival::Pull(PullNotice::Ended { left: Some(messages) }));
        }
        false
    }

    fn feed(&mut self, now: Instant) -> Option<u64> {
        let Some(item) = self.inputs.next() else {
            self.exhausted = true;
            return None;
        };
        self.sequence += 1;
        let sequence = self.sequence;
        let timestamp = EPOCH + i64::try_from(sequence).unwrap_or(0) * 1_000_000;
        let input = Input { subject: item.subject, payload: item.payload, sequence, timestamp };
        self.pending.insert(sequence, Pending { input, delivered: 0, due: now });
        self.due.insert((now, sequence));
        Some(sequence)
    }

    fn hand_over(&mut self, now: Instant, sequence: u64) {
        self.wait_until(sequence, now + self.ack_wait);
        let Some(pending) = self.pending.get_mut(&sequence) else { return };
        pending.delivered += 1;
        let reply = Subject::from(format!("{sequence}"));
        let (input, delivered) = (pending.input.clone(), pending.delivered);
        self.arrive(now, Arrival::Message(Delivery { input, reply, delivered, pending: 0 }));
    }

    fn wait_until(&mut self, sequence: u64, due: Instant) {
        if let Some(pending) = self.pending.get_mut(&sequence) {
            self.due.remove(&(pending.due, sequence));
            pending.due = due;
            self.due.insert((due, sequence));
        }
    }

    fn arrive(&mut self, now: Instant, arrival: Arrival) {
        self.arrived += 1;
        self.arrivals.insert((now + self.dice.latency(), self.arrived), arrival);
    }

    /// Does what is asked, or goes wrong.
    pub(super) fn command(&mut self, now: Instant, command: Command) -> Result<(), Lost> {
        self.dice.count();
        if self.lost || self.dice.draw(|faults| faults.disconnect) {
            self.lost = true;
            return Err(Lost::Disconnected);
        }
        if !matches!(command, Command::Pull { .. }) && self.dice.draw(|faults| faults.lost_command) {
            return Ok(());
        }
        let Some((token, answer)) = self.done(now, command) else { return Ok(()) };
        if !self.dice.draw(|faults| faults.lost_answer) {
            self.arrive(now, Arrival::Answer(token, answer));
        }
        Ok(())
    }

    fn done(&mut self, now: Instant, command: Command) -> Option<(Token, Answer)> {
        match command {
            Command::Pull { messages, bytes, .. } => self.asked.push_back((messages, bytes.max(self.max_payload))),
            Command::Publish { token, subject, headers, payload } => {
                return Some((token, self.store(&subject, headers, payload)));
            }
            Command::Remember { token, sequence, record } => {
                self.attempts.insert(sequence, record);
                return Some((token, Answer::Stored));
            }
            Command::Recall { token, sequence } => {
                return Some((token, Answer::Attempts(self.attempts.get(&sequence).cloned())));
            }
            Command::LookUp { token, sequence, .. } => {
                let there = self.stored.values().find(|stored| stored.0 == sequence).map(|stored| stored.1.clone());
                return Some((token, there.map_or(Answer::Gone, |input| Answer::There { input })));
            }
            Command::End { token, reply, .. } => {
                if let Some(sequence) = reply.parse().ok().filter(|sequence| self.pending.contains_key(sequence)) {
                    self.settle(sequence);
                }
                return Some((token, Answer::Confirmed));
            }
            Command::Tell { reply, payload } => self.tell(now, &reply, &payload),
        }
        None
    }

    fn settle(&mut self, sequence: u64) {
        if let Some(pending) = self.pending.remove(&sequence) {
            self.due.remove(&(pending.due, sequence));
        }
        self.attempts.remove(&sequence);
    }

    fn tell(&mut self, now: Instant, reply: &str, payload: &[u8]) {
        let Ok(sequence) = reply.parse() else { return };
        let text = String::from_utf8_lossy(payload);
        let nanos = text.strip_prefix("-NAK {\"delay\":").and_then(|rest| rest.trim_end_matches('}').parse().ok());
        self.wait_until(sequence, now + nanos.map_or(self.ack_wait, Duration::from_nanos));
    }

    fn store(&mut self, subject: &Subject, headers: HeaderMap, payload: Bytes) -> Answer {
        if self.dice.draw(|faults| faults.refused) {
            return Answer::Refused(Refusal::Server("refused on purpose".to_owned()));
        }
        let text = |name: header::HeaderName| headers.get(name).map(|value| value.as_str().to_owned());
        let id = text(header::NATS_MESSAGE_ID).unwrap_or_default();
        let input = text(wire::INPUT);
        if let Some((sequence, _)) = self.stored.get(&id) {
            return Answer::Duplicate { stream: "memory".to_owned(), sequence: *sequence };
        }
        self.records += 1;
        let sequence = input.as_deref().and_then(|input| input.rsplit_once(':')?.1.parse().ok()).unwrap_or_default();
        self.stored.insert(id.clone(), (self.records, input));
        self.stored_order.push_back(id);
        if self.stored_order.len() > DUPLICATES
            && let Some(oldest) = self.stored_order.pop_front()
        {
            self.stored.remove(&oldest);
        }
        let emitted = if *subject == self.dead_letters {
            let (reason, detail) = (text(wire::REASON).unwrap_or_default(), text(wire::DETAIL).unwrap_or_default());
            Emitted::DeadLetter { sequence, reason, detail, headers, payload }
        } else {
            Emitted::Output { sequence, subject: subject.clone(), headers, payload }
        };
        (self.emit)(emitted);
        Answer::Stored
    }
}
