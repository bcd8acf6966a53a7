//! Secrets that a gear needs: whether they are there and which keys they have. Values are skipped while reading.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;
use serde::{Deserialize, de::IgnoredAny};
use wasmgear_crds::{Nats, words};

/// The Secrets that a gear needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Secrets {
    /// `nats.credentialsSecretRef`, or the one that is used by default.
    pub credentials: Sought,
    /// `nats.tlsSecretRef`.
    pub tls: Sought,
}

/// What became of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Sought {
    /// Nothing was looked for.
    #[default]
    Unasked,
    /// It is there, with these keys.
    Found(BTreeSet<String>),
    /// It is not there.
    Missing,
    /// The operator may not look; the kubelet will find out.
    Unknown,
}

/// A Secret without its values.
#[derive(Deserialize)]
struct Keys {
    #[serde(default)]
    data: BTreeMap<String, IgnoredAny>,
}

/// Looks for the Secrets that a gear names, and for the one that it uses by default.
pub(super) async fn look(client: &Client, namespace: &str, nats: Option<&Nats>) -> Result<Secrets, kube::Error> {
    let own_server = nats.is_some_and(|nats| nats.url.is_some());
    let credentials = match nats.and_then(|nats| nats.credentials_secret_ref.as_ref()) {
        Some(reference) => seek(client, namespace, &reference.name).await?,
        // Credentials for the operator's server are not sent to another.
        None if own_server => Sought::Unasked,
        None => seek(client, namespace, words::DEFAULT_NATS_SECRET).await?,
    };
    let tls = match nats.and_then(|nats| nats.tls_secret_ref.as_ref()) {
        Some(reference) => seek(client, namespace, &reference.name).await?,
        None => Sought::Unasked,
    };
    Ok(Secrets { credentials, tls })
}

async fn seek(client: &Client, namespace: &str, name: &str) -> Result<Sought, kube::Error> {
    let request = hyper::Request::get(format!("/api/v1/namespaces/{namespace}/secrets/{name}"))
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    match client.request::<Keys>(request).await {
        Ok(secret) => Ok(Sought::Found(secret.data.into_keys().collect())),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Sought::Missing),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Sought::Unknown),
        Err(error) => Err(error),
    }
}
