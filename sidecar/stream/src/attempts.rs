//! Failures of one message, kept in the bucket `wasmgear_state`, and the pause before the next attempt.

use std::time::Duration;

use gear_config::Retry;
use serde::{Deserialize, Serialize};

/// The value under `a.<durable>.<seq>`. Kept for a day; a record that is gone counts as none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attempts {
    /// Failures of the guest.
    pub attempts: u32,
    /// Redeliveries without a recorded outcome.
    pub suspects: u32,
    /// Number of the delivery whose outcome this record tells; 0 when it tells none.
    pub delivery: u64,
    /// Unix milliseconds of the first failure.
    pub first: i64,
    /// Unix milliseconds of the last failure.
    pub last: i64,
    /// Why the guest failed last.
    pub reason: String,
    /// Revision that failed last.
    pub revision: String,
}

impl Attempts {
    /// Reads a record; one that is not understood counts as none.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        // Plain numbers and two texts: there is nothing in it that can't be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The record after one more failure.
    pub(crate) fn failed(&self, attempts: u32, delivery: u64, now_ms: i64, reason: &str, revision: &str) -> Self {
        let first = if self.attempts == 0 { now_ms } else { self.first };
        Self {
            attempts,
            suspects: self.suspects,
            delivery,
            first,
            last: now_ms,
            reason: reason.to_owned(),
            revision: revision.to_owned(),
        }
    }

    /// Whether the outcome of the delivery before this one is known.
    pub(crate) fn accounts_for(&self, delivery: u64) -> bool {
        self.delivery + 1 >= delivery && self.delivery > 0
    }
}

/// Pause before attempt `failures + 1`: doubling from `backoff` up to `maxBackoff`, and up to a quarter longer, so that
/// messages that failed together do not come back together. Never shorter than asked for.
pub(crate) fn pause(retry: &Retry, failures: u32, seed: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    let base = retry.backoff.get().saturating_mul(1 << doublings).min(retry.max_backoff.get());
    jittered(base, seed ^ u64::from(failures))
}

/// A pause and up to a quarter more, spread by `seed`.
pub(crate) fn jittered(base: Duration, seed: u64) -> Duration {
    let share = u32::try_from(mix(seed) >> 40).unwrap_or(0); // 24 bits
    base + base / 4 * share / (1 << 24)
}

/// Spreads neighbours far apart (the finaliser of splitmix64).
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use gear_config::Span;

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_asked_and_at_most_a_quarter_longer(
            backoff in 0u64..100_000, max in 0u64..1_000_000, failures in 0u32..2_000, seed in any::<u64>(),
        ) {
            let retry = Retry { attempts: 3, backoff: Span::from_millis(backoff), max_backoff: Span::from_millis(max) };
            let doubled = u128::from(backoff) << failures.saturating_sub(1).min(30);
            let base = u64::try_from(doubled.min(u128::from(max))).unwrap();
            let got = pause(&retry, failures, seed);
            prop_assert!(got >= Duration::from_millis(base), "{got:?} {base}");
            prop_assert!(got <= Duration::from_millis(base) * 5 / 4 + Duration::from_nanos(1), "{got:?} {base}");
        }
    }

    #[test]
    fn neighbours_do_not_come_back_together() {
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|sequence| pause(&Retry::default(), 1, sequence).as_millis() / 10).collect();
        assert!(pauses.len() > 15, "{pauses:?}");
    }

    #[test]
    fn a_record_survives_its_own_text_and_nonsense_counts_as_none() {
        let record = Attempts::default().failed(1, 4, 17, "Trap", "r1-0");
        assert_eq!(Attempts::read(&record.write()), record);
        assert_eq!(Attempts::read(b"\xff"), Attempts::default());
        assert_eq!(record.failed(2, 5, 18, "Abi", "r1-0").first, 17);
    }

    #[test]
    fn only_the_delivery_after_a_recorded_one_is_accounted_for() {
        let record = Attempts { delivery: 3, ..Attempts::default() };
        assert!(record.accounts_for(4) && !record.accounts_for(5));
        assert!(!Attempts::default().accounts_for(1));
    }
}
