//! What goes wrong on purpose.

use std::time::Duration;

/// Chances in a thousand, drawn by the seed: the same seed draws the same sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Where the sequence begins.
    pub seed: u64,
    /// A command is lost: nothing happens, no answer comes.
    pub lost_command: u16,
    /// A command is done, its answer is lost.
    pub lost_answer: u16,
    /// A record is refused for now.
    pub refused: u16,
    /// A message is delivered once more while the first delivery is in hand.
    pub doubled: u16,
    /// The connection is lost; asked at every command.
    pub disconnect: u16,
    /// Answers come up to so much later, each by its own time: out of order.
    pub latency: Duration,
    /// Commands after which nothing goes wrong any more, so that a run ends; 0 means never.
    pub calm_after: u64,
}

/// The sequence.
#[derive(Debug)]
pub(super) struct Dice {
    faults: Faults,
    state: u64,
    commands: u64,
}

impl Dice {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, state: faults.seed.wrapping_mul(2).wrapping_add(1), commands: 0 }
    }

    pub(super) fn count(&mut self) {
        self.commands += 1;
    }

    pub(super) fn draw(&mut self, chance: impl Fn(&Faults) -> u16) -> bool {
        let chance = chance(&self.faults);
        let calm = self.faults.calm_after > 0 && self.commands > self.faults.calm_after;
        chance > 0 && !calm && self.next() % 1000 < u64::from(chance)
    }

    pub(super) fn latency(&mut self) -> Duration {
        let most = u64::try_from(self.faults.latency.as_micros()).unwrap_or(u64::MAX);
        if most == 0 { Duration::ZERO } else { Duration::from_micros(self.next() % (most + 1)) }
    }

    /// Knuth's LCG; the high bits are good enough to go wrong by.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 33
    }
}
