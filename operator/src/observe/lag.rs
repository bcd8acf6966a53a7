//! How far a gear is behind its input, as a class that does not move with messages.
//!
//! | class | when |
//! |---|---|
//! | None | no more waits than a pod has in hand anyway |
//! | Low | more, and not rising all the time |
//! | Growing | more, and each look found more than the one before, four times |
//! | Stuck | something waits, and nothing was settled between four looks |
//!
//! A class is shown when two looks in a row agree on it. Looks are at least two thirds of a rest apart, so that a rollout
//! does not make a minute of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use gear_config::status::SidecarStatus;
use wasmgear_crds::Lag;

/// What one pod has in hand at once.
const WINDOW: u64 = 2_000;
/// Looks that a class is made of.
const LOOKS: usize = 4;

/// Figures of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// Messages that wait in the stream, as the server says.
    pub(super) pending: u64,
    /// Messages in somebody's hand.
    pub(super) in_hand: u64,
    /// Messages settled by the pods that answered.
    pub(super) settled: u64,
}

impl Sample {
    /// Of the pods that answered; `None` when nobody is connected.
    pub(super) fn of(statuses: &[&SidecarStatus]) -> Option<Self> {
        let connected = || statuses.iter().filter(|status| status.stream.connected);
        // All pods share one consumer, so each says the same of it, sooner or later.
        let pending = connected().map(|status| status.stream.pending).max()?;
        let in_hand = connected().map(|status| status.stream.ack_pending).max()?;
        let settled = connected()
            .map(|status| status.ledger)
            .map(|l| l.ok + l.dropped + l.rejected + l.dead_lettered + l.probes + l.already_emitted)
            .sum();
        Some(Self { pending, in_hand, settled })
    }
}

/// Looks and what they make.
#[derive(Debug, Default)]
pub(super) struct LagTracker {
    looks: VecDeque<Sample>,
    last: Option<Instant>,
    judged: Option<Lag>,
    shown: Option<Lag>,
}

impl LagTracker {
    /// The class that is shown.
    pub(super) fn class(&self) -> Option<Lag> {
        self.shown
    }

    /// Takes a look, unless the last one was just now.
    pub(super) fn take(&mut self, sample: Sample, now: Instant, rest: Duration) {
        if self.last.is_some_and(|last| now.duration_since(last) < rest * 2 / 3) {
            return;
        }
        self.last = Some(now);
        self.looks.push_back(sample);
        if self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
        let judged = self.judge(sample);
        if self.shown.is_none() || self.judged == Some(judged) {
            self.shown = Some(judged);
        }
        self.judged = Some(judged);
    }

    fn judge(&self, newest: Sample) -> Lag {
        let full = self.looks.len() == LOOKS;
        let pairs = || self.looks.iter().zip(self.looks.iter().skip(1));
        if full
            && self.looks.iter().all(|look| look.pending + look.in_hand > 0)
            && pairs().all(|(a, b)| a.settled == b.settled)
        {
            return Lag::Stuck;
        }
        if newest.pending <= WINDOW {
            return Lag::None;
        }
        if full && pairs().all(|(a, b)| a.pending < b.pending) { Lag::Growing } else { Lag::Low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(looks: &[(u64, u64)]) -> Vec<Lag> {
        let (mut tracker, start, rest) = (LagTracker::default(), Instant::now(), Duration::from_mins(1));
        looks
            .iter()
            .enumerate()
            .map(|(minute, (pending, settled))| {
                let now = start + rest * u32::try_from(minute).unwrap();
                tracker.take(Sample { pending: *pending, in_hand: 0, settled: *settled }, now, rest);
                tracker.class().unwrap()
            })
            .collect()
    }

    #[test]
    fn figures_that_move_inside_a_class_do_not_move_the_class() {
        assert_eq!(shown(&[(0, 1), (900, 2), (1_999, 3), (7, 4), (0, 5)]), [Lag::None; 5]);
    }

    #[test]
    fn one_look_that_differs_is_not_shown() {
        assert_eq!(shown(&[(0, 1), (9_000, 2), (0, 3), (0, 4)]), [Lag::None; 4]);
        assert_eq!(shown(&[(0, 1), (9_000, 2), (8_000, 3)]).last(), Some(&Lag::Low));
    }

    #[test]
    fn rising_for_four_looks_twice_is_growing() {
        let looks = [(3_000, 1), (4_000, 2), (5_000, 3), (6_000, 4), (7_000, 5)];
        assert_eq!(shown(&looks).last(), Some(&Lag::Growing));
        let looks = [(3_000, 1), (4_000, 2), (3_900, 3), (6_000, 4), (7_000, 5)];
        assert_eq!(shown(&looks).last(), Some(&Lag::Low));
    }

    #[test]
    fn something_waits_and_nothing_is_settled_is_stuck() {
        assert_eq!(shown(&[(5, 7), (5, 7), (6, 7), (6, 7), (6, 7)]).last(), Some(&Lag::Stuck));
        assert_eq!(shown(&[(5, 7), (5, 7), (6, 8), (6, 8), (6, 8)]).last(), Some(&Lag::None));
        assert_eq!(shown(&[(0, 7); 6]).last(), Some(&Lag::None));
    }

    #[test]
    fn looks_in_quick_succession_count_once() {
        let (mut tracker, now) = (LagTracker::default(), Instant::now());
        for n in 0..10 {
            let sample = Sample { pending: 9_000 + n, in_hand: 0, settled: n };
            tracker.take(sample, now + Duration::from_millis(500 * n), Duration::from_mins(1));
        }
        assert_eq!(tracker.looks.len(), 1);
    }
}
