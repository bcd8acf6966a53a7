//! The settlement of one delivery: a pure machine, `step(state, event) -> (state, effects)`.
//!
//! No input or output, no clock, no message in it: whoever drives it reports what happened ([`Event`]) and does what it
//! is told ([`Effect`]). Every pair of state and event is defined; an event that does not fit changes nothing.
//!
//! ```text
//! Arrived ─ first ──────────────────────────────▶ Waiting ─▶ Calling ─┬─▶ Settling ─▶ Done
//!    └─ again ─▶ Recalling ─┬─ outcome recorded ──▶ ┘          ▲      ├─▶ Sending ──▶ ┘     outputs or a dead letter
//!                           ├─ none ─▶ Suspected ─▶ Marking ───┘      └─▶ Recording ─▶ Done  the attempt, then nak
//!                           └─ too often ─▶ Sending (Crash)
//! ```
//!
//! Invariants, held by property tests:
//!
//! * nothing is acked or terminated before every record (output or dead letter) of it is confirmed;
//! * nothing is given back after a failure before the attempt is stored, and no suspect is called before it is marked;
//! * every delivery is counted in exactly one class, when it is done, and does nothing afterwards;
//! * every record that was sent is counted as confirmed, duplicate or abandoned, exactly once;
//! * nothing is given back or terminated after the server's patience ended ([`Event::Late`]).

use std::num::NonZeroU16;

use smallvec::SmallVec;

use crate::disposition::{Class, End};

mod records;
mod sending;
mod step;

pub use records::{Flight, Found, Record, Records, Tally};
pub use step::step;

/// Effects of one step, in order.
pub type Effects = SmallVec<[Effect; 4]>;

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The phase.
    pub phase: Phase,
    /// The messages of this stream are processed in order: a process that ends leaves the one in hand to the server.
    pub ordered: bool,
    /// The server's patience may have ended: another delivery of the message may be on its way.
    pub late: bool,
    /// What it needs is away; it waits.
    pub held: bool,
}

/// The phases.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Taken from the stream, nothing done yet.
    Arrived,
    /// A redelivery; the attempts record is asked for.
    Recalling,
    /// No outcome was recorded for the delivery before; waits for its turn, one at a time.
    Suspected {
        /// How often this happened, this time included.
        suspects: u32,
    },
    /// The suspicion is being stored.
    Marking {
        /// As above.
        suspects: u32,
    },
    /// Waits for a call.
    Waiting,
    /// In the guest.
    Calling,
    /// Records are on their way.
    Sending {
        /// What they are.
        what: What,
        /// Each of them.
        records: Records,
        /// Class when all are confirmed.
        class: Class,
        /// How the input is ended then.
        end: End,
    },
    /// The attempt is being stored.
    Recording {
        /// Failures so far.
        attempts: u32,
    },
    /// The end was asked for, the server's confirmation is awaited.
    Settling {
        /// Class when it is confirmed.
        class: Class,
    },
    /// Over.
    Done,
}

/// What the records of a delivery are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Outputs of the gear.
    Outputs,
    /// A dead letter, in one part or several.
    Letter,
}

/// What the driver makes of an outcome, by the table in [`crate::disposition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Nothing to send: ack.
    Ack(Class),
    /// Send so many outputs, then ack.
    Publish {
        /// How many; none ends the input at once.
        outputs: u16,
        /// Class at the end.
        class: Class,
    },
    /// Write a dead letter, then end the input.
    Bury {
        /// Its parts.
        parts: NonZeroU16,
        /// Class at the end.
        class: Class,
        /// How the input is ended.
        end: End,
    },
    /// Store this many failures, then give the message back with a delay.
    Retry(u32),
}

/// What the record of a redelivered message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recalled {
    /// The outcome of the delivery before is known.
    Accounted,
    /// It is not; so many times by now.
    Suspect(u32),
    /// It is not, too often.
    Crashed(Fate),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The message is in hand.
    Arrived {
        /// It was delivered before.
        again: bool,
    },
    /// The record was read.
    Recalled(Recalled),
    /// It is this delivery's turn to be called.
    Begin,
    /// The suspicion is stored.
    Marked,
    /// The guest is done. Or, while outputs are on their way: one of them turned out to be unfit, so that this is a failure
    /// after all; a fate other than a retry or a dead letter changes nothing then.
    Verdict(Fate),
    /// A record is stored.
    Stored(Flight),
    /// A record was already there.
    Duplicate(Flight),
    /// What was already there was looked at.
    LookedUp(Flight, Found),
    /// The attempt is stored.
    Recorded,
    /// The server confirmed the end.
    Confirmed,
    /// The server answered the end with something else.
    Unconfirmed,
    /// A record could not be stored or looked at now; it says nothing about the message.
    Refused(Flight),
    /// What this phase asked for (other than records) was refused now; it says nothing about the message.
    Denied,
    /// What this phase asked for was not answered in time.
    Overdue,
    /// Try again what is held.
    Retry,
    /// It was held long enough: give it back.
    GiveUp,
    /// The server wants to hear that work goes on.
    Progress,
    /// The server may have lost patience.
    Late,
    /// No new calls: the process is asked to end.
    Stop,
    /// The process ends now.
    Deadline,
    /// The connection that the message came by is lost.
    Disconnected,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Read the attempts record.
    Recall,
    /// Let it wait for a call.
    Queue,
    /// Let it wait for its turn among the suspects.
    QueueSuspect,
    /// Store that it is a suspect so many times.
    Mark(u32),
    /// Call the guest.
    Call,
    /// Send all records, for the first time.
    SendAll,
    /// Send one record again.
    Send(Flight),
    /// Look at what is already there under this record's id.
    LookUp(Flight),
    /// Another record is there under this one's id. Never to be taken for success.
    Alarm(Flight),
    /// Store so many failures.
    Record(u32),
    /// Ask for the input to be ended.
    End(End),
    /// Give it back.
    Nak(Why),
    /// Tell the server that work goes on.
    InProgress,
    /// Try again later.
    Hold,
    /// Count the delivery.
    Count(Class),
    /// Count outputs.
    Tally(Tally),
}

/// Why a message is given back; decides the delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The guest failed.
    Failed,
    /// What it needs is away.
    Held,
    /// The process ends.
    Stopping,
}

impl State {
    /// A delivery that was just taken.
    #[must_use]
    pub const fn new(ordered: bool) -> Self {
        Self { phase: Phase::Arrived, ordered, late: false, held: false }
    }

    /// Whether the delivery is over.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether the guest may have begun with it.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Arrived | Phase::Recalling | Phase::Suspected { .. } | Phase::Marking { .. } | Phase::Waiting
        )
    }
}

#[cfg(test)]
mod tests;
