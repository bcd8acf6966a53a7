//! How to reach NATS. Paths name files that the kubelet mounts; no secret is ever part of the document.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A connection to NATS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nats {
    /// One or more urls, `nats://` or `tls://`, separated by commas; never with user or password.
    pub url: String,
    /// Credentials file (user JWT and NKey seed), or a file with a bare NKey seed (`SU…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<PathBuf>,
    /// PEM with the authorities to trust in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// PEM client certificate; goes with `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM key of the client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Name that the server's certificate must carry, where it is not the host of the url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// JetStream domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub js_domain: Option<String>,
}
