//! A real server with a stream as fluxrig makes it, the stores of the product, and a gear on it.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{
    HeaderMap,
    jetstream::{self, Context, consumer, stream},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use gear_config::{Deliver, Identity, Input, Nats, Span};
use gear_stream::{Counts, Ended, Monitor, Settings, Stream, Tuning};
use nats_broker::Broker;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::gear::Script;

pub(crate) const STREAM: &str = "flux-msg";
pub(crate) const INPUT: &str = "flux.msg.edge.line-in.out";
pub(crate) const OUTPUT: &str = "flux.msg.edge.script.out";
pub(crate) const LETTERS: &str = "flux.dlq.payments.script";
pub(crate) const DURABLE: &str = "wasmgear_0a1b2c3d_payments_script";

/// Waits for a condition, with a deadline that says what was waited for.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) struct Rig {
    pub(crate) broker: Broker,
    pub(crate) settings: Settings,
}

/// A gear that runs.
pub(crate) struct Running {
    pub(crate) monitor: Monitor,
    pub(crate) script: Arc<Script>,
    stop: CancellationToken,
    task: JoinHandle<Ended>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let rig = Self::bare("");
        rig.make_stream().await;
        rig.make_stores().await;
        rig
    }

    /// Without streams.
    pub(crate) fn bare(extra: &str) -> Self {
        let broker = Broker::start_with(extra).unwrap();
        let settings = settings(broker.url());
        Self { broker, settings }
    }

    pub(crate) async fn admin(&self) -> Context {
        // A server without users takes them, too.
        let options = async_nats::ConnectOptions::with_user_and_password("admin".into(), "admin".into());
        let client = options.connect(self.broker.url()).await.unwrap();
        jetstream::new(client)
    }

    pub(crate) async fn make_stream(&self) {
        let subjects = ["msg", "agent", "rack", "ctrl"].map(|kind| format!("flux.{kind}.>")).to_vec();
        let config = stream::Config {
            name: STREAM.into(),
            subjects,
            max_age: Duration::from_hours(24),
            max_bytes: 1 << 30,
            ..Default::default()
        };
        self.admin().await.create_stream(config).await.unwrap();
    }

    pub(crate) async fn make_stores(&self) {
        gear_nats::provision::init(&self.admin().await, 1).await.unwrap();
    }

    /// Publishes inputs and waits until all are stored.
    pub(crate) async fn feed<T: Into<Bytes>>(&self, texts: impl IntoIterator<Item = T>) {
        let context = self.admin().await;
        let mut acks = Vec::new();
        for text in texts {
            acks.push(context.publish(INPUT, text.into()).await.unwrap());
            if acks.len() == 1000 {
                for ack in acks.drain(..) {
                    ack.await.unwrap();
                }
            }
        }
        for ack in acks {
            ack.await.unwrap();
        }
    }

    pub(crate) fn start(&self, script: &Arc<Script>) -> Running {
        start(script, self.settings.clone())
    }

    /// All messages of a subject, in order.
    pub(crate) async fn read(&self, stream: &str, subject: &str) -> Vec<jetstream::Message> {
        let stream = self.admin().await.get_stream(stream).await.unwrap();
        let config = consumer::pull::Config {
            filter_subject: subject.into(),
            ack_policy: consumer::AckPolicy::None,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut all = Vec::new();
        while usize::try_from(consumer.cached_info().num_pending).unwrap() > all.len() {
            let batch = consumer.fetch().max_messages(1000).messages().await.unwrap();
            all.extend(batch.try_collect::<Vec<_>>().await.unwrap());
        }
        all
    }

    pub(crate) async fn outputs(&self) -> Vec<jetstream::Message> {
        self.read(STREAM, OUTPUT).await
    }

    pub(crate) async fn letters(&self) -> Vec<jetstream::Message> {
        self.read("flux-dlq", LETTERS).await
    }

    pub(crate) async fn consumer(&self) -> consumer::Info {
        self.admin().await.get_stream_no_info(STREAM).await.unwrap().consumer_info(DURABLE).await.unwrap()
    }

    /// How often each body came out.
    pub(crate) async fn bodies(&self) -> BTreeMap<String, u32> {
        let mut bodies = BTreeMap::new();
        for message in self.outputs().await {
            *bodies.entry(String::from_utf8(message.payload.to_vec()).unwrap()).or_default() += 1;
        }
        bodies
    }

    /// Every one of `n 0` to `n <count - 1>` came out exactly once.
    pub(crate) async fn each_once(&self, count: usize) {
        let bodies = self.bodies().await;
        let wrong: Vec<_> =
            (0..count).map(|n| format!("n {n}")).filter(|body| bodies.get(body) != Some(&1)).take(5).collect();
        assert!(wrong.is_empty() && bodies.len() == count, "{wrong:?} of {} bodies", bodies.len());
    }
}

