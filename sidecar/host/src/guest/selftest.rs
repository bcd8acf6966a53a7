//! The first instances of a revision: does it start, and what does starting cost.

use std::{sync::Arc, time::Duration};

use super::Inner;
use crate::{LoadError, clock::Clock, instance::Instance};

/// Instances that are made; the median of their costs is told.
const ROUNDS: usize = 9;

/// Makes and drops instances one after the other. The last one is kept for the first message, if instances are kept.
pub(super) async fn run(mut inner: Inner) -> Result<Inner, LoadError> {
    let mut costs = [Duration::ZERO; ROUNDS];
    for (round, cost) in costs.iter_mut().enumerate() {
        let template = &inner.template;
        let slot = inner.engine.spare().await;
        let clock = Arc::new(Clock::new(template.start_time(), template.message_time));
        let start = async {
            let instance = Instance::start(template, &clock, slot).await?;
            let kept = inner.kept.as_ref().filter(|_| round + 1 == ROUNDS);
            match kept {
                Some(kept) => kept.keep(instance),
                None => drop(instance),
            }
            Ok(())
        };
        let ended = crate::clock::timed(&clock, inner.engine.alarms(), start).await;
        *cost = clock.guest_time();
        let started: Result<(), crate::CallError> =
            ended.unwrap_or_else(|stop| Err(crate::error::Fault::Stop(stop).into_start_error(None)));
        started.map_err(|error| LoadError::Start(error.detail))?;
    }
    costs.sort_unstable();
    inner.instance_cost = costs.get(ROUNDS / 2).copied().unwrap_or_default();
    Ok(inner)
}
