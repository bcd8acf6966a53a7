//! Time, as events. A scan of the window a few times each second costs less than a timer for each message.

use std::{future::Future, time::Duration};

use super::{Engine, Key};
use crate::{
    Input, Verdict,
    link::{Lost, Sink, Source},
    settle::Event,
};

/// How often a stop says what it waits for.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl<S, K, C, F> Engine<'_, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    pub(super) fn tick(&mut self) -> Result<(), Lost> {
        if !self.alive
            && let Some(problem) = self.sink.denied()
        {
            return Err(Lost::Broken(problem));
        }
        self.pulls.tick(self.now, self.plan)?;
        let (mut held, mut overdue) = (0, false);
        for key in self.window.keys() {
            overdue |= self.tick_one(key);
            held += u64::from(self.window.get(key).is_some_and(|in_hand| in_hand.held_since.is_some()));
        }
        self.carry.counts.ledger.held = held;
        // A problem is over when nobody waits because of it any more, here or at the server. One success is not enough: a
        // missing dead-letter stream does not hinder those who need none.
        if self.hindered && held == 0 && !self.circuit_open && self.now >= self.absent {
            self.hindered = false;
            self.monitor.unhindered();
        }
        if overdue && let Some(problem) = self.sink.denied() {
            self.hinder(problem);
        }
        if self.stopping.is_some() && self.now.duration_since(self.last_words) >= LAST_WORDS {
            self.last_words = self.now;
            tracing::info!(in_hand = self.window.len(), calls = self.calls.len(), "stopping: still running");
        }
        Ok(())
    }

    /// Returns whether an answer did not come in time.
    fn tick_one(&mut self, key: Key) -> bool {
        let (now, tuning) = (self.now, &self.plan.tuning);
        let (limit, every, patience) = (tuning.hold_limit, self.plan.progress(), self.plan.patience());
        let Some(in_hand) = self.window.get(key) else { return false };
        if now >= in_hand.patience && !in_hand.state.late {
            self.carry.counts.late += 1;
            self.apply(key, Event::Late);
        } else if now >= in_hand.progress {
            in_hand.progress = now + every;
            in_hand.patience = now + patience;
            self.apply(key, Event::Progress);
        }
        let Some(in_hand) = self.window.get(key) else { return false };
        if in_hand.state.held && now >= in_hand.retry {
            let over = in_hand.held_since.is_some_and(|since| now.duration_since(since) >= limit);
            if over && now.duration_since(self.held_round) >= limit / 2 {
                self.held_round = now;
                self.carry.hold_rounds = self.carry.hold_rounds.saturating_add(1);
            }
            self.apply(key, if over { Event::GiveUp } else { Event::Retry });
            return false;
        }
        let late = in_hand.overdue.is_some_and(|overdue| now >= overdue);
        if late {
            in_hand.overdue = None;
            self.apply(key, Event::Overdue);
        }
        late
    }
}
