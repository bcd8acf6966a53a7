//! Registry kind `operator`: `GET <url>/modules/<digest>`, plain HTTP inside the cluster.
//!
//! The bytes are compared with the digest, so that nothing on the way can change them unseen. No redirect is followed, no
//! proxy asked, no header sent but the necessary ones.

use std::{error::Error, time::Duration};

use gear_module::Digest;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

use crate::{SupplyError, Verified, intake::Intake};

/// For the connection and for each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Cause = Box<dyn Error + Send + Sync>;

/// The operator's own server, seen by a sidecar.
#[derive(Debug, Clone)]
pub struct OperatorRegistry {
    name: String,
    host: String,
    port: u16,
    base: String,
}

impl OperatorRegistry {
    /// A registry behind `url`, for example `http://wasmgear-operator.wasmgear-system:8083`.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, SupplyError> {
        let name = name.into();
        let problem = |expected: &str| SupplyError::Config {
            registry: name.clone(),
            problem: format!("url {url:?}: {expected}, as in http://wasmgear-operator.wasmgear-system:8083"),
        };
        let uri: Uri = url.parse().map_err(|_| problem("a url is expected"))?;
        let authority = uri.authority().ok_or_else(|| problem("a host is expected"))?;
        if uri.scheme_str() != Some("http") {
            return Err(problem("scheme http is expected"));
        }
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(problem("a url without user and query is expected"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { port: authority.port_u16().unwrap_or(80), host, base, name })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of a digest.
    pub async fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        // The connection lives as long as this function; dropping the set ends it.
        let mut connection = JoinSet::new();
        let answer = self.get(digest, &mut connection).await?;
        let status = answer.status();
        if status == StatusCode::NOT_FOUND {
            let next = "the operator serves what its folder registries hold: see its condition ModuleResolved".into();
            return Err(SupplyError::NotFound { registry: self.name.clone(), what: digest.to_string(), next });
        }
        if status != StatusCode::OK {
            let transient = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let text = format!("GET /modules/{digest} answered {status}");
            return Err(if transient {
                self.fault("asking for a module", text.into())
            } else {
                let (registry, what) = (self.name.clone(), digest.to_string());
                SupplyError::Invalid { registry, what, problem: format!("{text}, 200 is expected") }
            });
        }
        self.read(answer, digest, limit).await
    }

    async fn get(
        &self,
        digest: &Digest,
        connection: &mut JoinSet<hyper::Result<()>>,
    ) -> Result<Response<Incoming>, SupplyError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let socket = self.patient("connecting", connecting).await?;
        let (mut sender, driver) = self.patient("connecting", http1::handshake(TokioIo::new(socket))).await?;
        let request = Request::get(format!("{}/modules/{digest}", self.base))
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .body(Empty::<Bytes>::new())
            .map_err(|source| self.fault("asking for a module", source.into()))?;
        connection.spawn(driver);
        self.patient("asking for a module", sender.send_request(request)).await
    }

    async fn read(&self, answer: Response<Incoming>, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        let declared = answer.headers().get(header::CONTENT_LENGTH);
        let declared = declared.and_then(|text| text.to_str().ok()?.parse().ok());
        let mut intake = Intake::begin(&self.name, digest.to_string(), declared, limit)?;
        let mut body = answer.into_body();
        loop {
            let Ok(frame) = timeout(PATIENCE, body.frame()).await else {
                return Err(self.fault("reading a module", format!("nothing came for {PATIENCE:?}").into()));
            };
            match frame {
                None => return intake.end().verify(digest),
                Some(Ok(frame)) => intake.take(frame.data_ref().map_or(&[][..], |data| data))?,
                Some(Err(source)) => return Err(self.fault("reading a module", source.into())),
            }
        }
    }

    async fn patient<T, E: Into<Cause>>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, SupplyError> {
        match timeout(PATIENCE, work).await {
            Ok(done) => done.map_err(|source| self.fault(doing, source.into())),
            Err(_) => Err(self.fault(doing, format!("no answer within {PATIENCE:?}").into())),
        }
    }

    fn fault(&self, doing: &str, source: Cause) -> SupplyError {
        let doing = format!("{doing} (http://{}:{}{})", self.host, self.port, self.base);
        SupplyError::Unavailable { registry: self.name.clone(), doing, source }
    }
}
