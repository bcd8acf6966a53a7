//! Dead letters: what could not be processed, with everything needed to find out why and to try again.
//!
//! * Body: the original bytes. Headers: each on one line, control characters escaped, at most [`HEADER`] bytes; all
//!   together at most [`HEADERS`].
//! * Too large with its headers: the headers shrink to the fixed part (no detail, no trace context), the body is split,
//!   each part with `Wasmgear-Part: i/n`.
//! * The id is made of the consumer and the message, so that writing it again changes nothing.

use async_nats::{HeaderMap, header};
use bytes::Bytes;

use crate::{Input, RevisionTag, ledger::Reason, wire};

/// Longest value of one header, bytes.
pub const HEADER: usize = 2 << 10;
/// Longest block of all headers, bytes.
pub const HEADERS: usize = 8 << 10;

/// A dead letter before it is written.
#[derive(Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) stream: &'a str,
    pub(crate) durable: &'a str,
    pub(crate) version: &'a str,
    pub(crate) input: &'a Input,
    pub(crate) reason: Reason,
    pub(crate) detail: &'a str,
    pub(crate) attempts: u32,
    pub(crate) revision: &'a RevisionTag,
    pub(crate) trace: Option<&'a str>,
    /// Unix nanoseconds.
    pub(crate) now: i64,
}

/// One message of a dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

impl Letter<'_> {
    /// The messages to write; one unless the body is too large for it.
    pub(crate) fn parts(&self, max_payload: usize) -> Vec<Part> {
        let mut headers = self.fixed();
        headers.insert(wire::DETAIL, escaped(self.detail));
        if let Some(trace) = self.trace {
            headers.insert(wire::TRACE, escaped(trace));
        }
        let id = format!("dlq-{}-{}-{}", self.durable, self.input.sequence, self.input.timestamp);
        headers.insert(header::NATS_MESSAGE_ID, id.as_str());
        let body = &self.input.payload;
        if wire_len(&headers) + body.len() <= max_payload {
            return vec![Part { headers, payload: body.clone() }];
        }
        self.split(max_payload, &id)
    }

    fn split(&self, max_payload: usize, id: &str) -> Vec<Part> {
        // Room for the id and for `Wasmgear-Part`, which grow with the number of parts.
        let head = wire_len(&self.fixed()) + id.len() + 96;
        let chunk = max_payload.saturating_sub(head).max(1);
        let body = &self.input.payload;
        let count = body.len().div_ceil(chunk).max(1);
        let part = |index: usize| {
            let (from, to) = (index * chunk, body.len().min((index + 1) * chunk));
            let mut headers = self.fixed();
            headers.insert(header::NATS_MESSAGE_ID, format!("{id}-p{}", index + 1));
            headers.insert(wire::PART, format!("{}/{count}", index + 1));
            Part { headers, payload: body.slice(from..to) }
        };
        (0..count).map(part).collect()
    }

    /// Headers that every part has.
    fn fixed(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(wire::INPUT, escaped(&wire::input_of(self.stream, self.input.sequence)));
        headers.insert(wire::REASON, self.reason.as_str());
        headers.insert(wire::ATTEMPTS, self.attempts.to_string());
        headers.insert(wire::SUBJECT, escaped(&self.input.subject));
        headers.insert(wire::DIGEST, escaped(&self.revision.digest));
        headers.insert(wire::REVISION, escaped(&self.revision.name));
        headers.insert(wire::VERSION, escaped(self.version));
        headers.insert(wire::STORED, wire::rfc3339(self.input.timestamp));
        headers.insert(wire::WRITTEN, wire::rfc3339(self.now));
        headers
    }
}

/// Bytes of a header block on the wire.
pub(crate) fn wire_len(headers: &HeaderMap) -> usize {
    let one = |name: &header::HeaderName, value: &header::HeaderValue| {
        AsRef::<[u8]>::as_ref(name).len() + value.as_str().len() + 4
    };
    let all = headers.iter().flat_map(|(name, values)| values.iter().map(move |value| one(name, value)));
    12 + all.sum::<usize>()
}

