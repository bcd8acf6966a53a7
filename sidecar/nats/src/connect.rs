//! From settings to a connection.

use std::time::Duration;

use async_nats::{Auth, AuthError, Client, ConnectOptions, Event, ServerAddr, ServerError, jetstream};
use gear_config::Nats;

use crate::{credentials, denial::Denials, error::ConnectError, tls};

/// A dead connection is noticed after two of these without an answer.
const PING: Duration = Duration::from_secs(5);
/// Longest time for TCP, TLS and the first answer of one server.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// Longest pause between two attempts to reconnect.
const RECONNECT: Duration = Duration::from_millis(500);
/// Messages that the client holds for one subscription before it drops them. It must exceed everything that can be
/// outstanding at once: a window of messages and the confirmations of all their outputs. Nothing is allocated ahead.
const SUBSCRIPTION: usize = 1 << 18;

/// Connects, once: the retry policy of the first attempt is the caller's. Afterwards the client reconnects by itself,
/// for ever, with at most 500 ms between attempts; certificates and credentials are read anew each time.
pub async fn connect(nats: &Nats, name: &str, inbox_prefix: &str) -> Result<Client, ConnectError> {
    Endpoint::new(nats)?.connect(name, inbox_prefix).await
}

/// Settings that were checked: where to connect to, and as whom.
#[derive(Debug, Clone)]
pub struct Endpoint {
    servers: Vec<ServerAddr>,
    shown: String,
    nats: Nats,
}

impl Endpoint {
    /// Checks the settings: urls, names, and that every file is there and usable.
    pub fn new(nats: &Nats) -> Result<Self, ConnectError> {
        let servers = parse(&nats.url)?;
        let this = Self { shown: shown(&servers), servers, nats: nats.clone() };
        this.check_files()?;
        Ok(this)
    }

    fn check_files(&self) -> Result<(), ConnectError> {
        tls::config(&self.nats)?;
        self.nats.credentials.as_deref().map_or(Ok(()), credentials::check)
    }

    /// The servers as scheme, host and port, for people.
    #[must_use]
    pub fn servers(&self) -> &str {
        &self.shown
    }

    pub(crate) fn server_count(&self) -> usize {
        self.servers.len()
    }

    /// JetStream over a connection, in the domain of the settings.
    #[must_use]
    pub fn jetstream(&self, client: Client) -> jetstream::Context {
        match &self.nats.js_domain {
            Some(domain) => jetstream::with_domain(client, domain),
            None => jetstream::new(client),
        }
    }

    /// Prefix of JetStream's API: `$JS.API`, or `$JS.<domain>.API`.
    #[must_use]
    pub fn api_prefix(&self) -> String {
        self.nats.js_domain.as_ref().map_or_else(|| "$JS.API".to_owned(), |domain| format!("$JS.{domain}.API"))
    }

    /// As the function [`connect`], with settings that were checked before.
    pub async fn connect(&self, name: &str, inbox_prefix: &str) -> Result<Client, ConnectError> {
        let denials = Denials::default();
        let options = self
            .options(name, inbox_prefix, || Ok(()), move |event| denials.hear(event))?
            .reconnect_delay_callback(delay);
        self.open(options).await
    }

    pub(crate) async fn open(&self, options: ConnectOptions) -> Result<Client, ConnectError> {
        options.connect(self.servers.as_slice()).await.map_err(|source| ConnectError::of(source, &self.shown))
    }

    /// What all connections share. `admit` is asked at each handshake, `hear` is told what happens.
    pub(crate) fn options(
        &self,
        name: &str,
        inbox_prefix: &str,
        admit: impl Fn() -> Result<(), AuthError> + Send + Sync + 'static,
        hear: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<ConnectOptions, ConnectError> {
        self.check_files()?;
        let file = self.nats.credentials.clone();
        let options = ConnectOptions::with_auth_callback(move |nonce| {
            let auth = admit()
                .and_then(|()| file.as_deref().map_or(Ok(Auth::new()), |file| credentials::answer(file, &nonce)));
            std::future::ready(auth)
        });
        Ok(options
            .name(name)
            .custom_inbox_prefix(inbox_prefix)
            .ping_interval(PING)
            .connection_timeout(HANDSHAKE)
            .subscription_capacity(SUBSCRIPTION)
            .require_tls(tls::required(&self.nats))
            .tls_client_config(tls::config(&self.nats)?)
            .event_callback(move |event| {
                hear(&event);
                std::future::ready(())
            }))
    }
}

impl Denials {
    pub(crate) fn hear(&self, event: &Event) {
        if let Event::ServerError(ServerError::Other(text)) = event {
            self.note(text);
        }
    }
}

/// 0 for the first attempt, then 50 ms doubling to half a second.
fn delay(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(2)).unwrap_or(u32::MAX).min(8);
    if attempt < 2 { Duration::ZERO } else { RECONNECT.min(Duration::from_millis(50) * 2u32.pow(doublings)) }
}

fn parse(urls: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let wrong = |url: &str, source| ConnectError::Url { url: without_user(url), source };
    let mut servers = Vec::new();
    for url in urls.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        let server: ServerAddr = url.parse().map_err(|source| wrong(url, Some(source)))?;
        if server.username().is_some() || server.password().is_some() {
            return Err(ConnectError::SecretInUrl(shown(&[server])));
        }
        if server.host().is_empty() || !["nats", "tls"].contains(&server.scheme()) {
            return Err(wrong(url, None));
        }
        servers.push(server);
    }
    if servers.is_empty() { Err(wrong(urls, None)) } else { Ok(servers) }
}

/// What may be printed of a text that is no url: nothing that stands before an `@`.
fn without_user(url: &str) -> String {
    url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("…@{host}"))
}

fn shown(servers: &[ServerAddr]) -> String {
    let one = |server: &ServerAddr| format!("{}://{}:{}", server.scheme(), server.host(), server.port());
    servers.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_a_list_and_never_printed_with_a_secret() {
        let servers = parse("nats://a:4222, tls://b:4223,c").unwrap();
        assert_eq!(shown(&servers), "nats://a:4222,tls://b:4223,nats://c:4222");
        for url in [
            "nats://user:hunter2@host:4222",
            "nats://hunter2@host:4222",
            "http://x:hunter2@h",
            "nats://x:hunter2@ho st",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        for url in ["", " , ", "nats://", "ws://host"] {
            assert_eq!(parse(url).unwrap_err().class(), "Settings", "{url}");
        }
    }

    #[test]
    fn a_reconnect_never_waits_longer_than_half_a_second() {
        assert_eq!(delay(1), Duration::ZERO);
        assert!((2..10_000).all(|attempt| delay(attempt) <= RECONNECT && delay(attempt) >= Duration::from_millis(50)));
        assert_eq!(delay(usize::MAX), RECONNECT);
    }
}
