//! A gear's own way to NATS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    rule::{at, rule},
    words,
};

/// A gear's own way to NATS. What is left out comes from the operator; credentials never do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Nats {
    /// Servers, `nats://` or `tls://`, joined by commas; needs credentials of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub url: Option<String>,

    /// Secret of this namespace with a credentials file or a bare NKey seed. Default: `wasmgear-nats`, where it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<KeyRef>,

    /// Secret of this namespace with a client certificate (`tls.crt`, `tls.key`) and, where the server's is not signed
    /// by a public authority, `ca.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_secret_ref: Option<SecretRef>,

    /// Name that the server's certificate must carry, where it is not the host of the url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), extend("x-kubernetes-validations" = [server_name_rule()]))]
    pub server_name: Option<String>,

    /// JetStream domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("x-kubernetes-validations" = [domain_rule()]))]
    pub js_domain: Option<String>,
}

/// A key of a Secret of the gear's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// Name of the Secret.
    #[schemars(length(max = 253), extend("x-kubernetes-validations" = [secret_rule("nats.credentialsSecretRef.name")]))]
    pub name: String,

    /// Key in it.
    #[serde(default = "credentials_key")]
    #[schemars(length(max = 253), extend("x-kubernetes-validations" = [key_rule()]))]
    pub key: String,
}

/// A Secret of the gear's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(max = 253), extend("x-kubernetes-validations" = [secret_rule("nats.tlsSecretRef.name")]))]
    pub name: String,
}

fn credentials_key() -> String {
    words::DEFAULT_CREDENTIALS_KEY.to_owned()
}

fn rules() -> Value {
    json!([
        at(
            "url",
            "!has(self.url) || has(self.credentialsSecretRef) || has(self.tlsSecretRef)",
            "nats.url of a gear's own needs nats.credentialsSecretRef or nats.tlsSecretRef: credentials for one server are never sent to another",
        ),
        // A rule of the object, without the value: the server shows what a rule of a text refuses, and people put
        // passwords into urls.
        at(
            "url",
            r"!has(self.url) || self.url.matches('^(nats|tls)://[^\\s@,/]+(,(nats|tls)://[^\\s@,/]+)*$')",
            "nats.url is not nats://host:port or tls://host:port, several joined by commas, without user and password: credentials belong into nats.credentialsSecretRef",
        ),
    ])
}

fn server_name_rule() -> Value {
    rule(
        "self.matches('^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$')",
        "nats.serverName {self} is not a host name: write the name in the server's certificate",
    )
}

fn domain_rule() -> Value {
    rule(
        "self.matches('^[A-Za-z0-9_-]+$')",
        "nats.jsDomain {self} is not a JetStream domain: use letters, digits, - and _",
    )
}

fn secret_rule(field: &str) -> Value {
    rule(
        "self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')",
        &format!("{field} {{self}} is not the name of a Secret: use lower-case letters, digits, - and ."),
    )
}

fn key_rule() -> Value {
    rule(
        "self.matches('^[-._A-Za-z0-9]+$')",
        "nats.credentialsSecretRef.key {self} is not a key of a Secret: use letters, digits, - _ and .",
    )
}
