use std::path::PathBuf;

use gear_config::Nats;
use gear_nats::{ConnectError, connect};
use nats_broker::Broker;
use nkeys::KeyPair;

use crate::{
    pki::{Pki, write},
    until,
};

fn nats(url: String) -> Nats {
    Nats { url, ..Nats::default() }
}

fn tls(broker: &Broker, ca: PathBuf) -> Nats {
    Nats { url: format!("tls://127.0.0.1:{}", broker.port()), ca: Some(ca), ..Nats::default() }
}

async fn refused(settings: &Nats) -> ConnectError {
    match connect(settings, "test", "_INBOX_t").await {
        Ok(_) => panic!("connected with {settings:?}"),
        Err(error) => error,
    }
}

async fn works(settings: &Nats) -> async_nats::Client {
    let client = connect(settings, "test", "_INBOX_t").await.unwrap();
    client.flush().await.unwrap();
    client
}

#[tokio::test]
async fn a_plain_server_is_reached_and_a_silent_one_is_named() {
    let mut broker = Broker::start().unwrap();
    let settings = nats(broker.url());
    works(&settings).await;
    broker.kill().unwrap();
    let error = refused(&settings).await;
    assert_eq!(error.class(), "Unreachable", "{error:?}");
    assert!(error.to_string().contains(&broker.port().to_string()) && error.may_pass(), "{error}");
    let error = refused(&nats("nats://no-such-host.invalid:4222".to_owned())).await;
    assert_eq!(error.class(), "Dns", "{error:?}");
}

#[tokio::test]
async fn one_of_several_servers_is_enough() {
    let broker = Broker::start().unwrap();
    works(&nats(format!("nats://127.0.0.1:9,{}", broker.url()))).await;
}

#[tokio::test]
async fn tls_trusts_the_given_authority_only() {
    let (pki, other) = (Pki::new(), Pki::new());
    let broker = Broker::start_with(&pki.server(&["127.0.0.1"], "")).unwrap();
    works(&tls(&broker, pki.ca())).await;
    // Settings that name an authority ask for TLS, whatever the url says.
    works(&Nats { ca: Some(pki.ca()), ..nats(broker.url()) }).await;
    let error = refused(&tls(&broker, other.ca())).await;
    assert_eq!(error.class(), "Tls", "{error:?}");
    assert!(error.to_string().contains("signed by none of the trusted authorities"), "{error}");
    let error = refused(&nats(broker.url())).await;
    assert_eq!(error.class(), "Tls", "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_an_authority_is_given() {
    let (pki, broker) = (Pki::new(), Broker::start().unwrap());
    let error = refused(&Nats { ca: Some(pki.ca()), ..nats(broker.url()) }).await;
    assert!(matches!(error.class(), "Tls" | "Unreachable"), "{error:?}");
}

#[tokio::test]
async fn the_server_name_replaces_the_host_of_the_url() {
    let pki = Pki::new();
    let broker = Broker::start_with(&pki.server(&["flux"], "")).unwrap();
    let error = refused(&tls(&broker, pki.ca())).await;
    assert!(error.to_string().contains("does not carry the expected name"), "{error}");
    works(&Nats { server_name: Some("flux".to_owned()), ..tls(&broker, pki.ca()) }).await;
    let error = refused(&Nats { server_name: Some("other".to_owned()), ..tls(&broker, pki.ca()) }).await;
    assert_eq!(error.class(), "Tls", "{error:?}");
}

#[tokio::test]
async fn mutual_tls_sends_the_certificate_and_says_when_it_is_missing() {
    let pki = Pki::new();
    let broker = Broker::start_with(&pki.server(&["127.0.0.1"], "verify: true")).unwrap();
    let error = refused(&tls(&broker, pki.ca())).await;
    assert_eq!(error.class(), "Tls", "{error:?}");
    assert!(error.to_string().contains("asks for a client certificate"), "{error}");
    let (certificate, key) = pki.sign("client", &["sidecar"]);
    let both = Nats { certificate: Some(certificate.clone()), key: Some(key), ..tls(&broker, pki.ca()) };
    works(&both).await;
    let error = refused(&Nats { key: None, ..both.clone() }).await;
    assert!(error.to_string().contains("nats.key is missing"), "{error}");
    let (_, foreign) = pki.sign("foreign", &["sidecar"]);
    let error = refused(&Nats { key: Some(foreign), ..both }).await;
    assert!(error.to_string().contains("is not the key of the certificate"), "{error}");
    let error = refused(&Nats { ca: Some(pki.path("nowhere.pem")), ..tls(&broker, pki.ca()) }).await;
    assert!(error.to_string().contains("nowhere.pem") && error.class() == "File", "{error}");
}

/// A server that knows one user by NKey.
fn with_user(key: &KeyPair) -> Broker {
    Broker::start_with(&format!("authorization {{ users: [ {{ nkey: \"{}\" }} ] }}", key.public_key())).unwrap()
}

#[tokio::test]
async fn a_bare_seed_is_a_user_and_a_rotated_one_is_read_at_the_next_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("seed"), KeyPair::new_user());
    write(&file, &key.seed().unwrap());
    let mut broker = with_user(&key);
    let settings = Nats { credentials: Some(file.clone()), ..nats(broker.url()) };
    let client = works(&settings).await;

    let next = KeyPair::new_user();
    write(&file, &next.seed().unwrap());
    let error = refused(&settings).await;
    assert_eq!(error.class(), "Refused", "{error:?}");

    // The server learns the new user while it is down; the client comes back by itself.
    broker.kill().unwrap();
    let conf = broker.folder().join("nats.conf");
    let text = std::fs::read_to_string(&conf).unwrap().replace(&key.public_key(), &next.public_key());
    write(&conf, &text);
    broker.resume().unwrap();
    until("the client is back with the new seed", || async {
        client.connection_state() == async_nats::connection::State::Connected && client.flush().await.is_ok()
    })
    .await;

    write(&file, "not a seed");
    let error = refused(&settings).await;
    assert!(error.to_string().contains("neither a creds file nor a bare NKey seed"), "{error}");
    let error = refused(&nats(broker.url())).await;
    assert_eq!(error.class(), "Refused", "{error:?}");
}

