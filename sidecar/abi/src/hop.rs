//! One step of a message's way.

use crate::Id;

/// One step of a message's way: where it passed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hop {
    /// Identity of the gear.
    pub g: Id,
    /// Identity of the port.
    pub p: Id,
    /// Unix nanoseconds.
    pub t: i64,
}

impl Hop {
    /// A hop through `port` of `gear` at `time`, Unix nanoseconds.
    #[must_use]
    pub fn new(gear: impl Into<Id>, port: impl Into<Id>, time: i64) -> Self {
        Self { g: gear.into(), p: port.into(), t: time }
    }
}
