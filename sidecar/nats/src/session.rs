//! A connection that ends when its TCP connection ends.
//!
//! A client that reconnects by itself keeps what was handed to it while it was away, and sends it afterwards: late, out
//! of order, and after its caller gave up. For the stream that is poison (decision 0030), so its client is used for one
//! TCP connection only. The rules:
//!
//! * whatever was not written when the connection broke is never written;
//! * [`Session::ended`] resolves when the connection is lost, for whatever reason, and never before;
//! * a new session is a new client: new subscriptions, new inbox, nothing of the old one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{AuthError, Client, Event, jetstream};
use tokio_util::sync::CancellationToken;

use crate::{Denials, Endpoint, error::ConnectError};

/// Commands that the client takes before a caller has to wait.
const COMMANDS: usize = 8192;

/// One TCP connection to NATS.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    denials: Denials,
    ended: CancellationToken,
}

impl Session {
    /// One attempt. `inbox_prefix` is what the user may subscribe to.
    pub async fn open(endpoint: &Endpoint, name: &str, inbox_prefix: &str) -> Result<Self, ConnectError> {
        let (denials, ended, used) = (Denials::default(), CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let admit = {
            let used = Arc::clone(&used);
            move || if used.load(Ordering::Acquire) { Err(AuthError::new("this session is over")) } else { Ok(()) }
        };
        let hear = {
            let (denials, ended) = (denials.clone(), ended.clone());
            move |event: &Event| match event {
                Event::Disconnected | Event::Closed => ended.cancel(),
                other => denials.hear(other),
            }
        };
        let options = endpoint
            .options(name, inbox_prefix, admit, hear)?
            // Enough for one attempt at each server. After the connection is lost every attempt fails in `admit`, so
            // the client runs out of attempts, ends, and drops what it was still holding.
            .max_reconnects(endpoint.server_count())
            .reconnect_delay_callback(|_| Duration::ZERO)
            .ignore_discovered_servers()
            .skip_subject_validation(true)
            .client_capacity(COMMANDS);
        let client = endpoint.open(options).await?;
        used.store(true, Ordering::Release);
        Ok(Self { client, endpoint: endpoint.clone(), denials, ended })
    }

    /// The client, good for this connection only.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// JetStream over this connection.
    #[must_use]
    pub fn jetstream(&self) -> jetstream::Context {
        self.endpoint.jetstream(self.client.clone())
    }

    /// What the session connects to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What the server forbade on this connection.
    #[must_use]
    pub fn denials(&self) -> &Denials {
        &self.denials
    }

    /// Cancelled when the connection is lost.
    #[must_use]
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}
