//! What the loop is told once.

use std::time::Duration;

use async_nats::Subject;

/// Sizes and times of the loop. The defaults are the product's; tests shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Messages in hand at once.
    pub window_messages: usize,
    /// Bytes of messages in hand at once.
    pub window_bytes: usize,
    /// Calls handed to the gear at once. The gear's own limit on live instances may be lower; this one decides what counts
    /// as begun when the process is asked to end.
    pub calls: usize,
    /// Longest wait for one answer of the server.
    pub answer: Duration,
    /// Pause between two attempts at what is held.
    pub hold_retry: Duration,
    /// Longest time that a message is held before it is given back.
    pub hold_limit: Duration,
    /// Life of a pull request.
    pub pull_expires: Duration,
    /// Signs of life that a pull request asks for.
    pub heartbeat: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            window_messages: 2_000,
            window_bytes: 32 << 20,
            calls: 256,
            answer: Duration::from_secs(5),
            hold_retry: Duration::from_secs(1),
            hold_limit: Duration::from_secs(30),
            pull_expires: Duration::from_secs(10),
            heartbeat: Duration::from_secs(2),
        }
    }
}

impl Tuning {
    /// How often deadlines are looked at.
    pub(crate) fn tick(&self) -> Duration {
        let shortest = self.answer.min(self.hold_retry).min(self.heartbeat) / 4;
        shortest.clamp(Duration::from_millis(5), Duration::from_millis(250))
    }
}

/// Everything that the loop must know about its gear.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) stream: String,
    pub(crate) durable: String,
    pub(crate) dead_letters: Subject,
    pub(crate) version: String,
    pub(crate) ordered: bool,
    pub(crate) ack_wait: Duration,
    pub(crate) tuning: Tuning,
}

impl Plan {
    /// Messages in hand at once.
    pub(crate) fn window(&self) -> usize {
        // A slot is named by 16 bits.
        if self.ordered { 1 } else { self.tuning.window_messages.clamp(1, usize::from(u16::MAX)) }
    }

    /// How long a delivery is certainly still ours: the server's clock started a little before ours.
    pub(crate) fn patience(&self) -> Duration {
        self.ack_wait.mul_f32(0.9)
    }

    /// How often the server hears that work goes on.
    pub(crate) fn progress(&self) -> Duration {
        (self.ack_wait / 3).max(Duration::from_millis(10))
    }
}
