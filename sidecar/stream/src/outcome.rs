//! The border between the stream and what processes its messages.

use std::{future::Future, sync::Arc};

use async_nats::Subject;
use bytes::Bytes;
use gear_config::Retry;

/// One message as the stream delivered it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Subject that it was published on.
    pub subject: Subject,
    /// Body, untouched.
    pub payload: Bytes,
    /// Sequence in the stream; the same on every delivery.
    pub sequence: u64,
    /// Time of storage, Unix nanoseconds; the same on every delivery.
    pub timestamp: i64,
}

/// Who processed a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionTag {
    /// Name of the revision.
    pub name: String,
    /// Digest of the module, text form; goes into the header `Wasmgear-Digest`.
    pub digest: String,
    /// How failures of this revision are retried.
    pub retry: Retry,
}

/// What became of one call, and who says so.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The revision that processed the message.
    pub revision: Arc<RevisionTag>,
    /// What it made of it.
    pub outcome: Outcome,
    /// W3C `traceparent` of the message, for its dead letter; may be left out where no dead letter can follow.
    pub trace: Option<String>,
}

/// What a gear made of one message. The effect of each is decided in `disposition`, nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A probe of fluxrig: counted, acked, ignored.
    Probe,
    /// The guest answered OK; an empty list emits nothing.
    Emit(Vec<Output>),
    /// The guest answered Drop.
    Drop,
    /// The guest answered Reject.
    Reject {
        /// 1, or the guest's own number from 3 to 255.
        code: u32,
        /// UTF-8 text of the guest, may be empty.
        reason: String,
        /// What to emit in place of a dead letter (`onReject: ErrorPort`).
        to_port: Option<Output>,
    },
    /// No fluxMsg, or one over the hop or size limit; the guest never saw it.
    Malformed {
        /// What was expected and what was found.
        detail: String,
    },
    /// The guest failed.
    Failed {
        /// Why.
        failure: Failure,
        /// Sentence for people, with a backtrace where there is one.
        detail: String,
    },
}

/// Why a guest failed. The names are reasons of dead letters and labels of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// A wasm trap.
    Trap,
    /// More CPU time inside the guest than `limits.guestTime`.
    GuestTime,
    /// More wall time than `limits.messageTime`.
    MessageTime,
    /// A trap or exit after a growth of memory was refused.
    Memory,
    /// Start function or `_initialize` failed.
    Start,
    /// An output is no fluxMsg or breaks a limit.
    Output,
    /// The guest broke the calling convention: bad pointer, bad result code, allocator returned 0.
    Abi,
    /// The process died while this message was in the guest.
    Crash,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Trap,
        Self::GuestTime,
        Self::MessageTime,
        Self::Memory,
        Self::Start,
        Self::Output,
        Self::Abi,
        Self::Crash,
    ];

    /// The name, as in dead letters and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "Trap",
            Self::GuestTime => "GuestTime",
            Self::MessageTime => "MessageTime",
            Self::Memory => "Memory",
            Self::Start => "Start",
            Self::Output => "Output",
            Self::Abi => "Abi",
            Self::Crash => "Crash",
        }
    }
}

/// One record to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where to.
    pub subject: Subject,
    /// `Nats-Msg-Id`: the same whenever the same input is processed again.
    pub message_id: String,
    /// The record, hops and ids in place.
    pub payload: Bytes,
}

impl Outcome {
    /// What it is, without what it carries.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Probe => Kind::Probe,
            Self::Emit(_) => Kind::Emit,
            Self::Drop => Kind::Drop,
            Self::Reject { to_port: None, .. } => Kind::Reject,
            Self::Reject { to_port: Some(_), .. } => Kind::RejectToPort,
            Self::Malformed { .. } => Kind::Malformed,
            Self::Failed { failure, .. } => Kind::Failed(*failure),
        }
    }
}

/// An [`Outcome`] without what it carries: what the disposition is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A probe.
    Probe,
    /// OK.
    Emit,
    /// Drop.
    Drop,
    /// Reject, to a dead letter.
    Reject,
    /// Reject, to the error port.
    RejectToPort,
    /// Malformed input.
    Malformed,
    /// The guest failed.
    Failed(Failure),
}

/// What processes messages: the sidecar's pipeline, or a double in a test.
pub trait Gear: Send + Sync + 'static {
    /// The revision that would process this message now. Asked for when a message has to be judged without a call: it
    /// was in the guest when a process died, too often.
    fn revision(&self, input: &Input) -> Arc<RevisionTag>;

    /// Processes one message. Never fails: every failure is an [`Outcome`]. Dropping the future gives the call up.
    fn process(&self, input: Input) -> impl Future<Output = Verdict> + Send;

    /// Every call of a turn was polled once: who runs them elsewhere may wake up for all of them together.
    fn handed_over(&self) {}
}
