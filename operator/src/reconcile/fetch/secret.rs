//! Secrets that a gear needs: whether they are there and which keys they have. Values are skipped while reading.

use std::{collections::BTreeSet, fmt};

use kube::Client;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
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
    #[serde(default, deserialize_with = "keys")]
    data: BTreeSet<String>,
}

/// The keys of a map; its values are skipped, not kept.
fn keys<'de, D: Deserializer<'de>>(map: D) -> Result<BTreeSet<String>, D::Error> {
    struct Skip;
    impl<'de> Visitor<'de> for Skip {
        type Value = BTreeSet<String>;
        fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
            text.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = BTreeSet::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.insert(key);
            }
            Ok(keys)
        }
    }
    map.deserialize_map(Skip)
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
        Ok(secret) => Ok(Sought::Found(secret.data)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Sought::Missing),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Sought::Unknown),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_its_keys() {
        let read = |json: &str| serde_json::from_str::<Keys>(json).unwrap().data;
        let keys = read(r#"{ "kind": "Secret", "data": { "b": "c2VjcmV0", "a": "" }, "type": "Opaque" }"#);
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(read(r#"{ "kind": "Secret" }"#).is_empty());
    }
}
