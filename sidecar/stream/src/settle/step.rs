//! The transitions.

use super::{Effect, Effects, Event, Fate, Phase, Recalled, Record, State, Tally, What, Why, records::Flight};
use crate::disposition::{Class, End};

/// One step. Pure; defined for every pair.
#[must_use]
pub fn step(mut state: State, event: Event) -> (State, Effects) {
    let mut effects = Effects::new();
    state.take(event, &mut effects);
    (state, effects)
}

impl State {
    fn take(&mut self, event: Event, out: &mut Effects) {
        match event {
            Event::Arrived { again } => self.arrived(again, out),
            Event::Recalled(recalled) => self.recalled(recalled, out),
            Event::Begin => self.begin(out),
            Event::Marked => self.marked(out),
            Event::Verdict(fate) => self.verdict(fate, out),
            Event::Stored(flight) => self.stored(flight, Record::Stored, out),
            Event::Duplicate(flight) => self.duplicate(flight, out),
            Event::LookedUp(flight, found) => self.looked_up(flight, found, out),
            Event::Recorded => self.recorded(out),
            Event::Confirmed => self.settled(None, out),
            Event::Unconfirmed => self.settled(Some(Class::Unconfirmed), out),
            Event::Refused(flight) => self.refused(flight, out),
            Event::Denied => self.denied(out),
            Event::Overdue => self.overdue(out),
            Event::Retry => self.retry(out),
            Event::GiveUp => self.give_up(out),
            Event::Progress => self.progress(out),
            Event::Late => self.late(out),
            Event::Stop => self.stop(out),
            Event::Deadline | Event::Disconnected => self.abandon(out),
        }
    }

    fn arrived(&mut self, again: bool, out: &mut Effects) {
        if self.phase != Phase::Arrived {
            return;
        }
        if again {
            self.enter(Phase::Recalling);
            out.push(Effect::Recall);
        } else {
            self.enter(Phase::Waiting);
            out.push(Effect::Queue);
        }
    }

    fn recalled(&mut self, recalled: Recalled, out: &mut Effects) {
        if self.phase != Phase::Recalling {
            return;
        }
        match recalled {
            Recalled::Accounted => {
                self.enter(Phase::Waiting);
                out.push(Effect::Queue);
            }
            Recalled::Suspect(suspects) => {
                self.enter(Phase::Suspected { suspects });
                out.push(Effect::QueueSuspect);
            }
            Recalled::Crashed(fate) => self.follow(fate, out),
        }
    }

    fn begin(&mut self, out: &mut Effects) {
        match self.phase {
            Phase::Waiting => {
                self.enter(Phase::Calling);
                out.push(Effect::Call);
            }
            Phase::Suspected { suspects } => {
                self.enter(Phase::Marking { suspects });
                out.push(Effect::Mark(suspects));
            }
            _ => {}
        }
    }

    fn marked(&mut self, out: &mut Effects) {
        if matches!(self.phase, Phase::Marking { .. }) {
            self.enter(Phase::Calling);
            out.push(Effect::Call);
        }
    }

    fn verdict(&mut self, fate: Fate, out: &mut Effects) {
        match self.phase {
            Phase::Calling => self.follow(fate, out),
            Phase::Sending { what: What::Outputs, .. } if matches!(fate, Fate::Retry(_) | Fate::Bury { .. }) => {
                self.drop_outputs(out);
                self.follow(fate, out);
            }
            _ => {}
        }
    }

    fn follow(&mut self, fate: Fate, out: &mut Effects) {
        match fate {
            Fate::Ack(class) | Fate::Publish { outputs: 0, class } => self.end(class, End::Ack, out),
            Fate::Publish { outputs, class } => {
                out.push(Effect::Tally(Tally::Emitted(outputs)));
                self.send(What::Outputs, outputs, class, End::Ack, out);
            }
            Fate::Bury { parts, class, end } => self.send(What::Letter, parts.get(), class, end, out),
            Fate::Retry(attempts) => {
                self.enter(Phase::Recording { attempts });
                out.push(Effect::Record(attempts));
            }
        }
    }

