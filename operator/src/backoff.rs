//! How soon a gear is worked on again after a failure: each gear has its own delay, doubling, jittered, cleared by success.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Delays by gear. The key is the UID, so that a resource that was made anew starts anew.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: Mutex<HashMap<String, u32>>,
}

impl Backoff {
    /// Delays from `first` to `most`.
    #[must_use]
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: Mutex::default() }
    }

    /// Another failure: how long to wait, between half and all of the doubled delay.
    pub(crate) fn failed(&self, uid: &str) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(uid.to_owned()).or_default();
        let delay = self.first.saturating_mul(2u32.saturating_pow(*count)).min(self.most);
        *count = count.saturating_add(1);
        jittered(delay / 2, delay)
    }

    /// A success, or the end of the gear.
    pub(crate) fn clear(&self, uid: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

/// A random time between two.
pub(crate) fn jittered(least: Duration, most: Duration) -> Duration {
    // Each RandomState is seeded anew, which is all the randomness that a delay needs.
    let random = RandomState::new().hash_one(0u8) % 1000;
    let span = most.saturating_sub(least);
    least + span * u32::try_from(random).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_stay_between_half_and_all_of_a_doubling_with_a_ceiling(times in 1u32..40) {
            let backoff = Backoff::new(Duration::from_millis(500), Duration::from_mins(5));
            for n in 0..times {
                let delay = backoff.failed("a");
                let full = Duration::from_millis(500).saturating_mul(2u32.saturating_pow(n)).min(Duration::from_mins(5));
                prop_assert!(delay >= full / 2 && delay <= full, "{n}: {delay:?} of {full:?}");
            }
        }
    }

    #[test]
    fn gears_do_not_share_delays_and_success_clears() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));
        for _ in 0..5 {
            backoff.failed("a");
        }
        assert!(backoff.failed("b") <= Duration::from_secs(1));
        backoff.clear("a");
        assert!(backoff.failed("a") <= Duration::from_secs(1));
    }
}
