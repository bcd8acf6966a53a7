//! What the server's answers mean.

use std::borrow::Cow;

use async_nats::{Message, StatusCode, header, jetstream::ErrorCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use crate::{
    link::{Answer, Arrival, Delivery, Kind, Lost, PullNotice, Refusal},
    problem::{self, problem},
    wire,
};

use super::ack;

#[derive(Deserialize)]
struct PublishAck<'a> {
    #[serde(default, borrow)]
    stream: Cow<'a, str>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    #[serde(default, borrow)]
    error: Option<ApiError<'a>>,
}

#[derive(Deserialize)]
struct ApiError<'a> {
    #[serde(default)]
    err_code: u64,
    #[serde(default, borrow)]
    description: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(default, borrow)]
    message: Option<StoredMessage<'a>>,
    #[serde(default, borrow)]
    error: Option<ApiError<'a>>,
}

#[derive(Deserialize)]
struct StoredMessage<'a> {
    #[serde(default, borrow)]
    hdrs: Cow<'a, str>,
}

/// The answer to one asking.
pub(super) fn answer(kind: Kind, message: &Message) -> Answer {
    match kind {
        Kind::End if message.payload.is_empty() && message.status.is_none() => Answer::Confirmed,
        Kind::End => Answer::Unconfirmed,
        _ if message.status == Some(StatusCode::NO_RESPONDERS) => Answer::Refused(Refusal::NoStream),
        Kind::Record | Kind::Remember => stored(&message.payload),
        Kind::Recall => match message.status {
            None => Answer::Attempts(Some(message.payload.clone())),
            Some(StatusCode::NOT_FOUND) => Answer::Attempts(None),
            Some(status) => Answer::Refused(Refusal::Server(format!("status {status}"))),
        },
        Kind::LookUp => looked_up(&message.payload),
    }
}

fn stored(payload: &[u8]) -> Answer {
    let Ok(ack) = serde_json::from_slice::<PublishAck<'_>>(payload) else {
        return Answer::Refused(Refusal::Server("an answer that is no publish ack".to_owned()));
    };
    match ack.error {
        Some(error) => refused(&error),
        None if ack.seq == 0 => Answer::Refused(Refusal::Server("a publish ack without a sequence".to_owned())),
        None if ack.duplicate => Answer::Duplicate { stream: ack.stream.into_owned(), sequence: ack.seq },
        None => Answer::Stored,
    }
}

fn refused(error: &ApiError<'_>) -> Answer {
    let text = format!("{} ({})", error.description, error.err_code);
    match ErrorCode(error.err_code) {
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => Answer::TooLarge(text),
        ErrorCode::STREAM_NOT_MATCH => Answer::Refused(Refusal::WrongStream),
        _ => Answer::Refused(Refusal::Server(text)),
    }
}

fn looked_up(payload: &[u8]) -> Answer {
    let Ok(found) = serde_json::from_slice::<Stored<'_>>(payload) else {
        return Answer::Refused(Refusal::Server("an answer that is no stored message".to_owned()));
    };
    match (found.message, found.error) {
        (Some(message), _) => Answer::There { input: input_header(&message.hdrs) },
        (None, Some(error)) if ErrorCode(error.err_code) == ErrorCode::NO_MESSAGE_FOUND => Answer::Gone,
        (None, Some(error)) => Answer::Refused(Refusal::Server(format!("{} ({})", error.description, error.err_code))),
        (None, None) => Answer::Gone,
    }
}

/// The header `Wasmgear-Input` in a block of headers as the API gives it.
fn input_header(base64: &str) -> Option<String> {
    let block = STANDARD.decode(base64).ok()?;
    let text = std::str::from_utf8(&block).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let name: &[u8] = wire::INPUT_NAME.as_bytes();
    let (_, value) = lines.find(|(found, _)| found.as_bytes().eq_ignore_ascii_case(name))?;
    Some(value.trim().to_owned())
}

/// What came on the inbox for messages.
pub(super) fn message(inbox: &str, message: Message) -> Option<Result<Arrival, Lost>> {
    if message.subject.as_str() != inbox || message.status.is_none() {
        let reply = message.reply?;
        let info = ack::read(&reply)?;
        let input = crate::Input {
            subject: message.subject,
            payload: message.payload,
            sequence: info.sequence,
            timestamp: info.timestamp,
        };
        return Some(Ok(Arrival::Message(Delivery { input, reply, delivered: info.delivered, pending: info.pending })));
    }
    Some(notice(&message).map(Arrival::Pull))
}

