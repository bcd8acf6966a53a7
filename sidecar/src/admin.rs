//! The two admin ports. Nothing here touches NATS, the guest or the compiler, so a probe can't be kept waiting by them.
//!
//! * Probes and metrics: `/livez` (the process answers), `/readyz` (200, or 503 with reason and sentence), `/metrics`.
//! * For the operator: `/status`, without message data, keys or text of guests.

use std::{
    future::ready,
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    extract::State as Shared,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use gear_telemetry::metrics::{CONTENT_TYPE, Registry, render};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::state::State;

/// Both ports, bound.
#[derive(Debug)]
pub struct Admin {
    probes: TcpListener,
    status: TcpListener,
}

impl Admin {
    /// Binds both ports. Where `[::]` is asked for and the machine has no IPv6, `0.0.0.0` has to do.
    pub async fn bind(probes: SocketAddr, status: SocketAddr) -> io::Result<Self> {
        Ok(Self { probes: bind(probes).await?, status: bind(status).await? })
    }

    /// Where probes and metrics are.
    pub fn probes(&self) -> io::Result<SocketAddr> {
        self.probes.local_addr()
    }

    /// Where the status is.
    pub fn status(&self) -> io::Result<SocketAddr> {
        self.status.local_addr()
    }

    /// Answers until `end`.
    pub async fn serve(self, state: State, registry: Arc<Registry>, end: CancellationToken) -> io::Result<()> {
        let probes = Router::new()
            .route("/livez", get(async || "ok\n"))
            .route("/readyz", get(readiness))
            .with_state(state.clone())
            .route("/metrics", get(move || ready(scrape(&registry))));
        let status = Router::new().route("/status", get(status)).with_state(state);
        let ending = || end.clone().cancelled_owned();
        let probes = axum::serve(self.probes, probes).with_graceful_shutdown(ending()).into_future();
        let status = axum::serve(self.status, status).with_graceful_shutdown(ending()).into_future();
        tokio::try_join!(probes, status).map(|((), ())| ())
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("address {address}: {error}"));
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && no_ipv6(&error) => {
            tracing::info!(%address, %error, "no IPv6 here; listening on 0.0.0.0");
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await.map_err(named)
        }
        bound => bound.map_err(named),
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(97)
}

async fn readiness(Shared(state): Shared<State>) -> Response {
    match state.not_ready() {
        None => (StatusCode::OK, "ready\n").into_response(),
        Some(problem) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{}: {}\n", problem.reason, problem.message)).into_response()
        }
    }
}

async fn status(Shared(state): Shared<State>) -> Response {
    match serde_json::to_vec(&state.status()) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn scrape(registry: &Registry) -> Response {
    match render(registry) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
