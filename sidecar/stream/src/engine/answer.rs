//! What arrived, as events.

use std::{future::Future, time::Instant};

use super::{Engine, Key, apply::unix_ms, window::InHand};
use gear_config::status::Problem;

use crate::{
    Input, Verdict,
    attempts::Attempts,
    link::{Answer, Arrival, Delivery, Kind, Lost, PullNotice, Refusal, Sink, Source, Token},
    problem::{self, problem},
    settle::{Event, Flight, Found, State},
    wire,
};

impl<S, K, C, F> Engine<'_, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    pub(super) fn arrival(&mut self, arrival: Arrival) -> Result<(), Lost> {
        match arrival {
            Arrival::Message(delivery) => {
                self.alive();
                self.message(delivery);
            }
            Arrival::Answer(token, answer) => self.answer(token, answer),
            Arrival::Pull(notice) => {
                self.pulls.notice(self.now, &notice, self.plan)?;
                if notice != PullNotice::NoResponders {
                    self.alive();
                }
            }
        }
        Ok(())
    }

    /// The server answers pull requests: now the stream is connected, not before.
    fn alive(&mut self) {
        if !std::mem::replace(&mut self.alive, true) {
            self.monitor.connected();
        }
    }

    fn message(&mut self, delivery: Delivery) {
        self.pulls.message(self.now);
        self.carry.counts.received();
        self.arrived_now += 1;
        let again = delivery.delivered > 1;
        self.carry.counts.redelivered += u64::from(again);
        self.pending = delivery.pending;
        let Some(key) = self.window.insert(in_hand(delivery, self.now, self.plan)) else {
            // More than was asked for: a server that answers a request twice. Left to its patience.
            self.carry.counts.ended(crate::disposition::Class::Released);
            return;
        };
        if self.stopping.is_some() {
            self.apply(key, Event::Stop);
        } else {
            self.apply(key, Event::Arrived { again });
        }
    }

    fn answer(&mut self, token: Token, answer: Answer) {
        let key = Key { slot: token.slot, generation: token.generation };
        let flight = Flight { index: token.index, copy: token.copy };
        let Some(in_hand) = self.window.get(key) else { return };
        let asked = matches!(token.kind, Kind::Record | Kind::LookUp) || in_hand.serial == token.index;
        if !asked {
            return;
        }
        let event = match (token.kind, answer) {
            (Kind::Record, Answer::Stored) => Event::Stored(flight),
            (Kind::Record, Answer::Duplicate { stream, sequence }) => {
                if let Some(made) = &mut in_hand.made {
                    made.there.push((flight.index, stream, sequence));
                }
                Event::Duplicate(flight)
            }
            (Kind::Record, Answer::TooLarge(detail)) => match self.unfit(key, detail) {
                Some(problem) => {
                    self.hinder(problem);
                    Event::Refused(flight)
                }
                None => return,
            },
            (Kind::LookUp, Answer::Gone) => Event::LookedUp(flight, Found::Gone),
            (Kind::LookUp, Answer::There { input }) => {
                let ours = wire::input_of(&self.plan.stream, in_hand.input.sequence);
                let same = input.is_some_and(|input| input == ours);
                Event::LookedUp(flight, if same { Found::Same } else { Found::Other })
            }
            (Kind::Remember, Answer::Stored | Answer::Duplicate { .. }) => self.remembered(key),
            (Kind::Recall, Answer::Attempts(record)) => return self.recalled(key, record.as_deref()),
            (Kind::End, Answer::Confirmed) => Event::Confirmed,
            (Kind::End, _) => Event::Unconfirmed,
            (kind, Answer::Refused(refusal)) => {
                let problem = explain(kind, in_hand, flight, refusal, &self.plan.stream);
                self.hinder(problem);
                if matches!(kind, Kind::Record | Kind::LookUp) { Event::Refused(flight) } else { Event::Denied }
            }
            _ => return,
        };
        if matches!(event, Event::Stored(_) | Event::Confirmed | Event::Recorded | Event::Marked) {
            self.flows();
        }
        self.apply(key, event);
    }

    fn remembered(&mut self, key: Key) -> Event {
        let marking = matches!(
            self.window.get(key).map(|in_hand| &in_hand.state.phase),
            Some(crate::settle::Phase::Marking { .. })
        );
        if marking { Event::Marked } else { Event::Recorded }
    }

    /// Something works again: pull as before.
    fn flows(&mut self) {
        if std::mem::take(&mut self.circuit_open) {
            self.carry.hold_rounds = 0;
        }
    }

    pub(super) fn hinder(&mut self, problem: Problem) {
        self.hindered = true;
        self.monitor.hindered(problem);
    }

    /// What readers see of this turn's messages.
    pub(super) fn tell_arrivals(&mut self) {
        if std::mem::take(&mut self.arrived_now) > 0 {
            let pending = self.pending;
            self.monitor.update(|status| {
                status.pending = pending;
                status.last_message_ms = unix_ms();
            });
        }
    }
}

/// What a refusal means, by what was refused.
fn explain(kind: Kind, in_hand: &InHand, flight: Flight, refusal: Refusal, stream: &str) -> Problem {
    let made = in_hand.made.as_ref();
    let output = made.and_then(|made| made.outputs.get(usize::from(flight.index)));
    match (kind, refusal, output) {
        (Kind::Record, Refusal::NoStream, Some(output)) => problem(
            problem::STREAM_MISSING,
            format!("no stream takes the subject {}; add it to the stream {stream}", output.subject),
        ),
        (Kind::Record, Refusal::WrongStream, Some(output)) => problem(
            problem::STREAM_MISSING,
            format!(
                "the subject {} belongs to another stream than {stream}; outputs go to the stream of input.stream",
                output.subject
            ),
        ),
        (Kind::Record, Refusal::NoStream | Refusal::WrongStream, None) => problem(
            problem::DEAD_LETTER_MISSING,
            "the dead-letter stream flux-dlq is missing; make it with: wasmgear init",
        ),
        (Kind::Remember | Kind::Recall, Refusal::NoStream | Refusal::WrongStream, _) => {
            problem(problem::STATE_MISSING, "the bucket wasmgear_state is missing; make it with: wasmgear init")
        }
        (kind, refusal, _) => problem(
            problem::STREAM_REFUSES,
            format!(
                "the NATS server refuses ({kind:?}): {}",
                match refusal {
                    Refusal::Server(text) => text,
                    other => format!("{other:?}"),
                }
            ),
        ),
    }
}

fn in_hand(delivery: Delivery, now: Instant, plan: &super::Plan) -> InHand {
    InHand {
        state: State::new(plan.ordered),
        input: delivery.input,
        reply: delivery.reply,
        delivered: delivery.delivered,
        attempts: Attempts::default(),
        serial: 0,
        made: None,
        overdue: None,
        held_since: None,
        retry: now,
        progress: now + plan.progress(),
        patience: now + plan.patience(),
    }
}
