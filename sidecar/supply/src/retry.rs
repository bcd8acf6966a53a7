//! Trying again: only faults of the network, with jitter, until one deadline.

use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use crate::SupplyError;

/// How long and how fast a registry is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For one `resolve` or `fetch`, all tries and all registries together.
    pub deadline: Duration,
    /// Delay before the second try; doubles.
    pub backoff: Duration,
    /// Longest delay.
    pub max_backoff: Duration,
    /// Tries at most. 1 for a caller that tries again by itself and wants to tell people meanwhile.
    pub tries: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline: Duration::from_mins(1),
            backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            tries: u32::MAX,
        }
    }
}

impl Policy {
    /// Calls `ask` until it succeeds, fails for good, or the deadline passes.
    pub(crate) async fn run<T, F, R>(&self, what: &str, mut ask: F) -> Result<T, SupplyError>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<T, SupplyError>>,
    {
        let end = Instant::now() + self.deadline;
        let late = |last: Option<SupplyError>| SupplyError::Deadline {
            what: what.to_owned(),
            deadline: self.deadline,
            source: last.map(Box::new),
        };
        let (mut delay, mut last, mut tries) = (self.backoff, None, 0);
        loop {
            let Ok(answer) = timeout_at(end, ask()).await else { return Err(late(last)) };
            tries += 1;
            let error = match answer {
                Err(error) if error.class().is_transient() && tries < self.tries => error,
                settled => return settled,
            };
            let pause = jittered(delay);
            if Instant::now() + pause >= end {
                return Err(late(Some(error)));
            }
            tracing::debug!(what, error = error.chain(), ?pause, "registry is tried again");
            last = Some(error);
            sleep(pause).await;
            delay = (delay * 2).min(self.max_backoff);
        }
    }
}

/// Half to all of `delay`, so that many sidecars do not come back at once.
#[must_use]
pub fn jittered(delay: Duration) -> Duration {
    // The standard library seeds each `RandomState` anew; that is all the randomness that spreading needs.
    let random = RandomState::new().hash_one(0u8) % 1024;
    delay / 2 + (delay / 2).mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Class;

    const QUICK: Policy = Policy {
        deadline: Duration::from_millis(300),
        backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(5),
        tries: u32::MAX,
    };

    fn away() -> SupplyError {
        SupplyError::Unavailable { registry: "r".into(), doing: "asking".into(), source: "refused".into() }
    }

    fn missing() -> SupplyError {
        SupplyError::NotFound { registry: "r".into(), what: "m".into(), next: "push it".into() }
    }

    #[tokio::test]
    async fn a_registry_that_comes_back_is_asked_again() {
        let tries = Cell::new(0);
        let answer = QUICK
            .run("m", || {
                tries.set(tries.get() + 1);
                let result = if tries.get() < 4 { Err(away()) } else { Ok(7) };
                async move { result }
            })
            .await;
        assert_eq!((answer.unwrap(), tries.get()), (7, 4));
    }

    #[tokio::test]
    async fn a_clear_answer_is_never_asked_for_twice() {
        let tries = Cell::new(0);
        let answer: Result<(), _> = QUICK
            .run("m", || {
                tries.set(tries.get() + 1);
                async { Err(missing()) }
            })
            .await;
        assert_eq!((answer.unwrap_err().class(), tries.get()), (Class::ModuleNotFound, 1));
    }

    #[tokio::test]
    async fn whoever_wants_one_try_gets_its_fault() {
        let once = Policy { tries: 1, ..QUICK };
        let refused: Result<(), _> = once.run("m", || async { Err(away()) }).await;
        assert!(matches!(refused.unwrap_err(), SupplyError::Unavailable { .. }));
    }

    #[tokio::test]
    async fn the_deadline_ends_a_registry_that_never_answers() {
        let silent: Result<(), _> = QUICK.run("m", std::future::pending).await;
        assert!(matches!(silent.unwrap_err(), SupplyError::Deadline { source: None, .. }));
        let refusing: Result<(), _> = QUICK.run("m", || async { Err(away()) }).await;
        assert!(matches!(refusing.unwrap_err(), SupplyError::Deadline { source: Some(_), .. }));
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let delay = Duration::from_millis(100);
        for _ in 0..1000 {
            let pause = jittered(delay);
            assert!(pause >= delay / 2 && pause <= delay, "{pause:?}");
        }
    }
}
