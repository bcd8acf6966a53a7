//! The link to JetStream: one session, one durable consumer, two inboxes.
//!
//! * Everything that is awaited comes back on an inbox of our own with the token in the subject: one subscription for the
//!   answers to all publishes, ends and reads, in place of a request with a channel, a timer and an id for each.
//! * Messages come on the other inbox; their own subject is that of the stream, what belongs to the pull request has the
//!   inbox's.
//! * The link ends with its session (`gear_nats::Session`): no command outlives the connection that it was meant for.

use async_nats::{Client, Subject};
use gear_config::{Identity, Input};
use gear_nats::{Endpoint, Session};

mod ack;
mod answer;
mod api;
mod bind;
mod consumer;
mod position;
mod sink;
mod source;

pub(crate) use api::{Fault, chain};
pub(crate) use bind::{Bound, bind};
pub(crate) use position::Keeper;
pub(crate) use sink::JetStreamSink;
pub(crate) use source::JetStreamSource;

/// Names of one link.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) stream: String,
    pub(crate) durable: String,
    /// Prefix of JetStream's API.
    pub(crate) api: String,
    /// Prefix of keys in the bucket `wasmgear_state`, for writing.
    pub(crate) state: String,
    /// Inbox for messages.
    pub(crate) messages: Subject,
    /// Inbox for answers, with the dot before the token.
    pub(crate) answers: String,
}

/// What a user may subscribe to, and nothing else.
pub(crate) fn inbox_prefix(durable: &str) -> String {
    format!("_INBOX_{durable}")
}

impl Names {
    pub(crate) fn new(endpoint: &Endpoint, client: &Client, identity: &Identity, input: &Input) -> Self {
        let api = endpoint.api_prefix();
        // As NATS clients do: across a domain a bucket is written through the domain's prefix.
        let through = if api == "$JS.API" { String::new() } else { format!("{api}.") };
        // A NUID: twelve characters that are random for a process, ten that count from a random start. The ten tell the
        // sessions of one gear apart, within a process and between them.
        let unique = client.new_inbox();
        let unique = unique.rsplit('.').next().and_then(|id| id.get(12..)).unwrap_or("0");
        let durable = identity.durable();
        let inbox = format!("{}.{unique}", inbox_prefix(&durable));
        Self {
            stream: input.stream.clone(),
            state: format!("{through}$KV.{}.", gear_config::names::STATE_BUCKET),
            api,
            messages: Subject::from(format!("{inbox}.m")),
            answers: format!("{inbox}.a."),
            durable,
        }
    }
}

/// Subscribes both inboxes.
pub(crate) async fn link(
    session: &Session,
    names: Names,
    limit: Option<usize>,
) -> Result<(JetStreamSource, JetStreamSink), Fault> {
    let client = session.client();
    let subscribe =
        |subject: String| async move { client.subscribe(subject).await.map_err(|error| Fault::Lost(chain(&error))) };
    let messages = subscribe(names.messages.to_string()).await?;
    let answers = subscribe(format!("{}*", names.answers)).await?;
    let source = JetStreamSource::new(messages, answers, &names, session.ended().clone());
    Ok((source, JetStreamSink::new(session.clone(), names, limit)))
}
