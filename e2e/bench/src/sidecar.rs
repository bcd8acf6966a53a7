//! The sidecar as its program runs it: `wasmgear_sidecar::run` on a runtime of one thread, guests on threads of their own.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Parser as _;
use gear_config::{
    Deliver, Document, FILE_NAME, Identity, Input, Instance, Limits, Nats, OnReject, Output, Registry, RegistrySource,
    Retry, Revision, Span, VERSION, status::SidecarStatus,
};
use gear_module::{Digest, Grants};
use gear_supply::{Fetched, NatsRegistry};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wasmgear_sidecar::{Config, Ended, args::Args};

use crate::world::{INPUT, PREFIX, STREAM, World, until};

/// As the operator writes it for one replica.
pub(crate) const MAX_ACK_PENDING: u32 = 4_096;
const PATIENCE: Duration = Duration::from_secs(10);

/// A gear that messages pass through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gear {
    /// Name of the built guest.
    pub(crate) guest: &'static str,
    /// How long an instance lives.
    pub(crate) instance: Instance,
}

/// A sidecar in this process.
pub(crate) struct Sidecar {
    probes: SocketAddr,
    status: SocketAddr,
    stop: CancellationToken,
    thread: JoinHandle<Result<Ended>>,
    _folder: tempfile::TempDir,
}

impl Sidecar {
    /// Starts a sidecar as gear `name`, which must be new: a position recorded for another stream would rightly not fit.
    /// Comes back when it is ready.
    pub(crate) async fn start(world: &World, name: &str, gear: Gear) -> Result<Self> {
        let wasm = guest_fixtures::try_wasm(gear.guest)?;
        let digest = Digest::of(&wasm);
        let module = Fetched::local(wasm.clone().into()).verify(&digest)?;
        let reference = format!("urn:wasm:{}:v0.0.1-{}", gear.guest, digest.short()).parse()?;
        // Another round may have put it there already.
        let _ = NatsRegistry::new("nats", world.js.clone(), None).push(&reference, &module, |_| ()).await;

        let folder = tempfile::tempdir()?;
        let document = document(&world.broker.url(), name, gear, digest, u64::try_from(wasm.len())?);
        std::fs::write(folder.path().join(FILE_NAME), document.render()?)?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let args = ["wasmgear-sidecar", "--config", &path(""), "--cache", &path("cache"), "--admin", "127.0.0.1:0"];
        let more = ["--status", "127.0.0.1:0", "--termination-log", &path("log")];
        let args = Args::try_parse_from(args.into_iter().chain(more))?;

        let (stop, (opened, listening)) = (CancellationToken::new(), oneshot::channel());
        let asked = stop.clone();
        let thread = thread::Builder::new().name("sidecar".into()).spawn(move || serve(args, asked, opened))?;
        let (probes, status) = listening.await.context("the sidecar ended before it listened")?;
        let sidecar = Self { probes, status, stop, thread, _folder: folder };
        let mut why = String::new();
        let ready = until("the sidecar to be ready", Duration::from_millis(2), async || {
            let (line, body) = get(sidecar.probes, "/readyz")?;
            why = body;
            Ok(line.contains(" 200 "))
        });
        let ready = ready.await;
        ready.with_context(|| why)?;
        Ok(sidecar)
    }

    pub(crate) fn status(&self) -> Result<SidecarStatus> {
        Ok(serde_json::from_str(&get(self.status, "/status")?.1)?)
    }

    /// Ends it, and looks at its accounts.
    pub(crate) async fn stop(self) -> Result<()> {
        let ledger = self.status()?.ledger;
        self.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        let ended = joined.map_err(|_| anyhow!("the sidecar panicked"))??;
        ensure!(ended.clean && ledger.balances(), "the sidecar did not end cleanly: {ledger:?}");
        Ok(())
    }
}

fn serve(args: Args, asked: CancellationToken, opened: oneshot::Sender<(SocketAddr, SocketAddr)>) -> Result<Ended> {
    // The same as in `wasmgear_sidecar::process`.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let config = Config { args, program: std::env::current_exe()?, telemetry: None, guest_threads: None };
    let listening = Box::new(move |probes, status| _ = opened.send((probes, status)));
    let run = wasmgear_sidecar::run(config, async move { asked.cancelled().await }, listening);
    Ok(runtime.block_on(Box::pin(run))?)
}

fn document(url: &str, name: &str, gear: Gear, digest: Digest, size: u64) -> Document {
    let identity =
        Identity { cluster_id: "0a1b2c3d".into(), namespace: "bench".into(), name: name.into(), uid: name.into() };
    Document {
        version: VERSION,
        gear: identity,
        epoch: 1,
        stable: Revision {
            name: "r1-01020304".into(),
            module: format!("urn:wasm:{}:v1", gear.guest),
            digest,
            size,
            entrypoint: "flux_process".into(),
            grants: Grants::default(),
            limits: Limits::default(),
            instance: gear.instance,
            config: BTreeMap::new(),
            output: Output { prefix: PREFIX.into(), ports: vec![] },
            on_reject: OnReject::DeadLetter,
            retry: Retry::default(),
        },
        candidate: None,
        concurrency: 16,
        input: Input {
            stream: STREAM.into(),
            subjects: vec![INPUT.into()],
            deliver: Deliver::All,
            ack_wait: Span::from_secs(30),
            ordered: false,
            forget_after: Span::from_secs(3_600),
            max_ack_pending: MAX_ACK_PENDING,
            generation: 1,
        },
        nats: Nats { url: url.into(), ..Nats::default() },
        registries: vec![Registry { name: "nats".into(), source: RegistrySource::Nats }],
    }
}

/// Status line and body of a GET.
fn get(address: SocketAddr, path: &str) -> Result<(String, String)> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer")?;
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}
