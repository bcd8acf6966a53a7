//! One question to one sidecar: `GET /status`, bounded in time and size.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use gear_config::status::SidecarStatus;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use tokio::net::TcpStream;

/// For everything, from connecting to the last byte.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const MOST: usize = 256 << 10;
/// Name of the port in the pod's specification.
pub(crate) const PORT_NAME: &str = "status";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    #[error("the pod has no address yet")]
    NoAddress,
    #[error("no answer within 2 s")]
    TimedOut,
    #[error("connecting")]
    Connect(#[source] std::io::Error),
    #[error("asking")]
    Http(#[source] hyper::Error),
    #[error("the answer is HTTP {0}")]
    Status(u16),
    #[error("the answer is too long, or broken off")]
    Body,
    #[error("the answer is no status")]
    Json(#[source] serde_json::Error),
}

/// Where a pod answers.
pub(super) fn address(pod: &Pod) -> Option<(IpAddr, u16)> {
    let ip = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    let ports = pod.spec.as_ref()?.containers.iter().flat_map(|container| container.ports.iter().flatten());
    let port = ports.clone().find(|port| port.name.as_deref() == Some(PORT_NAME))?;
    Some((ip, u16::try_from(port.container_port).ok()?))
}

/// Asks.
pub(super) async fn ask(pod: &Pod) -> Result<SidecarStatus, Silence> {
    let (ip, port) = address(pod).ok_or(Silence::NoAddress)?;
    tokio::time::timeout(PATIENCE, exchange(ip, port)).await.map_err(|_| Silence::TimedOut)?
}

async fn exchange(ip: IpAddr, port: u16) -> Result<SidecarStatus, Silence> {
    let stream = TcpStream::connect((ip, port)).await.map_err(Silence::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Silence::Http)?;
    let answer = async {
        let request = Request::get("/status").header(header::HOST, ip.to_string()).body(Empty::<Bytes>::new());
        // A constant path and an address always make a request.
        let request = request.map_err(|_| Silence::NoAddress)?;
        let response = sender.send_request(request).await.map_err(Silence::Http)?;
        if !response.status().is_success() {
            return Err(Silence::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|_| Silence::Body)?;
        serde_json::from_slice(&body.to_bytes()).map_err(Silence::Json)
    };
    // The connection is driven here and ends with the answer: no task is left behind.
    tokio::pin!(answer);
    tokio::select! {
        result = &mut answer => result,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(Silence::Http(error)),
        },
    }
}
