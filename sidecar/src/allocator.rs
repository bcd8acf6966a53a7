//! The allocator of this program, and when it gives memory back.
//!
//! The C library's allocator has one lock for all threads; guests and stream would spend half of their time at it. mimalloc
//! has none, but keeps what was freed for the next ones. A sidecar is idle most of the time, and there is one for each gear:
//! it gives back at once ([decision 0024](../../docs/decisions/0024-an-allocator-for-the-sidecar.md)).

use std::ffi::{c_int, c_long};

/// What a program makes its global allocator.
pub type Allocator = mimalloc::MiMalloc;
/// The one value of it.
pub const ALLOCATOR: Allocator = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2: milliseconds until memory that was freed goes back to the system.
const PURGE_DELAY: c_int = 15;

#[allow(
    unsafe_code,
    reason = "mimalloc reads options from the environment, which a container starts without, or takes them here"
)]
mod option {
    use super::{c_int, c_long};

    // SAFETY: these are the types of mimalloc 2. Any number may be passed: unknown options are ignored, values are taken
    // when memory is freed the next time.
    unsafe extern "C" {
        pub(super) safe fn mi_option_set(option: c_int, value: c_long);
        #[cfg(test)]
        pub(super) safe fn mi_option_get(option: c_int) -> c_long;
    }
}

/// From now on memory goes back to the system as soon as it is free. For the first line of a program: later threads see it.
pub fn give_back_at_once() {
    option::mi_option_set(PURGE_DELAY, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_one_that_is_meant() {
        assert_eq!(
            option::mi_option_get(PURGE_DELAY),
            10,
            "mimalloc's own default for this option and no other near it"
        );
        give_back_at_once();
        assert_eq!(option::mi_option_get(PURGE_DELAY), 0);
    }
}
