//! Ports for others: probes, metrics and the log filter on one, modules for sidecars on another.
//!
//! * `/livez` answers as long as the process can answer at all; `/readyz` says in words what it waits for.
//! * Followers answer too: only the work waits for leadership.
//! * `/modules/<digest>` serves nothing but what the registries of kind folder have under exactly that digest.

use std::{
    net::{Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use gear_module::Digest;
use gear_supply::Class;
use gear_telemetry::{
    FilterHandle,
    metrics::{CONTENT_TYPE, Registry, render},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::modules::Modules;

/// How far the operator is.
#[derive(Debug, Clone)]
pub(crate) struct Health(Arc<AtomicU8>);

/// What the operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// It does not know its cluster yet.
    Starting = 0,
    /// Another one leads.
    Waiting = 1,
    /// It leads, and reads what is there.
    Reading = 2,
    /// It leads.
    Leading = 3,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Phase::Starting as u8)))
    }
}

impl Health {
    /// The operator does this now.
    pub(crate) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn answer(&self) -> (StatusCode, &'static str) {
        match self.0.load(Ordering::Relaxed) {
            0 => (StatusCode::SERVICE_UNAVAILABLE, "the API server was not reached yet\n"),
            1 => (StatusCode::OK, "another operator leads\n"),
            2 => (StatusCode::SERVICE_UNAVAILABLE, "reads what the cluster has\n"),
            _ => (StatusCode::OK, "leads\n"),
        }
    }
}

#[derive(Clone)]
struct Admin {
    health: Health,
    registry: Arc<Registry>,
    filter: Option<FilterHandle>,
}

/// Opens a port; 0 is any.
pub(crate) async fn open(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await
}

/// Serves probes and metrics until `stop`.
pub(crate) async fn serve_admin(
    listener: TcpListener,
    health: Health,
    registry: Arc<Registry>,
    filter: Option<FilterHandle>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async |State(admin): State<Admin>| admin.health.answer()))
        .route("/metrics", get(metrics))
        .route("/log", put(log))
        .with_state(Admin { health, registry, filter });
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

/// Serves modules until `stop`.
pub(crate) async fn serve_modules(
    listener: TcpListener,
    modules: Arc<Modules>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new().route("/modules/{digest}", get(module)).with_state(modules);
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match render(&admin.registry) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn log(State(admin): State<Admin>, filter: String) -> (StatusCode, String) {
    match admin.filter.map(|handle| handle.set(filter.trim())) {
        Some(Ok(())) => (StatusCode::OK, "changed until the next start\n".to_owned()),
        Some(Err(problem)) => (StatusCode::BAD_REQUEST, format!("{problem}\n")),
        None => (StatusCode::NOT_FOUND, "there is no filter to change\n".to_owned()),
    }
}

async fn module(State(modules): State<Arc<Modules>>, Path(digest): Path<String>) -> Response {
    let Ok(digest) = digest.parse::<Digest>() else {
        return (StatusCode::BAD_REQUEST, "a digest is expected: sha256: and 64 lower-case hex digits\n")
            .into_response();
    };
    match modules.serve(&digest).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/wasm")], Body::from(bytes)).into_response(),
        Err(error) => {
            let status = match error.class() {
                Class::ModuleNotFound => StatusCode::NOT_FOUND,
                Class::RegistryUnavailable | Class::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_GATEWAY,
            };
            (status, format!("{}\n", error.chain())).into_response()
        }
    }
}