#[tokio::test]
async fn a_creds_file_is_a_user() {
    // A server in operator mode: operator → account → user, each signed by the one before.
    let chain = jwt::Chain::new();
    let broker = Broker::start_with(&chain.server()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user.creds");
    write(&file, &chain.creds());
    works(&Nats { credentials: Some(file), ..nats(broker.url()) }).await;
    let error = refused(&nats(broker.url())).await;
    assert_eq!(error.class(), "Refused", "{error:?}");
}

#[tokio::test]
async fn the_domain_of_the_settings_is_the_domain_of_the_requests() {
    let broker = Broker::start_with("").unwrap();
    let conf = broker.folder().join("nats.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    write(&conf, &text.replace("jetstream {", "jetstream { domain: hub,"));
    let mut broker = broker;
    broker.resume().unwrap();
    let settings = Nats { js_domain: Some("hub".to_owned()), ..nats(broker.url()) };
    let endpoint = gear_nats::Endpoint::new(&settings).unwrap();
    let context = endpoint.jetstream(works(&settings).await);
    gear_nats::provision::init(&context, 1).await.unwrap();
    assert_eq!(endpoint.api_prefix(), "$JS.hub.API");
}

mod jwt {
    //! Just enough of NATS' JWTs for one user of one account.

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    use nkeys::KeyPair;

    pub(super) struct Chain {
        operator: KeyPair,
        system: KeyPair,
        account: KeyPair,
        user: KeyPair,
    }

    impl Chain {
        pub(super) fn new() -> Self {
            Self {
                operator: KeyPair::new_operator(),
                system: KeyPair::new_account(),
                account: KeyPair::new_account(),
                user: KeyPair::new_user(),
            }
        }

        pub(super) fn server(&self) -> String {
            let operator = token(&self.operator, &self.operator, "operator", "{}");
            let limits = r#"{"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1}}"#;
            let preload = |account: &KeyPair| {
                format!("{}: {}", account.public_key(), token(&self.operator, account, "account", limits))
            };
            format!(
                "operator: {operator}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}, {} }}",
                self.system.public_key(),
                preload(&self.system),
                preload(&self.account)
            )
        }

        pub(super) fn creds(&self) -> String {
            let jwt = token(&self.account, &self.user, "user", r#"{"subs":-1,"data":-1,"payload":-1}"#);
            let seed = self.user.seed().unwrap();
            format!(
                "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            )
        }
    }

    fn token(issuer: &KeyPair, subject: &KeyPair, kind: &str, claims: &str) -> String {
        let mut nats: serde_json::Value = serde_json::from_str(claims).unwrap();
        nats["type"] = kind.into();
        nats["version"] = 2.into();
        let body = serde_json::json!({
            "jti": "test", "iat": 1_700_000_000, "iss": issuer.public_key(), "name": kind,
            "sub": subject.public_key(), "nats": nats,
        });
        let head = BASE64.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
        let signed = format!("{head}.{}", BASE64.encode(body.to_string()));
        let signature = BASE64.encode(issuer.sign(signed.as_bytes()).unwrap());
        format!("{signed}.{signature}")
    }
}
