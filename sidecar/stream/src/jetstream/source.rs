//! The half that listens.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use async_nats::{Message, Subject, Subscriber};
use futures_util::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Names, answer};
use crate::link::{Arrival, Lost, Source, Token};

/// Arrivals of one turn.
const TURN: usize = 1024;

/// Two subscriptions of one session.
pub(crate) struct JetStreamSource {
    messages: Subscriber,
    answers: Subscriber,
    inbox: Subject,
    prefix: usize,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl JetStreamSource {
    pub(super) fn new(messages: Subscriber, answers: Subscriber, names: &Names, ended: CancellationToken) -> Self {
        let (inbox, prefix) = (names.messages.clone(), names.answers.len());
        Self { messages, answers, inbox, prefix, ended: Box::pin(ended.cancelled_owned()) }
    }

    fn answer(&self, message: &Message) -> Option<Arrival> {
        let token = Token::read(message.subject.as_bytes().get(self.prefix..)?)?;
        Some(Arrival::Answer(token, answer::answer(token.kind, message)))
    }
}

impl Source for JetStreamSource {
    fn poll(&mut self, cx: &mut Context<'_>, arrivals: &mut Vec<Arrival>) -> Poll<Result<(), Lost>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Lost::Disconnected));
        }
        // Answers first: they make room for messages.
        while arrivals.len() < TURN {
            match Pin::new(&mut self.answers).poll_next(cx) {
                Poll::Ready(Some(message)) => arrivals.extend(self.answer(&message)),
                Poll::Ready(None) => return Poll::Ready(Err(Lost::Disconnected)),
                Poll::Pending => break,
            }
        }
        while arrivals.len() < TURN {
            match Pin::new(&mut self.messages).poll_next(cx) {
                Poll::Ready(Some(message)) => match answer::message(&self.inbox, message) {
                    Some(Ok(arrival)) => arrivals.push(arrival),
                    Some(Err(lost)) => return Poll::Ready(Err(lost)),
                    None => {
                        tracing::warn!("something on the inbox is neither a message of the stream nor about a pull");
                    }
                },
                Poll::Ready(None) => return Poll::Ready(Err(Lost::Disconnected)),
                Poll::Pending => break,
            }
        }
        if arrivals.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}