    pub(super) fn end(&mut self, class: Class, end: End, out: &mut Effects) {
        if end == End::Term && self.late {
            // Another delivery may be in other hands: it will come to the same end by itself.
            return self.done(Class::Unconfirmed, out);
        }
        self.enter(Phase::Settling { class });
        out.push(Effect::End(end));
    }

    fn settled(&mut self, other: Option<Class>, out: &mut Effects) {
        if let Phase::Settling { class } = self.phase {
            self.done(other.unwrap_or(class), out);
        }
    }

    fn recorded(&mut self, out: &mut Effects) {
        if let Phase::Recording { .. } = self.phase {
            self.give_back(Why::Failed, out);
            self.done(Class::Retried, out);
        }
    }

    fn denied(&mut self, out: &mut Effects) {
        match self.phase {
            Phase::Recalling | Phase::Marking { .. } | Phase::Recording { .. } => self.hold(out),
            _ => {}
        }
    }

    fn overdue(&mut self, out: &mut Effects) {
        match &mut self.phase {
            Phase::Recalling | Phase::Marking { .. } | Phase::Recording { .. } => self.hold(out),
            Phase::Sending { records, .. } => {
                records.iter_mut().for_each(|record| *record = record.overdue());
                self.hold(out);
            }
            Phase::Settling { .. } => self.done(Class::Unconfirmed, out),
            _ => {}
        }
    }

    pub(super) fn hold(&mut self, out: &mut Effects) {
        self.held = true;
        out.push(Effect::Hold);
    }

    fn retry(&mut self, out: &mut Effects) {
        if !self.held {
            return;
        }
        self.held = false;
        match &mut self.phase {
            Phase::Recalling => out.push(Effect::Recall),
            Phase::Marking { suspects } => out.push(Effect::Mark(*suspects)),
            Phase::Recording { attempts } => out.push(Effect::Record(*attempts)),
            Phase::Sending { records, .. } => {
                for (index, record) in (0u16..).zip(records.iter_mut()) {
                    match *record {
                        Record::Unsent { copy, again } => {
                            *record = Record::Sent { copy, again };
                            out.push(Effect::Send(Flight { index, copy }));
                        }
                        Record::Unknown { copy, asked: false } => {
                            *record = Record::Unknown { copy, asked: true };
                            out.push(Effect::LookUp(Flight { index, copy }));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn give_up(&mut self, out: &mut Effects) {
        if self.held {
            self.drop_outputs(out);
            self.give_back(Why::Held, out);
            self.done(Class::Released, out);
        }
    }

    /// What the guest has not begun with is left to the next delivery; what it has begun with goes on, as its effects are
    /// there already.
    fn late(&mut self, out: &mut Effects) {
        self.late = true;
        if !self.has_begun() {
            self.done(Class::Released, out);
        }
    }

    fn progress(&mut self, out: &mut Effects) {
        if !self.late && !self.is_done() {
            out.push(Effect::InProgress);
        }
    }

    fn stop(&mut self, out: &mut Effects) {
        if self.has_begun() || self.is_done() {
            return;
        }
        if !self.ordered {
            self.give_back(Why::Stopping, out);
        }
        self.done(Class::Released, out);
    }

    fn abandon(&mut self, out: &mut Effects) {
        match self.phase {
            Phase::Done => {}
            Phase::Settling { .. } => self.done(Class::Unconfirmed, out),
            _ => {
                self.drop_outputs(out);
                self.done(Class::Released, out);
            }
        }
    }

    /// A nak after the server's patience would disturb the next delivery.
    fn give_back(&self, why: Why, out: &mut Effects) {
        if !self.late {
            out.push(Effect::Nak(why));
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.held = false;
    }

    fn done(&mut self, class: Class, out: &mut Effects) {
        self.enter(Phase::Done);
        out.push(Effect::Count(class));
    }
}
