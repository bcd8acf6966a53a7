//! How sidecars reach NATS: what they are told, and which Secrets the kubelet mounts for them.

use gear_config::Nats;
use wasmgear_crds::{Reason, words};

use crate::{
    Settings,
    failure::{Failure, Retry},
    reconcile::fetch::{Observed, Sought},
};

/// Where Secrets are mounted.
pub(crate) const MOUNT: &str = "/etc/wasmgear-nats";
/// Where the gear's ConfigMap is mounted.
pub(crate) const CONFIG: &str = "/etc/wasmgear";
/// Key of the ConfigMap with the authorities of the operator's server.
pub(crate) const CA_FILE: &str = "nats-ca.pem";

/// How sidecars reach NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// What the document says.
    pub nats: Nats,
    /// Secrets to mount.
    pub mounts: Vec<Mount>,
    /// PEM to put beside the document.
    pub ca: Option<String>,
}

/// A Secret to mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Name of the folder under [`MOUNT`].
    pub folder: &'static str,
    /// Name of the Secret.
    pub secret: String,
    /// The one key that is mounted; all keys without it.
    pub key: Option<String>,
}

/// What a gear asks for and the operator adds.
pub(super) fn connection(observed: &Observed, settings: &Settings) -> Result<Connection, Failure> {
    let own = observed.gear.spec.nats.clone().unwrap_or_default();
    let mut nats = match &own.url {
        Some(url) => Nats { url: url.clone(), ..Nats::default() },
        None => settings.gear_nats.clone(),
    };
    nats.server_name = own.server_name.clone().or(nats.server_name);
    nats.js_domain = own.js_domain.clone().or(nats.js_domain);
    let mut connection = Connection { nats, mounts: Vec::new(), ca: None };
    if own.url.is_none() && settings.gear_ca.is_some() {
        connection.ca.clone_from(&settings.gear_ca);
        connection.nats.ca = Some(format!("{CONFIG}/{CA_FILE}").into());
    }
    credentials(observed, &own, &mut connection)?;
    client_certificate(observed, &own, &mut connection)?;
    Ok(connection)
}

fn credentials(observed: &Observed, own: &wasmgear_crds::Nats, connection: &mut Connection) -> Result<(), Failure> {
    let named = own.credentials_secret_ref.as_ref();
    let (name, key) = named.map_or((words::DEFAULT_NATS_SECRET, words::DEFAULT_CREDENTIALS_KEY), |reference| {
        (reference.name.as_str(), reference.key.as_str())
    });
    let wanted = match (&observed.secrets.credentials, named) {
        (Sought::Found(keys), _) if keys.contains(key) => true,
        (Sought::Found(_), Some(_)) => {
            return Err(missing(format!(
                "nats.credentialsSecretRef: Secret {name} has no key {key}; add it or name another key"
            )));
        }
        (Sought::Found(_), None) => {
            return Err(missing(format!(
                "Secret {name} has no key {key}; add it, or name Secret and key in nats.credentialsSecretRef"
            )));
        }
        (Sought::Missing, Some(_)) => {
            return Err(missing(format!(
                "nats.credentialsSecretRef: there is no Secret {name} in this namespace; make it"
            )));
        }
        // The kubelet finds out whether it is there.
        (Sought::Unknown | Sought::Unasked, Some(_)) => true,
        (_, None) => false,
    };
    if wanted {
        connection.nats.credentials = Some(format!("{MOUNT}/credentials/{key}").into());
        connection.mounts.push(Mount { folder: "credentials", secret: name.to_owned(), key: Some(key.to_owned()) });
    }
    Ok(())
}

fn client_certificate(
    observed: &Observed,
    own: &wasmgear_crds::Nats,
    connection: &mut Connection,
) -> Result<(), Failure> {
    let Some(reference) = &own.tls_secret_ref else { return Ok(()) };
    let name = &reference.name;
    let has_ca = match &observed.secrets.tls {
        Sought::Found(keys) => {
            if let Some(key) = ["tls.crt", "tls.key"].into_iter().find(|key| !keys.contains(*key)) {
                return Err(missing(format!(
                    "nats.tlsSecretRef: Secret {name} has no key {key}; make it with: kubectl create secret tls"
                )));
            }
            keys.contains("ca.crt")
        }
        Sought::Missing => {
            return Err(missing(format!("nats.tlsSecretRef: there is no Secret {name} in this namespace; make it")));
        }
        Sought::Unknown | Sought::Unasked => false,
    };
    connection.nats.certificate = Some(format!("{MOUNT}/tls/tls.crt").into());
    connection.nats.key = Some(format!("{MOUNT}/tls/tls.key").into());
    if has_ca {
        connection.nats.ca = Some(format!("{MOUNT}/tls/ca.crt").into());
        connection.ca = None;
    }
    connection.mounts.push(Mount { folder: "tls", secret: name.clone(), key: None });
    Ok(())
}

fn missing(message: String) -> Failure {
    Failure { reason: Reason::SecretMissing, message, retry: Retry::Outside }
}
