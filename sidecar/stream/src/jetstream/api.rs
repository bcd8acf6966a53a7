//! Requests to JetStream's API, and what it means when they fail.

use async_nats::jetstream::{Context, context::RequestErrorKind, response::Response};
use gear_config::status::Problem;
use gear_nats::Session;
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::{self, denied, problem};

/// Why a request came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// JetStream answered with an error.
    Server(async_nats::jetstream::Error),
    /// The user has no permission for the subject.
    Denied(String),
    /// Nobody listens: JetStream is off, or not for this account.
    NoJetStream,
    /// No answer, or no connection any more.
    Lost(String),
}

impl Fault {
    /// The error code of JetStream.
    pub(crate) fn code(&self) -> Option<async_nats::jetstream::ErrorCode> {
        match self {
            Self::Server(error) => Some(error.error_code()),
            _ => None,
        }
    }

    /// The condition that says so. `what` is what was asked about.
    pub(crate) fn problem(self, what: &str) -> Problem {
        match self {
            Self::Server(error) => problem(problem::STREAM_REFUSES, format!("{what}: the NATS server says: {error}")),
            Self::Denied(subject) => denied(&subject),
            Self::NoJetStream => problem(
                problem::NATS_UNAVAILABLE,
                "JetStream does not answer; switch it on in the NATS server and for this account",
            ),
            Self::Lost(text) => problem(problem::NATS_UNAVAILABLE, format!("{what}: no answer from NATS: {text}")),
        }
    }
}

/// Asks JetStream. A refused permission has no answer of its own and is heard of at once.
pub(crate) async fn ask<T, V>(session: &Session, context: &Context, subject: &str, body: &T) -> Result<V, Fault>
where
    T: Serialize + Sync + ?Sized,
    V: DeserializeOwned,
{
    let full = format!("{}.{subject}", session.endpoint().api_prefix());
    let request = context.request::<_, T, Response<V>>(subject.to_owned(), body);
    let answer = tokio::select! {
        answer = request => answer,
        () = session.denials().of(&full) => return Err(Fault::Denied(full)),
        () = session.ended().cancelled() => return Err(Fault::Lost("the connection is lost".to_owned())),
    };
    match answer {
        Ok(Response::Ok(value)) => Ok(value),
        Ok(Response::Err { error }) => Err(Fault::Server(error)),
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Err(Fault::NoJetStream),
        Err(error) => Err(Fault::Lost(chain(&error))),
    }
}

/// An error with all its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        let next = this.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = this.source();
    }
    text
}
