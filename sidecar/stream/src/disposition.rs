//! What becomes of a message: one table, and nothing else decides it.
//!
//! | outcome | effect | class |
//! |---|---|---|
//! | probe | ack | probe |
//! | OK | publish, then ack | ok |
//! | Drop | ack | dropped |
//! | Reject | dead letter, then ack | rejected |
//! | Reject with an error port | publish there, then ack | rejected |
//! | Malformed | dead letter, then term | dead-lettered |
//! | the guest failed, attempts remain | record the attempt, then nak with delay | retried |
//! | the guest failed for the last time | dead letter, then term | dead-lettered |
//! | the process died with the message, too often (`Crash`) | dead letter, then term | dead-lettered |
//!
//! What is held back because NATS is away, and what a shutdown leaves, is decided by [`crate::settle`]: it says nothing
//! about the message.

use crate::{Failure, outcome::Kind};

/// Redeliveries without a recorded outcome that a message may have beyond its attempts, before it counts as the cause of
/// the crashes.
pub const CRASHES_BEYOND_ATTEMPTS: u32 = 3;

/// In which class of the ledger a delivery ends. Each delivery ends in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Outputs confirmed, input acked.
    Ok,
    /// Acked without an output.
    Dropped,
    /// Dead letter or error port confirmed, input acked.
    Rejected,
    /// Dead letter confirmed, input terminated.
    DeadLettered,
    /// A probe, acked.
    Probe,
    /// Given back with a delay after a failure of the guest.
    Retried,
    /// Given back for another reason, or left to the server.
    Released,
    /// Acked; all its outputs were already in the stream.
    AlreadyEmitted,
    /// The server did not confirm the ack.
    Unconfirmed,
}

/// How an input is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Processed.
    Ack,
    /// Never to be delivered again.
    Term,
}

/// What to do with a message whose outcome is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Ack.
    Ack(Class),
    /// Publish what the outcome carries, then ack.
    Publish(Class),
    /// Write a dead letter, then end the input so.
    Bury(Class, End),
    /// Record this many attempts, then nak with delay.
    Retry(u32),
}

/// The table. `failures` counts the failures of the guest before this outcome, `allowed` is `retry.attempts`.
#[must_use]
pub const fn dispose(outcome: Kind, failures: u32, allowed: u32) -> Disposition {
    match outcome {
        Kind::Probe => Disposition::Ack(Class::Probe),
        Kind::Emit => Disposition::Publish(Class::Ok),
        Kind::Drop => Disposition::Ack(Class::Dropped),
        Kind::Reject => Disposition::Bury(Class::Rejected, End::Ack),
        Kind::RejectToPort => Disposition::Publish(Class::Rejected),
        Kind::Malformed | Kind::Failed(Failure::Crash) => Disposition::Bury(Class::DeadLettered, End::Term),
        Kind::Failed(_) => {
            let failures = failures.saturating_add(1);
            if failures < allowed {
                Disposition::Retry(failures)
            } else {
                Disposition::Bury(Class::DeadLettered, End::Term)
            }
        }
    }
}

/// Whether a message that was in hand `suspects` times when a process died is not tried again.
#[must_use]
pub const fn is_crash(suspects: u32, allowed: u32) -> bool {
    suspects > allowed.saturating_add(CRASHES_BEYOND_ATTEMPTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table() {
        let buried = Disposition::Bury(Class::DeadLettered, End::Term);
        let rows = [
            ("probe", Kind::Probe, 0, Disposition::Ack(Class::Probe)),
            ("ok", Kind::Emit, 0, Disposition::Publish(Class::Ok)),
            ("ok after failures", Kind::Emit, 2, Disposition::Publish(Class::Ok)),
            ("drop", Kind::Drop, 0, Disposition::Ack(Class::Dropped)),
            ("reject", Kind::Reject, 0, Disposition::Bury(Class::Rejected, End::Ack)),
            ("reject to port", Kind::RejectToPort, 0, Disposition::Publish(Class::Rejected)),
            ("malformed", Kind::Malformed, 0, buried),
            ("crash", Kind::Failed(Failure::Crash), 0, buried),
        ];
        for (name, kind, failures, expected) in rows {
            assert_eq!(dispose(kind, failures, 3), expected, "{name}");
        }
        for failure in Failure::ALL.into_iter().filter(|&failure| failure != Failure::Crash) {
            let kind = Kind::Failed(failure);
            assert_eq!(dispose(kind, 0, 3), Disposition::Retry(1), "{failure:?}");
            assert_eq!(dispose(kind, 1, 3), Disposition::Retry(2), "{failure:?}");
            assert_eq!(dispose(kind, 2, 3), buried, "{failure:?}");
            assert_eq!(dispose(kind, 0, 1), buried, "{failure:?} with one attempt");
            assert_eq!(dispose(kind, u32::MAX, u32::MAX), buried, "{failure:?} at the end of numbers");
        }
    }

    #[test]
    fn a_message_is_blamed_for_crashes_only_beyond_attempts_and_three() {
        assert!(!is_crash(6, 3));
        assert!(is_crash(7, 3));
    }
}
