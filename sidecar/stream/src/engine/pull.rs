//! How much is asked for, and whether anybody listens.
//!
//! Requests overlap: the next one is made when half of the window is neither in hand nor asked for, so that the server
//! never waits for us. The very first asks for no more than is there: its answer says that pulling works. What was asked for is known in sum only, as a message does not say which request it answers.

use std::time::Instant;

use super::{plan::Plan, window::Window};
use crate::{
    link::{Command, Lost, PullNotice},
    problem::{self, problem},
};

/// Times in a row that a request may go silent before the link is made anew.
const SILENCES: u8 = 2;

#[derive(Debug)]
pub(super) struct Pulls {
    asked: usize,
    heard: Instant,
    silences: u8,
    pause_until: Instant,
    probed: bool,
}

impl Pulls {
    pub(super) fn new(_: &Plan, now: Instant) -> Self {
        Self { asked: 0, heard: now, silences: 0, pause_until: now, probed: false }
    }

    /// The next request, if it is time for one. `room` is how many messages may be in hand or asked for.
    pub(super) fn ask(&mut self, now: Instant, room: usize, window: &Window, plan: &Plan) -> Option<Command> {
        let free = room.saturating_sub(window.len() + self.asked);
        let enough = if room == 1 { free == 1 } else { free * 2 >= room };
        let share = plan.tuning.window_bytes / 4;
        let fits = window.is_empty() || window.bytes() + share <= plan.tuning.window_bytes;
        if !enough || !fits || now < self.pause_until {
            return None;
        }
        if self.asked == 0 {
            self.heard = now;
        }
        if !std::mem::replace(&mut self.probed, true) {
            // One that is answered at once, so that we know soon whether pulling works at all.
            self.asked += 1;
            return Some(Command::Pull { messages: 1, bytes: share, wait: false });
        }
        self.asked += free;
        Some(Command::Pull { messages: free, bytes: share, wait: true })
    }

    pub(super) fn message(&mut self, now: Instant) {
        self.asked = self.asked.saturating_sub(1);
        self.alive(now);
    }

    fn alive(&mut self, now: Instant) {
        self.heard = now;
        self.silences = 0;
    }

    pub(super) fn notice(&mut self, now: Instant, notice: &PullNotice, plan: &Plan) -> Result<(), Lost> {
        match notice {
            PullNotice::Heartbeat => self.alive(now),
            PullNotice::Ended { left } => {
                self.asked = self.asked.saturating_sub(left.unwrap_or(self.asked));
                self.alive(now);
            }
            PullNotice::NoResponders => {
                self.pause_until = now + plan.tuning.hold_retry / 2;
                self.silent(now, "nobody answers pull requests")?;
            }
        }
        Ok(())
    }

    pub(super) fn tick(&mut self, now: Instant, plan: &Plan) -> Result<(), Lost> {
        if self.asked > 0 && now.duration_since(self.heard) > plan.tuning.heartbeat * 2 {
            self.silent(now, "pull requests go unanswered")?;
        }
        Ok(())
    }

    fn silent(&mut self, now: Instant, what: &str) -> Result<(), Lost> {
        self.silences += 1;
        self.asked = 0;
        self.heard = now;
        tracing::debug!(silences = self.silences, "{what}");
        if self.silences < SILENCES {
            return Ok(());
        }
        Err(Lost::Broken(problem(
            problem::CONSUMER_MISSING,
            format!("{what}; looking for the stream and the consumer again"),
        )))
    }
}
