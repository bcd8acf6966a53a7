//! What the tests share: a server with everything that the product needs, a document, a sidecar, eyes on both sides.

use std::{
    collections::{BTreeMap, VecDeque},
    future::IntoFuture,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        consumer::{AckPolicy, DeliverPolicy, Info, pull},
        stream::{Config as StreamConfig, StorageType},
    },
};
use futures_util::StreamExt;
use gear_abi::Message;
use gear_config::{
    ByteSize, Deliver, Document, FILE_NAME, Identity, Input, Instance, Limits, Nats, OnReject, Output, Registry,
    RegistrySource, Retry, Revision, Span, VERSION,
};
use gear_module::{Digest, Grants};
use gear_supply::{Fetched, NatsRegistry};
use nats_broker::Broker;
use rustix::process::{Pid, Signal, kill_process};

mod oracle;
mod sidecar;

pub(crate) use oracle::{Counted, count, generate};
pub(crate) use sidecar::Sidecar;

pub(crate) const IN: &str = "flux.msg.edge-a.line-in.out";
pub(crate) const OUT: &str = "flux.msg.edge-a.gear.out";
pub(crate) const DLQ: &str = "flux.dlq.payments.gear";
/// Long enough for a busy machine; nothing waits so long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A server with the product's streams and buckets, and the stream of fluxrig.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) js: Context,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_window(Duration::from_mins(2)).await
    }

    /// A world whose stream forgets message ids after `window`.
    pub(crate) async fn with_window(window: Duration) -> Self {
        let world = Self::bare("").await;
        world.make_stream(window).await;
        world
    }

    /// A world without fluxrig's stream, on a server whose configuration ends with `extra`.
    pub(crate) async fn bare(extra: &str) -> Self {
        let broker = Broker::start_with(extra).unwrap();
        // A server without users takes these, too.
        let options = async_nats::ConnectOptions::with_user_and_password("admin".into(), "admin".into());
        let client = options.connect(broker.url()).await.unwrap();
        let js = async_nats::jetstream::new(client);
        gear_nats::provision::init(&js, 1).await.unwrap();
        Self { broker, js, folder: tempfile::tempdir().unwrap() }
    }

    /// The stream of fluxrig, which forgets message ids after `window`.
    pub(crate) async fn make_stream(&self, window: Duration) {
        let stream = StreamConfig {
            name: "flux-msg".into(),
            subjects: vec!["flux.msg.>".into()],
            storage: StorageType::File,
            duplicate_window: window,
            ..StreamConfig::default()
        };
        self.js.create_stream(stream).await.unwrap();
    }

    /// Changes the server's configuration while it runs.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let file = self.broker.folder().join("nats.conf");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let pid = Pid::from_raw(i32::try_from(self.broker.pid().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    }

    /// The gear's durable consumer, as the server has it.
    pub(crate) async fn consumer(&self) -> Info {
        let stream = self.js.get_stream("flux-msg").await.unwrap();
        stream.consumer_info("wasmgear_0a1b2c3d_payments_gear").await.unwrap()
    }

    /// Puts a module into the registry and gives a document that runs it.
    pub(crate) async fn document(&self, wasm: &[u8]) -> Document {
        let digest = Digest::of(wasm);
        let module = Fetched::local(wasm.to_vec().into()).verify(&digest).unwrap();
        let reference = format!("urn:wasm:gear:v0.0.1-{}", digest.short()).parse().unwrap();
        NatsRegistry::new("nats", self.js.clone(), None).push(&reference, &module, |_| ()).await.unwrap();
        document(&self.broker.url(), digest, wasm.len() as u64)
    }

    pub(crate) fn config_dir(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Writes the document as the kubelet does: complete or not at all.
    pub(crate) fn write(&self, document: &Document) {
        self.write_text(&document.render().unwrap());
    }

    pub(crate) fn write_text(&self, text: &str) {
        let folder = self.config_dir();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("draft"), text).unwrap();
        std::fs::rename(folder.join("draft"), folder.join(FILE_NAME)).unwrap();
    }

    /// Flags of a sidecar in this world.
    pub(crate) fn args(&self) -> Vec<String> {
        let path = |path: PathBuf| path.display().to_string();
        [
            "--config".into(),
            path(self.config_dir()),
            "--cache".into(),
            path(self.folder.path().join("cache")),
            "--admin".into(),
            "127.0.0.1:0".into(),
            "--status".into(),
            "127.0.0.1:0".into(),
            "--termination-log".into(),
            path(self.folder.path().join("termination-log")),
        ]
        .into()
    }

    /// Starts the program.
    pub(crate) fn start(&self) -> Sidecar {
        Sidecar::start(&self.args())
    }

    /// Publishes records as a rack does, and waits until they are stored.
    pub(crate) async fn feed(&self, records: impl IntoIterator<Item = Vec<u8>>) {
        // The client takes a few thousand publishes without an ack, and then waits for somebody to take the acks.
        let mut acks = VecDeque::new();
        for record in records {
            acks.push_back(self.js.publish(IN, record.into()).await.unwrap().into_future());
            if acks.len() >= 1_000 {
                acks.pop_front().unwrap().await.unwrap();
            }
        }
        for ack in acks {
            ack.await.unwrap();
        }
    }

    /// Everything that is stored on a subject, in order, with headers. Waits until there are `count`.
    pub(crate) async fn stored(&self, stream: &str, subject: &str, count: u64) -> Vec<(HeaderMap, Vec<u8>)> {
        until(&format!("{count} messages on {subject}"), async || self.count(stream, subject).await >= count).await;
        let count = self.count(stream, subject).await;
        let consumer = self.js.get_stream(stream).await.unwrap();
        let consumer = consumer
            .create_consumer(pull::Config {
                filter_subject: subject.into(),
                deliver_policy: DeliverPolicy::All,
                ack_policy: AckPolicy::None,
                ..pull::Config::default()
            })
            .await
            .unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let mut stored = Vec::new();
        for _ in 0..count {
            let message = messages.next().await.unwrap().unwrap().message;
            stored.push((message.headers.unwrap_or_default(), message.payload.to_vec()));
        }
        stored
    }

    /// Messages stored on a subject.
    pub(crate) async fn count(&self, stream: &str, subject: &str) -> u64 {
        use futures_util::TryStreamExt;
        let stream = self.js.get_stream(stream).await.unwrap();
        let subjects = stream.info_with_subjects(subject).await.unwrap();
        let counts: Vec<(String, usize)> = subjects.try_collect().await.unwrap();
        counts.iter().map(|(_, count)| *count as u64).sum()
    }

    pub(crate) async fn outputs(&self, count: u64) -> Vec<(HeaderMap, Vec<u8>)> {
        self.stored("flux-msg", OUT, count).await
    }

    pub(crate) async fn dead_letters(&self, count: u64) -> Vec<(HeaderMap, Vec<u8>)> {
        self.stored("flux-dlq", DLQ, count).await
    }
}