/// Runs a gear with settings of its own.
pub(crate) fn start(script: &Arc<Script>, settings: Settings) -> Running {
    let stream = Stream::new(settings, Arc::clone(script));
    let (monitor, stop) = (stream.monitor(), CancellationToken::new());
    let run = stream.run(stop.clone(), Duration::from_secs(5));
    #[allow(clippy::disallowed_methods, reason = "the handle is kept: ended or aborted by the test")]
    let task = tokio::spawn(run);
    Running { monitor, script: Arc::clone(script), stop, task }
}

pub(crate) fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("n {n}")).collect()
}

pub(crate) fn header(headers: Option<&HeaderMap>, name: &str) -> Option<String> {
    headers?.get(name).map(ToString::to_string)
}

pub(crate) fn settings(url: String) -> Settings {
    let identity = Identity {
        cluster_id: "0a1b2c3d".into(),
        namespace: "payments".into(),
        name: "script".into(),
        uid: "7f6c".into(),
    };
    let input = Input {
        stream: STREAM.into(),
        subjects: vec![INPUT.into()],
        deliver: Deliver::All,
        ack_wait: Span::from_secs(2),
        ordered: false,
        forget_after: Span::from_secs(3600),
        max_ack_pending: 4096,
        generation: 1,
    };
    let tuning = Tuning {
        answer: Duration::from_secs(1),
        hold_retry: Duration::from_millis(100),
        hold_limit: Duration::from_secs(2),
        pull_expires: Duration::from_secs(3),
        heartbeat: Duration::from_millis(500),
        ..Tuning::default()
    };
    Settings { identity, input, nats: Nats { url, ..Nats::default() }, version: "0.1.0".into(), tuning }
}

impl Running {
    pub(crate) fn counts(&self) -> Counts {
        self.monitor.counts()
    }

    /// Waits until so many deliveries are done, whatever became of them.
    pub(crate) async fn done(&self, count: u64) {
        until(&format!("{count} deliveries done"), || async {
            let ledger = self.monitor.ledger();
            assert!(ledger.balances(), "{ledger:?}");
            ledger.received - ledger.in_flight >= count && ledger.in_flight == 0
        })
        .await;
    }

    pub(crate) async fn problem(&self, reason: &str) {
        until(&format!("the problem {reason}"), || async {
            self.monitor.status().problem.is_some_and(|problem| problem.reason == reason)
        })
        .await;
    }

    pub(crate) async fn well(&self) {
        until("connected without a problem", || async {
            let status = self.monitor.status();
            status.connected && status.problem.is_none()
        })
        .await;
    }

    /// Ends it as SIGTERM does.
    pub(crate) async fn stop(self) -> Ended {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap();
        let ledger = self.monitor.ledger();
        assert!(ledger.balances() && ledger.in_flight == 0 && ledger.outputs_in_flight == 0, "{ledger:?}");
        ended
    }

    /// Ends it as SIGKILL does: nothing is said to anybody.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
