//! The allocator of this program, and when it gives memory back.
//!
//! The C library's allocator has one lock for all threads; guests and stream would spend half of their time at it. mimalloc
//! has none, but each thread keeps what was freed for what comes next. A sidecar is idle most of the time, and there is one for
//! each gear: when nothing came for a while, each thread gives back what it keeps
//! ([decision 0024](../../docs/decisions/0024-an-allocator-for-the-sidecar.md)).

use std::{convert::Infallible, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

/// What a program makes its global allocator.
pub type Allocator = mimalloc::MiMalloc;
/// The one value of it.
pub const ALLOCATOR: Allocator = mimalloc::MiMalloc;

/// How long nothing has to come.
const QUIET: Duration = Duration::from_secs(5);

#[allow(unsafe_code, reason = "mimalloc's own crate has no name for it")]
mod foreign {
    // SAFETY: the type is that of mimalloc 2; it may be called at any time and on any thread.
    unsafe extern "C" {
        pub(super) safe fn mi_collect(force: bool);
    }
}

/// Everything that is free of this thread's memory goes back to the system, and what ended threads left behind.
pub fn give_back() {
    foreign::mi_collect(true);
}

/// Gives this thread's memory back whenever no message came for a while. Ends only when it is dropped.
pub(crate) async fn give_back_when_idle(received: impl Fn() -> u64) -> Infallible {
    let mut tick = interval(QUIET);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = received();
    loop {
        tick.tick().await;
        let now = received();
        if now == before {
            // Also when nothing came since the last time: ports and ticks leave a little behind.
            give_back();
        }
        before = now;
    }
}
