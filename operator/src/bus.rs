//! The operator's own connection to NATS: for registries, for `init`, and to delete the consumer of a gear that is gone.
//!
//! * Made when it is first needed and tried anew each time until it succeeds; afterwards the client reconnects by itself.
//! * Nobody waits for it longer than a handshake takes: NATS that is away is an error of the one who asked.

use async_nats::jetstream::Context;
use gear_nats::{ConnectError, Endpoint};
use tokio::sync::OnceCell;

/// The operator's own connection to NATS.
#[derive(Debug)]
pub(crate) struct Bus {
    endpoint: Endpoint,
    domain: Option<String>,
    context: OnceCell<Context>,
}

impl Bus {
    /// A connection that is not made yet.
    #[must_use]
    pub(crate) fn new(endpoint: Endpoint, domain: Option<String>) -> Self {
        Self { endpoint, domain, context: OnceCell::new() }
    }

    /// The JetStream domain, where there is one.
    #[must_use]
    pub(crate) fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// JetStream over the connection, which is made now if it is not there.
    pub(crate) async fn context(&self) -> Result<Context, ConnectError> {
        let make = || async {
            let client = self.endpoint.connect("wasmgear-operator", "_INBOX_wasmgear_operator").await?;
            Ok(self.endpoint.jetstream(client))
        };
        self.context.get_or_try_init(make).await.cloned()
    }

    /// The servers, for people.
    #[must_use]
    pub(crate) fn servers(&self) -> &str {
        self.endpoint.servers()
    }
}