/// A text on one line: control characters as `\n`, `\t`, `\u{…}`, the backslash doubled, cut at [`HEADER`] bytes.
pub(crate) fn escaped(text: &str) -> String {
    const ELLIPSIS: &str = "…";
    let mut line = String::with_capacity(text.len().min(HEADER));
    for character in text.chars() {
        let before = line.len();
        match character {
            '\\' => line.push_str("\\\\"),
            character if character.is_control() => line.extend(character.escape_default()),
            character => line.push(character),
        }
        if line.len() > HEADER - ELLIPSIS.len() {
            line.truncate(before);
            line.push_str(ELLIPSIS);
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gear_config::Retry;
    use proptest::prelude::*;

    use super::*;

    fn input(payload: Bytes) -> Input {
        Input { subject: "flux.msg.a.b.out".into(), payload, sequence: 7, timestamp: 1_767_225_600_000_000_000 }
    }

    fn parts(payload: Bytes, detail: &str, max_payload: usize) -> Vec<Part> {
        let revision =
            Arc::new(RevisionTag { name: "r1-0".into(), digest: "sha256:00".into(), retry: Retry::default() });
        let letter = Letter {
            stream: "flux-msg",
            durable: "wasmgear_c_n_g",
            version: "0.1.0",
            input: &input(payload),
            reason: Reason::Malformed,
            detail,
            attempts: 2,
            revision: &revision,
            trace: Some("00-a-b-01"),
            now: 0,
        };
        letter.parts(max_payload)
    }

    #[test]
    fn a_letter_carries_the_bytes_and_says_why() {
        let [part] = &parts(Bytes::from_static(b"\xff\x00"), "line 1\nline 2", 1 << 20)[..] else { panic!() };
        let header = |name| part.headers.get(name).map(|value: &header::HeaderValue| value.as_str().to_owned());
        assert_eq!(part.payload, &b"\xff\x00"[..]);
        assert_eq!(header(wire::DETAIL).as_deref(), Some("line 1\\nline 2"));
        assert_eq!(header(wire::INPUT).as_deref(), Some("flux-msg:7"));
        assert_eq!(header(wire::SUBJECT).as_deref(), Some("flux.msg.a.b.out"));
        assert_eq!(header(wire::STORED).as_deref(), Some("2026-01-01T00:00:00.000Z"));
        assert_eq!(header(header::NATS_MESSAGE_ID).as_deref(), Some("dlq-wasmgear_c_n_g-7-1767225600000000000"));
        assert_eq!(header(wire::TRACE).as_deref(), Some("00-a-b-01"));
    }

    proptest! {
        #[test]
        fn headers_are_short_lines_and_parts_fit_and_join(
            detail in "\\PC{0,100}|[\\x00-\\x1f\\\\a]{0,9000}", size in 0usize..20_000, room in 2_000usize..30_000,
        ) {
            let body: Bytes = (0..=250u8).cycle().take(size).collect::<Vec<_>>().into();
            let parts = parts(body.clone(), &detail, room);
            let mut joined = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let len = wire_len(&part.headers);
                prop_assert!(len <= HEADERS && len + part.payload.len() <= room, "{len} + {}", part.payload.len());
                for (_, values) in part.headers.iter() {
                    let value = values[0].as_str();
                    prop_assert!(value.len() <= HEADER && !value.contains(char::is_control), "{value:?}");
                }
                if parts.len() > 1 {
                    let value = part.headers.get(wire::PART).unwrap().as_str();
                    prop_assert_eq!(value, format!("{}/{}", index + 1, parts.len()));
                }
                joined.extend_from_slice(&part.payload);
            }
            prop_assert_eq!(joined, body);
        }
    }
}
