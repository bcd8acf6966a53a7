//! How the command line reaches NATS.

use std::path::PathBuf;

use clap::Args;
use gear_config::Nats;
use gear_nats::Endpoint;
use gear_supply::NatsRegistry;

use crate::exit::Failed;

/// Where NATS is, and as whom
#[derive(Debug, Args)]
pub struct NatsArgs {
    /// Server, or several with commas between
    #[arg(long, env = "NATS_URL", value_name = "URL", default_value = "nats://localhost:4222")]
    pub nats: String,

    /// Credentials file, or a file with a bare NKey seed
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub creds: Option<PathBuf>,

    /// PEM with the authorities to trust in place of the system's
    #[arg(long, env = "NATS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,

    /// PEM client certificate
    #[arg(long, env = "NATS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM key of the client certificate
    #[arg(long, env = "NATS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Name that the server's certificate must carry
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// JetStream domain
    #[arg(long, value_name = "NAME")]
    pub js_domain: Option<String>,
}

/// A connection and what it was made from.
pub(crate) struct Connected {
    pub(crate) jetstream: async_nats::jetstream::Context,
    domain: Option<String>,
}

impl NatsArgs {
    fn settings(&self) -> Nats {
        Nats {
            url: self.nats.clone(),
            credentials: self.creds.clone(),
            ca: self.tls_ca.clone(),
            certificate: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            server_name: self.tls_server_name.clone(),
            js_domain: self.js_domain.clone(),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Connected, Failed> {
        let failed = |error: gear_nats::ConnectError| Failed::fault(wasmgear_sidecar::problem::chain(&error));
        let endpoint = Endpoint::new(&self.settings()).map_err(failed)?;
        let client = endpoint.connect("wasmgear", "_INBOX").await.map_err(failed)?;
        Ok(Connected { jetstream: endpoint.jetstream(client), domain: self.js_domain.clone() })
    }
}

impl Connected {
    pub(crate) fn registry(self) -> NatsRegistry {
        NatsRegistry::new("nats", self.jetstream, self.domain.as_deref())
    }
}
