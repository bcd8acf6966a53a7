//! Why a store could not be asked for, made or corrected.

use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind, GetStreamError};

use super::{Store, is_away};

/// Why a store could not be asked for, made or corrected.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The server runs without JetStream, or this account has none.
    #[error("JetStream does not answer; switch it on in the NATS server and for this account")]
    NoJetStream,
    /// No answer about a store.
    #[error("no answer about {what} (stream {stream}); check that the NATS user may publish to $JS.API.STREAM.INFO.{stream}", what = store.what(), stream = store.stream())]
    Ask {
        /// Which.
        store: Store,
        /// What the client said.
        #[source]
        source: GetStreamError,
    },
    /// A store could not be made.
    #[error("{what} (stream {stream}) could not be made; the NATS user needs the right to publish to $JS.API.STREAM.CREATE.{stream}, and the account room for it", what = store.what(), stream = store.stream())]
    Create {
        /// Which.
        store: Store,
        /// What the client said.
        #[source]
        source: CreateStreamError,
    },
    /// A store could not be corrected.
    #[error("{what} (stream {stream}) could not be corrected; remove it or change it by hand, the server says why", what = store.what(), stream = store.stream())]
    Correct {
        /// Which.
        store: Store,
        /// What the client said.
        #[source]
        source: CreateStreamError,
    },
}

impl ProvisionError {
    pub(super) fn ask(store: Store, source: GetStreamError) -> Self {
        if is_away(&source) { Self::NoJetStream } else { Self::Ask { store, source } }
    }

    pub(super) fn create(store: Store, source: CreateStreamError) -> Self {
        if source.kind() == CreateStreamErrorKind::JetStreamUnavailable {
            return Self::NoJetStream;
        }
        Self::Create { store, source }
    }

    pub(super) fn correct(store: Store, source: CreateStreamError) -> Self {
        Self::Correct { store, source }
    }
}
