//! Where a gear's messages come from.

use serde::{Deserialize, Serialize};

use crate::Span;

/// The durable consumer of a gear. The same on all pods; only the operator's document decides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// JetStream stream, usually `flux-msg`.
    pub stream: String,
    /// Filter subjects. The replay subject of the gear is added where the stream covers it.
    pub subjects: Vec<String>,
    /// Where a consumer that was never there begins.
    pub deliver: Deliver,
    /// Time that the server waits for an answer before it delivers again.
    pub ack_wait: Span,
    /// One message at a time, in the order of the stream.
    pub ordered: bool,
    /// The server forgets the consumer after it was unused for so long.
    pub forget_after: Span,
    /// Ceiling of un-acked messages over all pods.
    pub max_ack_pending: u32,
    /// Generation of the resource that this consumer configuration comes from; goes into the consumer's metadata.
    pub generation: i64,
}

/// Where a new consumer begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", from = "DeliverForm")]
pub enum Deliver {
    /// With the oldest message that the stream still holds.
    All,
    /// With the first message stored at or after this time.
    #[serde(rename_all = "camelCase")]
    Time {
        /// RFC 3339, UTC; the creation time of the resource.
        start: String,
    },
}

/// As it is read: serde lets a variant without fields pass with any field; one with an empty list of them refuses.
#[derive(Deserialize)]
#[serde(tag = "from", deny_unknown_fields)]
enum DeliverForm {
    All {},
    Time { start: String },
}

impl From<DeliverForm> for Deliver {
    fn from(form: DeliverForm) -> Self {
        match form {
            DeliverForm::All {} => Self::All,
            DeliverForm::Time { start } => Self::Time { start },
        }
    }
}
