//! Why the stream does not flow: reasons from a closed list, each with a sentence.

use gear_config::status::Problem;

/// No connection to NATS.
pub const NATS_UNAVAILABLE: &str = "NatsUnavailable";
/// The settings of the connection can't work.
pub const NATS_SETTINGS: &str = "NatsSettings";
/// The NATS user may not do what a sidecar needs.
pub const PERMISSION_DENIED: &str = "PermissionDenied";
/// The input stream is not there, or no stream takes an output.
pub const STREAM_MISSING: &str = "StreamMissing";
/// The consumer went away while it was used.
pub const CONSUMER_MISSING: &str = "ConsumerMissing";
/// The consumer of our name belongs to another gear.
pub const CONSUMER_FOREIGN: &str = "ConsumerForeign";
/// The server refuses the consumer's configuration.
pub const CONSUMER_REFUSED: &str = "ConsumerRefused";
/// The consumer is gone and nobody knows how far it was.
pub const POSITION_UNKNOWN: &str = "PositionUnknown";
/// The bucket `wasmgear_state` is not there.
pub const STATE_MISSING: &str = "StateMissing";
/// The stream `flux-dlq` is not there.
pub const DEAD_LETTER_MISSING: &str = "DeadLetterMissing";
/// A stream does not store what is sent to it.
pub const STREAM_REFUSES: &str = "StreamRefuses";

/// All reasons, for the page that lists them.
pub const ALL: [&str; 11] = [
    NATS_UNAVAILABLE,
    NATS_SETTINGS,
    PERMISSION_DENIED,
    STREAM_MISSING,
    CONSUMER_MISSING,
    CONSUMER_FOREIGN,
    CONSUMER_REFUSED,
    POSITION_UNKNOWN,
    STATE_MISSING,
    DEAD_LETTER_MISSING,
    STREAM_REFUSES,
];

pub(crate) fn problem(reason: &'static str, message: impl Into<String>) -> Problem {
    Problem { reason: reason.to_owned(), message: message.into() }
}

/// The sentence about a subject that the server refused.
#[must_use]
pub fn denied(subject: &str) -> Problem {
    problem(
        PERMISSION_DENIED,
        format!(
            "the NATS user has no permission for the subject {subject}; grant it as docs/reference/nats-permissions.md lists"
        ),
    )
}