fn notice(message: &Message) -> Result<PullNotice, Lost> {
    let text = message.description.as_deref().unwrap_or_default();
    let pending = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
    let left = pending.and_then(|value: &header::HeaderValue| value.as_str().parse().ok());
    match message.status.map(|status| status.as_u16()) {
        Some(100) => Ok(PullNotice::Heartbeat),
        Some(503) => Ok(PullNotice::NoResponders),
        Some(409) if text.contains("Consumer Deleted") => Err(Lost::Broken(problem(
            problem::CONSUMER_MISSING,
            "the consumer was deleted while it was in use; looking where it stood",
        ))),
        // The answers to the one request that does not wait, which asks for one.
        Some(404) => Ok(PullNotice::Ended { left: Some(1) }),
        Some(_) if ["Requests Pending", "Exceeded MaxWaiting"].contains(&text) => {
            Ok(PullNotice::Ended { left: Some(1) })
        }
        Some(409) if text.starts_with("Exceeded MaxRequest") || text.contains("push based") => Err(Lost::Broken(
            problem(problem::CONSUMER_REFUSED, format!("the consumer refuses to be pulled from: {text}")),
        )),
        _ => Ok(PullNotice::Ended { left }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: Option<u16>, payload: &str) -> Message {
        Message {
            subject: "i".into(),
            reply: None,
            payload: payload.to_owned().into(),
            headers: None,
            status: status.map(|code| StatusCode::from_u16(code).unwrap()),
            description: None,
            length: 0,
        }
    }

    #[test]
    fn only_an_empty_answer_without_status_confirms_an_end() {
        assert_eq!(answer(Kind::End, &reply(None, "")), Answer::Confirmed);
        for message in [reply(Some(503), ""), reply(None, "x"), reply(Some(408), "")] {
            assert_eq!(answer(Kind::End, &message), Answer::Unconfirmed);
        }
    }

    #[test]
    fn a_publish_is_stored_only_by_a_sequence() {
        let one = |payload: &str| answer(Kind::Record, &reply(None, payload));
        assert_eq!(one(r#"{"stream":"s","seq":4}"#), Answer::Stored);
        assert_eq!(
            one(r#"{"stream":"s","seq":4,"duplicate":true,"domain":"hub"}"#),
            Answer::Duplicate { stream: "s".into(), sequence: 4 }
        );
        assert!(matches!(one(r#"{"stream":"s","seq":0}"#), Answer::Refused(_)));
        assert!(matches!(one("{}"), Answer::Refused(_)));
        assert!(matches!(one("no"), Answer::Refused(_)));
        let error =
            |code| format!(r#"{{"error":{{"code":400,"err_code":{code},"description":"d"}},"stream":"s","seq":0}}"#);
        assert!(matches!(one(&error(10054)), Answer::TooLarge(_)));
        assert_eq!(one(&error(10060)), Answer::Refused(Refusal::WrongStream));
        assert_eq!(one(&error(10077)), Answer::Refused(Refusal::Server("d (10077)".into())));
        assert_eq!(answer(Kind::Record, &reply(Some(503), "")), Answer::Refused(Refusal::NoStream));
    }

    #[test]
    fn a_look_up_tells_whose_record_it_is() {
        let headers = STANDARD.encode("NATS/1.0\r\nNats-Msg-Id: a\r\nwasmgear-input: flux-msg:7\r\n\r\n");
        let one = |payload: String| answer(Kind::LookUp, &reply(None, &payload));
        let there = one(format!(r#"{{"message":{{"subject":"s","seq":1,"hdrs":"{headers}","data":"eA=="}}}}"#));
        assert_eq!(there, Answer::There { input: Some("flux-msg:7".into()) });
        let bare = one(r#"{"message":{"subject":"s","seq":1,"data":"eA=="}}"#.into());
        assert_eq!(bare, Answer::There { input: None });
        assert_eq!(one(r#"{"error":{"code":404,"err_code":10037,"description":"no"}}"#.into()), Answer::Gone);
    }
}
