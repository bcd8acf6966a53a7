//! The ledger: counts that must balance.
//!
//! The loop owns the counts and changes them as it goes; readers see a copy that is made between two turns of the loop,
//! so that both sums hold in every copy, also under traffic. One short lock for each turn, none for each message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gear_config::status::LedgerStatus;

use crate::{Failure, disposition::Class, settle::Tally};

/// Why dead letters were written; also the value of their header `Wasmgear-Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The guest answered Reject.
    Rejected,
    /// No fluxMsg, or one over a limit.
    Malformed,
    /// The guest failed for the last time.
    Failed(Failure),
}

impl Reason {
    /// Number of reasons.
    pub const COUNT: usize = Failure::ALL.len() + 2;

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Rejected, Self::Malformed].into_iter().chain(Failure::ALL.into_iter().map(Self::Failed))
    }

    /// The name, as in headers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "Rejected",
            Self::Malformed => "Malformed",
            Self::Failed(failure) => failure.as_str(),
        }
    }

    fn index(self) -> usize {
        Self::all().position(|reason| reason == self).unwrap_or_default()
    }
}

/// Everything that the stream counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The two sums.
    pub ledger: LedgerStatus,
    /// Deliveries that were not the first of their message.
    pub redelivered: u64,
    /// Redeliveries without a recorded outcome.
    pub suspects: u64,
    /// Records that the server reported as duplicates and that were looked at.
    pub lookups: u64,
    /// Records whose id was taken by something else. Never good.
    pub collisions: u64,
    /// Deliveries whose ack wait passed before they were done.
    pub late: u64,
    /// Connections that were lost.
    pub disconnects: u64,
    dead_letters: [u64; Reason::COUNT],
}

impl Counts {
    /// Dead letters confirmed, by reason.
    pub fn dead_letters(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::all().zip(self.dead_letters.iter().copied())
    }

    pub(crate) fn received(&mut self) {
        self.ledger.received += 1;
        self.ledger.in_flight += 1;
    }

    pub(crate) fn ended(&mut self, class: Class) {
        let ledger = &mut self.ledger;
        ledger.in_flight = ledger.in_flight.saturating_sub(1);
        *match class {
            Class::Ok => &mut ledger.ok,
            Class::Dropped => &mut ledger.dropped,
            Class::Rejected => &mut ledger.rejected,
            Class::DeadLettered => &mut ledger.dead_lettered,
            Class::Probe => &mut ledger.probes,
            Class::Retried => &mut ledger.retried,
            Class::Released => &mut ledger.released,
            Class::AlreadyEmitted => &mut ledger.already_emitted,
            Class::Unconfirmed => &mut ledger.unconfirmed,
        } += 1;
    }

    pub(crate) fn tally(&mut self, tally: Tally) {
        let ledger = &mut self.ledger;
        let (sum, count) = match tally {
            Tally::Emitted(count) => {
                ledger.emitted += u64::from(count);
                ledger.outputs_in_flight += u64::from(count);
                return;
            }
            Tally::Confirmed => (&mut ledger.confirmed, 1),
            Tally::Duplicate => (&mut ledger.confirmed_duplicate, 1),
            Tally::Abandoned(count) => (&mut ledger.abandoned, u64::from(count)),
        };
        *sum += count;
        ledger.outputs_in_flight = ledger.outputs_in_flight.saturating_sub(count);
    }

    pub(crate) fn buried(&mut self, reason: Reason) {
        if let Some(count) = self.dead_letters.get_mut(reason.index()) {
            *count += 1;
        }
    }
}

/// The published copy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Counts>>);

impl Ledger {
    pub(crate) fn publish(&self, counts: &Counts) {
        debug_assert!(counts.ledger.balances(), "the ledger does not balance: {:?}", counts.ledger);
        *self.lock() = *counts;
    }

    pub(crate) fn read(&self) -> Counts {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A copy of plain numbers is never half written: a poisoned lock holds a sound value.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_and_every_tally_keeps_both_sums() {
        let mut counts = Counts::default();
        let classes = [
            Class::Ok,
            Class::Dropped,
            Class::Rejected,
            Class::DeadLettered,
            Class::Probe,
            Class::Retried,
            Class::Released,
            Class::AlreadyEmitted,
            Class::Unconfirmed,
        ];
        for class in classes {
            counts.received();
            assert!(counts.ledger.balances());
            counts.ended(class);
            assert!(counts.ledger.balances(), "{class:?}");
        }
        counts.tally(Tally::Emitted(4));
        for tally in [Tally::Confirmed, Tally::Duplicate, Tally::Abandoned(2)] {
            assert!(counts.ledger.balances());
            counts.tally(tally);
        }
        assert!(counts.ledger.balances());
        assert_eq!((counts.ledger.in_flight, counts.ledger.outputs_in_flight), (0, 0));
    }

    #[test]
    fn reasons_are_counted_apart() {
        let mut counts = Counts::default();
        for reason in Reason::all() {
            counts.buried(reason);
        }
        assert!(counts.dead_letters().all(|(_, count)| count == 1));
        assert_eq!(counts.dead_letters().count(), Reason::COUNT);
    }
}
