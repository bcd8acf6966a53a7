//! Two clocks for every call.
//!
//! * **Guest time** is the CPU time of the thread inside `poll` of the call's future: what a host function waits for is
//!   outside `poll`, what it computes is inside. It is read at the entry of every poll, at each epoch tick, and at the end of
//!   a poll that stays pending; the differences add up. A baseline taken only at the first tick would not do: every poll ends
//!   at its first tick, and a loop of bulk instructions would be charged almost nothing.
//! * **Message time** is wall time from the first poll. It is looked at on each tick, and an alarm wakes a call that waits.
//!
//! Wall time is no measure for a guest: in a pod that gets a fifth of a core an innocent one would be stopped.
//! Invariant: a clock belongs to one call, and one thread at a time polls it; the atomics are for moving between threads.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    task::Poll,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

use crate::{error::Stop, ticker::Alarms};

/// A poll shorter than this is charged by wall time, which is cheap to read and can't be less than its CPU time.
const SHORT: Duration = Duration::from_micros(100);

/// The clocks of one call.
#[derive(Debug)]
pub(crate) struct Clock {
    /// CPU time of this thread at the last reading, nanoseconds.
    mark: AtomicU64,
    /// Guest time of finished slices, nanoseconds.
    spent: AtomicU64,
    /// Guest time that is allowed, nanoseconds.
    budget: AtomicU64,
    /// The poll that goes on ended, or will end, at a tick: it is runnable, not waiting.
    yielded: AtomicBool,
    /// Polls begun.
    polls: AtomicU64,
    begin: Instant,
    message_time: Duration,
}

impl Clock {
    /// Starts both clocks.
    pub(crate) fn new(budget: Duration, message_time: Duration) -> Self {
        Self {
            mark: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            budget: AtomicU64::new(nanos(budget)),
            yielded: AtomicBool::new(false),
            polls: AtomicU64::new(0),
            begin: Instant::now(),
            message_time,
        }
    }

    /// Begins a new phase of the same call with a budget of its own; message time goes on.
    pub(crate) fn rearm(&self, budget: Duration) {
        self.mark.store(thread_cpu(), Relaxed);
        self.spent.store(0, Relaxed);
        self.budget.store(nanos(budget), Relaxed);
    }

    /// One epoch tick inside wasm: go on a tick later, or stop.
    pub(crate) fn tick(&self) -> Result<UpdateDeadline, Stop> {
        let spent = self.charge();
        let budget = self.budget.load(Relaxed);
        if spent > budget {
            return Err(Stop::GuestTime { used_ms: spent / 1_000_000, budget_ms: budget / 1_000_000 });
        }
        if self.begin.elapsed() > self.message_time {
            return Err(self.message_time_over());
        }
        self.yielded.store(true, Relaxed);
        Ok(UpdateDeadline::Yield(1))
    }

    /// Guest time up to now, inside a poll.
    pub(crate) fn guest_time(&self) -> Duration {
        if self.polls.load(Relaxed) == 1 && self.spent.load(Relaxed) == 0 {
            let wall = self.begin.elapsed();
            if wall < SHORT {
                return wall;
            }
        }
        Duration::from_nanos(self.charge())
    }

    fn message_time_over(&self) -> Stop {
        Stop::MessageTime { limit_ms: u64::try_from(self.message_time.as_millis()).unwrap_or(u64::MAX) }
    }

    fn enter(&self) {
        self.polls.fetch_add(1, Relaxed);
        self.yielded.store(false, Relaxed);
        self.mark.store(thread_cpu(), Relaxed);
    }

    /// Adds what this thread did since the last reading.
    fn charge(&self) -> u64 {
        let now = thread_cpu();
        let slice = now.saturating_sub(self.mark.swap(now, Relaxed));
        self.spent.fetch_add(slice, Relaxed).saturating_add(slice)
    }
}

/// Polls `future` under `clock`. A future that waits for anything but its next turn is given up at message time.
pub(crate) async fn timed<F: Future>(clock: &Clock, alarms: &Alarms, future: F) -> Result<F::Output, Stop> {
    let mut future = pin!(future);
    let mut alarm = None;
    poll_fn(|cx| {
        clock.enter();
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        clock.charge();
        if clock.yielded.load(Relaxed) {
            return Poll::Pending;
        }
        if clock.begin.elapsed() > clock.message_time {
            return Poll::Ready(Err(clock.message_time_over()));
        }
        // The old alarm goes with its waker.
        alarm = Some(alarms.set(clock.begin + clock.message_time, cx.waker()));
        Poll::Pending
    })
    .await
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// CPU time of the calling thread, nanoseconds.
fn thread_cpu() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let rest = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests;
