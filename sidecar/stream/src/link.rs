//! The border between the loop and what carries its messages: JetStream, or the twin in memory.
//!
//! A link is good for one connection. What the loop asks for is a [`Command`] with a [`Token`]; the answer comes back as
//! an [`Arrival`] with the same token, in any order, or never. A token is good for one asking: answers to what nobody
//! waits for any more are recognised and dropped.

use std::{
    future::Future,
    task::{Context, Poll},
};

use async_nats::{HeaderMap, Subject};
use bytes::Bytes;
use gear_config::status::Problem;

use crate::Input;

/// Where messages and answers come from.
pub(crate) trait Source: Send {
    /// Appends what arrived; pending until there is at least one.
    fn poll(&mut self, cx: &mut Context<'_>, arrivals: &mut Vec<Arrival>) -> Poll<Result<(), Lost>>;
}

/// Where commands go to.
pub(crate) trait Sink: Send {
    /// Hands a command over; waits only while the link's queue is full.
    fn send(&mut self, command: Command) -> impl Future<Output = Result<(), Lost>> + Send;

    /// Largest message with headers that the link takes.
    fn max_payload(&self) -> usize;

    /// What the server forbade lately, where that is known: it explains why an answer does not come.
    fn denied(&self) -> Option<Problem>;
}

/// What arrived.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A message.
    Message(Delivery),
    /// The answer to a command.
    Answer(Token, Answer),
    /// Something about pulling.
    Pull(PullNotice),
}

/// A message and what is known about its delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) input: Input,
    /// Subject that settles it.
    pub(crate) reply: Subject,
    /// How often it was delivered, this time included.
    pub(crate) delivered: u64,
    /// Messages that wait for the consumer after this one.
    pub(crate) pending: u64,
}

/// Something about pulling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PullNotice {
    /// The server still knows the request.
    Heartbeat,
    /// A request ended with so many messages not delivered; all of them where unknown.
    Ended { left: Option<usize> },
    /// Nobody answers pull requests.
    NoResponders,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Stored.
    Stored,
    /// Already there, in this stream under this sequence.
    Duplicate { stream: String, sequence: u64 },
    /// Too large for the stream: the record's own fault.
    TooLarge(String),
    /// Not now; says nothing about the record.
    Refused(Refusal),
    /// The server confirmed the end of an input.
    Confirmed,
    /// The server answered the end of an input with something else.
    Unconfirmed,
    /// An attempts record, `None` when there is none.
    Attempts(Option<Bytes>),
    /// What is there under a record's id: an output of this input.
    There { input: Option<String> },
    /// Nothing is there any more.
    Gone,
}

/// Why something was not stored now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No stream listens on the subject.
    NoStream,
    /// Another stream than the expected one listens on the subject.
    WrongStream,
    /// The server's own words.
    Server(String),
}

/// What the loop asks for.
#[derive(Debug)]
pub(crate) enum Command {
    /// So many messages, at most so many bytes; without `wait` only what is there now, answered at once.
    Pull { messages: usize, bytes: usize, wait: bool },
    /// Store a record.
    Publish { token: Token, subject: Subject, headers: HeaderMap, payload: Bytes },
    /// Store the attempts record of a message.
    Remember { token: Token, sequence: u64, record: Bytes },
    /// Read the attempts record of a message.
    Recall { token: Token, sequence: u64 },
    /// Look at what is stored there.
    LookUp { token: Token, stream: String, sequence: u64 },
    /// End an input, to be confirmed.
    End { token: Token, reply: Subject, payload: Bytes },
    /// Tell the server something about an input, not to be confirmed.
    Tell { reply: Subject, payload: Bytes },
}

/// Why a link is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The connection is gone.
    Disconnected,
    /// The link must be made anew, for this reason.
    Broken(Problem),
    /// There is nothing more to come, and everything that came is settled.
    Drained,
}

/// What kind of asking an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A record was published.
    Record,
    /// The attempts record was stored.
    Remember,
    /// The attempts record was read.
    Recall,
    /// A duplicate was looked at.
    LookUp,
    /// An input was ended.
    End,
}

/// Names one asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Place of the delivery in the window.
    pub(crate) slot: u16,
    /// How often that place was taken; an answer to an earlier tenant is not for this one.
    pub(crate) generation: u32,
    /// Record, or number of the asking.
    pub(crate) index: u16,
    /// Copy of the record.
    pub(crate) copy: u8,
}

impl Token {
    /// Length of the text form.
    pub(crate) const LEN: usize = 18;

    /// The text form: hex digits of fixed width.
    pub(crate) fn write(self) -> [u8; Self::LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let kind = match self.kind {
            Kind::Record => 0u64,
            Kind::Remember => 1,
            Kind::Recall => 2,
            Kind::LookUp => 3,
            Kind::End => 4,
        };
        let head = kind << 4 | u64::from(self.copy & 0xf);
        let tail = u64::from(self.slot) << 48 | u64::from(self.generation) << 16 | u64::from(self.index);
        let mut text = [b'0'; Self::LEN];
        for (place, byte) in text.iter_mut().enumerate() {
            let (word, digits) = if place < 2 { (head, 1 - place) } else { (tail, Self::LEN - 1 - place) };
            let digit = usize::try_from(word >> (digits * 4) & 0xf).unwrap_or_default();
            *byte = DIGITS.get(digit).copied().unwrap_or(b'0');
        }
        text
    }

    /// Reads the text form.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        if text.len() != Self::LEN {
            return None;
        }
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0u64, |sum, &digit| Some(sum << 4 | u64::from(char::from(digit).to_digit(16)?)))
        };
        let (head, tail) = text.split_at_checked(2)?;
        let (head, tail) = (number(head)?, number(tail)?);
        let kind = match head >> 4 {
            0 => Kind::Record,
            1 => Kind::Remember,
            2 => Kind::Recall,
            3 => Kind::LookUp,
            4 => Kind::End,
            _ => return None,
        };
        Some(Self {
            kind,
            slot: u16::try_from(tail >> 48).ok()?,
            generation: u32::try_from(tail >> 16 & 0xffff_ffff).ok()?,
            index: u16::try_from(tail & 0xffff).ok()?,
            copy: u8::try_from(head & 0xf).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_survives_its_own_text(
            slot in any::<u16>(), generation in any::<u32>(), index in any::<u16>(), copy in 0u8..16, kind in 0usize..5,
        ) {
            let kind = [Kind::Record, Kind::Remember, Kind::Recall, Kind::LookUp, Kind::End][kind];
            let token = Token { kind, slot, generation, index, copy };
            prop_assert_eq!(Token::read(&token.write()), Some(token));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = Token::read(&text);
        }
    }
}
