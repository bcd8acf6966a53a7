//! Why there is no connection, by kind.

use std::{error::Error as _, io, path::PathBuf};

use async_nats::{ConnectErrorKind, rustls};

/// What is wrong with a file that the connection needs.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// It can't be read.
    #[error("can't be read")]
    Unreadable(#[source] io::Error),
    /// It is not what it should be. The text never holds a part of the file.
    #[error("{0}")]
    Content(&'static str),
}

/// Why there is no connection. Texts never hold a secret: urls are printed as scheme, host and port.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not a url, or none at all.
    #[error(
        "nats.url {url:?} is not understood; write nats://host:4222 or tls://host:4222, several with commas between"
    )]
    Url {
        /// The url without what stands before an `@`.
        url: String,
        /// What the parser said.
        #[source]
        source: Option<io::Error>,
    },
    /// A url with user, password or token.
    #[error("nats.url for {0} holds a user or a password; put credentials into a file and name it in nats.credentials")]
    SecretInUrl(String),
    /// Only one half of a client certificate.
    #[error("nats.certificate and nats.key go together, {missing} is missing")]
    HalfIdentity {
        /// The field that is missing.
        missing: &'static str,
    },
    /// `nats.serverName` is no name.
    #[error("nats.serverName {0:?} is neither a DNS name nor an IP address")]
    ServerName(String),
    /// A file of the connection is missing or wrong.
    #[error("{field} {path}: {problem}; check the Secret that is mounted there", path = path.display())]
    File {
        /// Field that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: FileProblem,
    },
    /// The host has no address.
    #[error("NATS at {servers}: the name has no address; check nats.url and the cluster's DNS")]
    Dns {
        /// Servers that were tried.
        servers: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// Nobody listens, or the connection broke.
    #[error("NATS at {servers}: no connection; check that the server runs and that nothing between blocks the port")]
    Unreachable {
        /// Servers that were tried.
        servers: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server took too long.
    #[error("NATS at {servers}: no answer in time; check that a NATS server listens there")]
    TimedOut {
        /// Servers that were tried.
        servers: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// TLS failed: unknown authority, other name, missing or refused client certificate.
    #[error("NATS at {servers}: TLS failed: {reason}; check nats.ca, nats.serverName, nats.certificate and nats.key")]
    Tls {
        /// Servers that were tried.
        servers: String,
        /// What the TLS library said.
        reason: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server does not know this user.
    #[error("NATS at {servers}: the server refused the credentials; check nats.credentials and the server's users")]
    Refused {
        /// Servers that were tried.
        servers: String,
        /// What the client said.
        #[source]
        source: async_nats::ConnectError,
    },
}

impl ConnectError {
    /// The kind in one word, for labels and conditions.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::SecretInUrl(_) | Self::HalfIdentity { .. } | Self::ServerName(_) => "Settings",
            Self::File { .. } => "File",
            Self::Dns { .. } => "Dns",
            Self::Unreachable { .. } => "Unreachable",
            Self::TimedOut { .. } => "TimedOut",
            Self::Tls { .. } => "Tls",
            Self::Refused { .. } => "Refused",
        }
    }

    /// Whether another attempt can end otherwise without a change of the settings. Files and servers change by
    /// themselves (a rotated Secret, a server that comes up), urls and names do not.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Url { .. } | Self::SecretInUrl(_) | Self::HalfIdentity { .. } | Self::ServerName(_))
    }

    pub(crate) fn of(source: async_nats::ConnectError, servers: &str) -> Self {
        let servers = servers.to_owned();
        if let Some(tls) = tls_cause(&source) {
            return Self::Tls { servers, reason: tls_reason(tls), source };
        }
        match source.kind() {
            ConnectErrorKind::Dns => Self::Dns { servers, source },
            ConnectErrorKind::TimedOut => Self::TimedOut { servers, source },
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                Self::Refused { servers, source }
            }
            ConnectErrorKind::Tls => {
                let reason = source.source().map_or_else(|| "no detail".to_owned(), ToString::to_string);
                Self::Tls { servers, reason, source }
            }
            _ => Self::Unreachable { servers, source },
        }
    }
}

/// The TLS error in the chain of causes. It travels inside an `io::Error`, whose own source hides it.
fn tls_cause(error: &async_nats::ConnectError) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(this) = cause {
        if let Some(tls) = this.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        let inner = this.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(tls);
        }
        cause = this.source();
    }
    None
}

fn tls_reason(error: &rustls::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};
    match error {
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            "the server's certificate is signed by none of the trusted authorities".to_owned()
        }
        Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "the server's certificate does not carry the expected name".to_owned()
        }
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "the server's certificate has expired".to_owned()
        }
        Error::AlertReceived(Alert::CertificateRequired) => "the server asks for a client certificate".to_owned(),
        Error::AlertReceived(alert) => format!("the server answered with the alert {alert:?}"),
        other => other.to_string(),
    }
}
