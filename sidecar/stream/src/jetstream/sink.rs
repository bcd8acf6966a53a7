//! The half that speaks.

use async_nats::{HeaderMap, Subject, client::traits::Publisher, header, message::OutboundMessage};
use bytes::{Bytes, BytesMut};
use gear_config::{names, status::Problem};
use gear_nats::Session;
use serde_json::json;

use super::Names;
use crate::{
    link::{Command, Lost, Sink, Token},
    problem, wire,
};

/// How long the attempts of a message are remembered.
const REMEMBERED: &str = "24h";
/// Reply subjects are cut from blocks of this size.
const BLOCK: usize = 8 << 10;

/// Publishes on one session.
pub(crate) struct JetStreamSink {
    session: Session,
    names: Names,
    /// Largest message that the stream takes.
    limit: Option<usize>,
    next: Subject,
    block: BytesMut,
    expires: u128,
    heartbeat: u128,
}

impl JetStreamSink {
    pub(super) fn new(session: Session, names: Names, limit: Option<usize>) -> Self {
        let next = format!("{}.CONSUMER.MSG.NEXT.{}.{}", names.api, names.stream, names.durable).into();
        Self { session, names, limit, next, block: BytesMut::new(), expires: 0, heartbeat: 0 }
    }

    /// How long pull requests live and how often they are to be heard of.
    pub(crate) fn pulling(&mut self, tuning: &crate::Tuning) {
        (self.expires, self.heartbeat) = (tuning.pull_expires.as_nanos(), tuning.heartbeat.as_nanos());
    }

    /// The reply subject of an asking. Thousands of them share a block of memory.
    fn reply(&mut self, token: Token) -> Subject {
        let len = self.names.answers.len() + Token::LEN;
        if self.block.capacity() < len {
            self.block = BytesMut::with_capacity(BLOCK.max(len));
        }
        self.block.extend_from_slice(self.names.answers.as_bytes());
        self.block.extend_from_slice(&token.write());
        // Both halves are text.
        Subject::from_utf8(self.block.split().freeze()).unwrap_or_else(|_| self.names.messages.clone())
    }

    fn state_key(&self, sequence: u64) -> String {
        wire::attempts_key(&self.names.durable, sequence)
    }

    fn pull(&self, messages: usize, bytes: usize, wait: bool) -> OutboundMessage {
        // A request that could not take one message of the largest size would never be answered.
        let bytes = bytes.max(2 * self.session.client().max_payload());
        let body = if wait {
            let nanos = |nanos| u64::try_from(nanos).unwrap_or(u64::MAX);
            let (expires, heartbeat) = (nanos(self.expires), nanos(self.heartbeat));
            json!({ "batch": messages, "max_bytes": bytes, "expires": expires, "idle_heartbeat": heartbeat })
        } else {
            json!({ "batch": messages, "no_wait": true })
        };
        OutboundMessage {
            subject: self.next.clone(),
            reply: Some(self.names.messages.clone()),
            payload: body.to_string().into(),
            headers: None,
        }
    }

    fn outbound(&mut self, command: Command) -> OutboundMessage {
        let bare = |subject, reply, payload| OutboundMessage { subject, reply, payload, headers: None };
        match command {
            Command::Pull { messages, bytes, wait } => self.pull(messages, bytes, wait),
            Command::Publish { token, subject, headers, payload } => {
                OutboundMessage { subject, reply: Some(self.reply(token)), payload, headers: Some(headers) }
            }
            Command::Remember { token, sequence, record } => {
                let subject = format!("{}{}", self.names.state, self.state_key(sequence)).into();
                let mut headers = HeaderMap::new();
                headers.insert(header::NATS_MESSAGE_TTL, REMEMBERED);
                OutboundMessage { subject, reply: Some(self.reply(token)), payload: record, headers: Some(headers) }
            }
            Command::Recall { token, sequence } => {
                let bucket = names::STATE_BUCKET;
                let key = self.state_key(sequence);
                let subject = format!("{}.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{key}", self.names.api).into();
                let reply = self.reply(token);
                bare(subject, Some(reply), Bytes::new())
            }
            Command::LookUp { token, stream, sequence } => {
                let subject = format!("{}.STREAM.MSG.GET.{stream}", self.names.api).into();
                let reply = self.reply(token);
                bare(subject, Some(reply), json!({ "seq": sequence }).to_string().into())
            }
            Command::End { token, reply, payload } => {
                let answer = self.reply(token);
                bare(reply, Some(answer), payload)
            }
            Command::Tell { reply, payload } => bare(reply, None, payload),
        }
    }
}

impl Sink for JetStreamSink {
    async fn send(&mut self, command: Command) -> Result<(), Lost> {
        let message = self.outbound(command);
        match self.session.client().publish_message(message).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == async_nats::PublishErrorKind::Send => Err(Lost::Disconnected),
            Err(error) => {
                // Sizes and subjects are checked before; what comes here waits for its deadline, as if it were lost.
                tracing::error!(%error, "the NATS client refuses a message");
                Ok(())
            }
        }
    }

    fn max_payload(&self) -> usize {
        let server = self.session.client().max_payload();
        self.limit.map_or(server, |limit| limit.min(server))
    }

    fn denied(&self) -> Option<Problem> {
        self.session.denials().all().first().map(|subject| problem::denied(subject))
    }
}
