//! The sidecar: runs one gear over one stream.
//!
//! What it is: the place where the parts meet. `gear-supply` fetches, `gear-host` runs the guest, `gear-stream` decides what
//! becomes of each message; [`pipeline`] is what joins them for one message, [`run()`] for the process.
//! What it is not: none of those parts, and nothing of Kubernetes: it reads a document and answers on two ports.
//!
//! * While it can't serve (no document, a refused module, registry or NATS away) it stays up, unready, with a reason and a
//!   sentence on `/readyz` and `/status`, and tries again.
//! * Guests run on threads of their own, one per CPU. NATS, timers and the admin ports share one other thread: what it does
//!   for a message is little, and handing a message between threads costs more than it gains.
//! * It ends in two phases: no new work, then what is in flight, until a deadline inside the pod's grace period. What is left
//!   is delivered again by the server.
//!
//! How it fails: [`Fatal`] ends the process, with the cause in the termination message; everything else is a [`problem`].
#![deny(missing_docs)]

pub mod admin;
pub mod allocator;
pub mod args;
pub mod budget;
pub mod guest_log;
pub mod identity;
pub mod load;
pub mod metrics;
pub mod pipeline;
pub mod problem;
pub mod process;
pub mod state;
pub mod termination;

mod document;
mod fetch;
mod prepare;
mod scrape;

use std::{
    any::Any, future::Future, io, num::NonZeroUsize, panic::AssertUnwindSafe, path::PathBuf, pin::pin, sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;

use gear_config::{Document, status::LedgerStatus};
use gear_stream::{Settings, Stream, Tuning};
use gear_telemetry::{
    Guard,
    metrics::{Process as ProcessFigures, Registry},
};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::Admin,
    args::Args,
    metrics::Process,
    prepare::{Preparing, Ready},
    scrape::Scrape,
    state::State,
};

/// What [`run()`] needs.
#[derive(Debug)]
pub struct Config<'a> {
    /// The flags.
    pub args: Args,
    /// This executable; its `main` begins with `gear_host::compile::child_main`.
    pub program: PathBuf,
    /// Logs and spans; `None` in tests.
    pub telemetry: Option<&'a Guard>,
    /// Threads for guests; one per CPU unless given.
    pub guest_threads: Option<NonZeroUsize>,
}

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Nothing was left unfinished.
    pub clean: bool,
}

/// What ends the process.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// An admin port could not be opened, or was lost.
    #[error("the admin ports could not be served")]
    Admin(#[source] io::Error),
    /// A part of the process panicked: nobody knows what state it left.
    #[error("a part of the sidecar panicked: {0}; this is an error of the sidecar, please report it")]
    Panicked(String),
}

/// Which addresses the admin ports really have: told once they are open.
pub type Listening = dyn FnOnce(std::net::SocketAddr, std::net::SocketAddr) + Send;

/// Runs until `shutdown` resolves and everything in hand is settled, or until something fatal happens.
pub async fn run(
    config: Config<'_>,
    shutdown: impl Future<Output = ()> + Send,
    listening: Box<Listening>,
) -> Result<Ended, Fatal> {
    let state = State::default();
    let mut registry = Registry::default();
    let metrics = Process::register(&mut registry);
    registry.register_collector(Box::new(Scrape(state.clone())));
    ProcessFigures::register(&mut registry);

    let admin = Admin::bind(config.args.admin, config.args.status).await.map_err(Fatal::Admin)?;
    let (probes, status) = (admin.probes().map_err(Fatal::Admin)?, admin.status().map_err(Fatal::Admin)?);
    tracing::info!(%probes, %status, "listening");
    listening(probes, status);
    let ports_end = CancellationToken::new();
    let mut ports = JoinSet::new();
    ports.spawn(admin.serve(state.clone(), Arc::new(registry), ports_end.clone()));

    let stop = CancellationToken::new();
    let mut serving = pin!(AssertUnwindSafe(serve(&config, &state, &metrics, &stop)).catch_unwind());
    let mut shutdown = pin!(shutdown);
    let mut resting = pin!(allocator::give_back_when_idle(|| state.monitor().ledger().received));
    let ended = loop {
        tokio::select! {
            ended = &mut serving => break ended.map_err(|panic| Fatal::Panicked(panic_text(&*panic)))?,
            () = &mut shutdown, if !stop.is_cancelled() => {
                tracing::info!("asked to end: no new messages, finishing those in hand");
                state.ending();
                stop.cancel();
            }
            Some(lost) = ports.join_next() => return Err(lost_ports(lost)),
            never = &mut resting => match never {},
        }
    };
    // Last scrapes are let through, idle connections are not waited for.
    ports_end.cancel();
    let closing = async { while ports.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(1), closing).await.is_err() {
        tracing::debug!("admin connections were still open");
    }
    Ok(ended)
}

fn lost_ports(lost: Result<io::Result<()>, JoinError>) -> Fatal {
    match lost {
        Ok(Ok(())) => Fatal::Admin(io::Error::other("they were closed")),
        Ok(Err(error)) => Fatal::Admin(error),
        Err(panic) => Fatal::Panicked(panic.to_string()),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into())
}

/// Prepares the revision, however long that takes, then lets messages flow.
async fn serve(config: &Config<'_>, state: &State, metrics: &Process, stop: &CancellationToken) -> Ended {
    let mut preparing = Preparing::new(config, state, metrics);
    let Ready { document, gear } = tokio::select! {
        ready = preparing.run() => ready,
        () = stop.cancelled() => return Ended { clean: true },
    };
    let grace = grace(&document);
    let settings = Settings {
        identity: document.gear,
        input: document.input,
        nats: document.nats,
        version: env!("CARGO_PKG_VERSION").into(),
        tuning: Tuning::default(),
    };
    let stream = Stream::new(settings, Arc::new(gear));
    let monitor = stream.monitor();
    state.attach(monitor.clone());
    let gear_stream::Ended { clean, left } = stream.run(stop.clone(), grace).await;
    if !clean {
        tracing::warn!(left, "ended with messages unfinished; the server delivers them again");
    }
    close_books(&monitor.ledger());
    Ended { clean }
}

/// The last word of a pod whose counts nobody can ask for any more.
fn close_books(ledger: &LedgerStatus) {
    tracing::info!(
        balanced = ledger.balances(),
        received = ledger.received,
        ok = ledger.ok,
        dropped = ledger.dropped,
        rejected = ledger.rejected,
        dead_lettered = ledger.dead_lettered,
        probes = ledger.probes,
        retried = ledger.retried,
        released = ledger.released,
        already_emitted = ledger.already_emitted,
        unconfirmed = ledger.unconfirmed,
        in_flight = ledger.in_flight,
        emitted = ledger.emitted,
        confirmed = ledger.confirmed,
        confirmed_duplicate = ledger.confirmed_duplicate,
        abandoned = ledger.abandoned,
        "the ledger of this pod is closed"
    );
}

/// Time for what is in flight at the end. The pod has max(30 s, messageTime + 15 s); the rest is for flushing and for the
/// kubelet.
fn grace(document: &Document) -> Duration {
    let longest_call = document.stable.limits.message_time.get();
    Duration::from_secs(25).max(longest_call + Duration::from_secs(10))
}
