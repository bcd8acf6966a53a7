//! TLS whose files are read at every handshake, so that a rotated Secret needs no restart.
//!
//! * Authorities: `nats.ca`, else the system's.
//! * Name that the server's certificate must carry: `nats.serverName`, else the host of the url.
//! * Client certificate: `nats.certificate` with `nats.key`, asked for by the server or not sent.
//!
//! Reading a small local file inside a handshake blocks a thread for microseconds; handshakes are rare.

use std::{path::PathBuf, sync::Arc};

use async_nats::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        ResolvesClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::CertifiedKey,
};
use gear_config::Nats;

use crate::error::{ConnectError, FileProblem};

/// Whether the settings ask for TLS beyond what the url says. Settings that speak of certificates never end in a
/// connection in clear.
pub(crate) fn required(nats: &Nats) -> bool {
    nats.ca.is_some() || nats.certificate.is_some() || nats.server_name.is_some()
}

/// The TLS settings, checked once now: files that are missing or wrong are named before anything is sent.
pub(crate) fn config(nats: &Nats) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let name = match &nats.server_name {
        Some(name) => Some(ServerName::try_from(name.clone()).map_err(|_| ConnectError::ServerName(name.clone()))?),
        None => None,
    };
    let authorities = Authorities { ca: nats.ca.clone(), name, provider: Arc::clone(&provider) };
    if let Some(path) = &nats.ca {
        authorities.read().map_err(|problem| file("nats.ca", path, problem))?;
    }
    let identity = match (&nats.certificate, &nats.key) {
        (None, None) => None,
        (Some(_), None) => return Err(ConnectError::HalfIdentity { missing: "nats.key" }),
        (None, Some(_)) => return Err(ConnectError::HalfIdentity { missing: "nats.certificate" }),
        (Some(certificate), Some(key)) => {
            let identity =
                Identity { certificate: certificate.clone(), key: key.clone(), provider: Arc::clone(&provider) };
            identity.read()?;
            Some(identity)
        }
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConnectError::ServerName("no TLS version in common with the crypto provider".to_owned()))?
        .dangerous() // the name of rustls for "a verifier of one's own"; ours calls rustls' own
        .with_custom_certificate_verifier(Arc::new(authorities));
    Ok(match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(identity)),
        None => builder.with_no_client_auth(),
    })
}

fn file(field: &'static str, path: &std::path::Path, problem: FileProblem) -> ConnectError {
    ConnectError::File { field, path: path.to_owned(), problem }
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, FileProblem> {
    let bytes = std::fs::read(path).map_err(FileProblem::Unreadable)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| FileProblem::Content("is not PEM"))?;
    if found.is_empty() { Err(FileProblem::Content("holds no PEM certificate")) } else { Ok(found) }
}

/// Whom to trust, read anew at each handshake.
#[derive(Debug)]
struct Authorities {
    ca: Option<PathBuf>,
    name: Option<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Authorities {
    fn read(&self) -> Result<RootCertStore, FileProblem> {
        let mut store = RootCertStore::empty();
        match &self.ca {
            Some(path) => {
                for certificate in certificates(path)? {
                    store
                        .add(certificate)
                        .map_err(|_| FileProblem::Content("holds a certificate that can't be an authority"))?;
                }
            }
            None => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Ok(store)
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let store = self.read().map_err(|problem| {
            let path = self.ca.as_deref().unwrap_or_else(|| std::path::Path::new("system")).display();
            rustls::Error::General(format!("nats.ca {path} {problem}"))
        })?;
        if store.is_empty() {
            return Err(rustls::Error::General("there are no system authorities, name a file in nats.ca".to_owned()));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&self.provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let name = self.name.as_ref().unwrap_or(server_name);
        verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Our own certificate, read anew at each handshake.
#[derive(Debug)]
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl Identity {
    fn read(&self) -> Result<CertifiedKey, ConnectError> {
        let chain =
            certificates(&self.certificate).map_err(|problem| file("nats.certificate", &self.certificate, problem))?;
        let wrong = |problem| file("nats.key", &self.key, problem);
        let pem = std::fs::read(&self.key).map_err(FileProblem::Unreadable).map_err(wrong)?;
        let key =
            PrivateKeyDer::from_pem_slice(&pem).map_err(|_| wrong(FileProblem::Content("holds no PEM private key")))?;
        CertifiedKey::from_der(chain, key, &self.provider)
            .map_err(|_| wrong(FileProblem::Content("is not the key of the certificate, or of a kind not known")))
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        match self.read() {
            Ok(key) => Some(Arc::new(key)),
            Err(error) => {
                // Without a certificate the server refuses the handshake; this line says why.
                tracing::warn!(%error, "no client certificate for NATS");
                None
            }
        }
    }

    fn has_certs(&self) -> bool {
        true
    }
}
