//! Transitions of what is sent: outputs, or a dead letter.

use super::{Effect, Effects, Flight, Found, Phase, Record, Records, State, Tally, What, records::LAST_COPY};
use crate::disposition::{Class, End};

impl State {
    pub(super) fn send(&mut self, what: What, count: u16, class: Class, end: End, out: &mut Effects) {
        let records = Records::from_elem(Record::Sent { copy: 0, again: false }, usize::from(count));
        self.enter(Phase::Sending { what, records, class, end });
        out.push(Effect::SendAll);
    }

    pub(super) fn stored(&mut self, flight: Flight, how: Record, out: &mut Effects) {
        let Some((what, record)) = self.record(flight) else { return };
        if !record.flies(flight) && !record.asks(flight) {
            return;
        }
        *record = how;
        if what == What::Outputs {
            let duplicate = how == Record::Earlier;
            out.push(Effect::Tally(if duplicate { Tally::Duplicate } else { Tally::Confirmed }));
        }
        self.safe_so_far(out);
    }

    pub(super) fn duplicate(&mut self, flight: Flight, out: &mut Effects) {
        let Some((what, record)) = self.record(flight) else { return };
        match *record {
            // Only this input can have written that dead letter: its id is made of the consumer and the message.
            Record::Sent { .. } if what == What::Letter => self.stored(flight, Record::Earlier, out),
            Record::Sent { copy, again: true } if copy == flight.copy => self.stored(flight, Record::Stored, out),
            Record::Sent { copy, again: false } if copy == flight.copy => {
                *record = Record::Unknown { copy, asked: true };
                out.push(Effect::LookUp(flight));
            }
            _ => {}
        }
    }

    pub(super) fn looked_up(&mut self, flight: Flight, found: Found, out: &mut Effects) {
        let Some((_, record)) = self.record(flight) else { return };
        if !record.asks(flight) {
            return;
        }
        if found == Found::Same {
            return self.stored(flight, Record::Earlier, out);
        }
        let next = Flight { index: flight.index, copy: flight.copy.saturating_add(1).min(LAST_COPY) };
        if next.copy == flight.copy {
            *record = record.overdue();
            return self.hold(out);
        }
        *record = Record::Sent { copy: next.copy, again: false };
        if found == Found::Other {
            out.push(Effect::Alarm(flight));
        }
        out.push(Effect::Send(next));
    }

    /// All records safe: the input may end. Some safe: what holds the others has not gone by that.
    fn safe_so_far(&mut self, out: &mut Effects) {
        let Phase::Sending { records, class, end, what } = &self.phase else { return };
        if !records.iter().all(|record| record.is_safe()) {
            return;
        }
        let earlier = *what == What::Outputs && records.iter().all(|record| *record == Record::Earlier);
        let class = if earlier && *class == Class::Ok { Class::AlreadyEmitted } else { *class };
        let end = *end;
        self.end(class, end, out);
    }

    pub(super) fn refused(&mut self, flight: Flight, out: &mut Effects) {
        let Some((_, record)) = self.record(flight) else { return };
        if record.flies(flight) || record.asks(flight) {
            *record = record.refused();
            self.hold(out);
        }
    }

    pub(super) fn drop_outputs(&self, out: &mut Effects) {
        let Phase::Sending { what: What::Outputs, records, .. } = &self.phase else { return };
        let left = records.iter().filter(|record| !record.is_safe()).count();
        if left > 0 {
            out.push(Effect::Tally(Tally::Abandoned(u16::try_from(left).unwrap_or(u16::MAX))));
        }
    }

    fn record(&mut self, flight: Flight) -> Option<(What, &mut Record)> {
        let Phase::Sending { what, records, .. } = &mut self.phase else { return None };
        Some((*what, records.get_mut(usize::from(flight.index))?))
    }
}