/// A document for a module that is in the registry.
pub(crate) fn document(url: &str, digest: Digest, size: u64) -> Document {
    Document {
        version: VERSION,
        gear: Identity {
            cluster_id: "0a1b2c3d".into(),
            namespace: "payments".into(),
            name: "gear".into(),
            uid: "7f6c".into(),
        },
        epoch: 1,
        stable: Revision {
            name: "r1-01020304".into(),
            module: "urn:wasm:gear:v1".into(),
            digest,
            size,
            entrypoint: "flux_process".into(),
            grants: Grants::default(),
            limits: Limits { memory: ByteSize::new(16 << 20), message_time: Span::from_secs(1), ..Limits::default() },
            instance: Instance::Fresh,
            config: BTreeMap::new(),
            output: Output { prefix: "flux.msg.edge-a.gear".into(), ports: vec![] },
            on_reject: OnReject::DeadLetter,
            retry: Retry { attempts: 2, backoff: Span::from_millis(50), max_backoff: Span::from_millis(100) },
        },
        candidate: None,
        concurrency: 4,
        input: Input {
            stream: "flux-msg".into(),
            subjects: vec![IN.into()],
            deliver: Deliver::All,
            ack_wait: Span::from_secs(2),
            ordered: false,
            forget_after: Span::from_secs(3600),
            max_ack_pending: 4096,
            generation: 1,
        },
        nats: Nats { url: url.into(), ..Nats::default() },
        registries: vec![Registry { name: "nats".into(), source: RegistrySource::Nats }],
    }
}

/// A payment with a serial.
pub(crate) fn payment(serial: u64) -> Vec<u8> {
    let mut message = Message::default();
    let mut id = [7u8; 16];
    id[..8].copy_from_slice(&serial.to_be_bytes());
    message.id = id.into();
    message.data.insert("n", serial);
    message.data.insert("note", "x".repeat(100));
    message.encode()
}

/// The serial of a payment.
pub(crate) fn serial(record: &[u8]) -> u64 {
    Message::decode(record).unwrap().get("n").unwrap().as_u64().unwrap()
}

/// Status line and body of a GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

/// Waits for a condition, with a deadline that says what was waited for.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
