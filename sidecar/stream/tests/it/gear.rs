//! A gear for tests: what it does is written in the message.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gear_config::{Retry, Span};
use gear_stream::{Failure, Gear, Input, Outcome, Output, RevisionTag, Verdict};

/// `echo`, `fan <n>`, `drop`, `reject`, `port`, `probe`, `malformed`, `trap`, `large`, `slow <ms>`; anything else is echoed.
pub(crate) struct Script {
    pub(crate) revision: Arc<RevisionTag>,
    pub(crate) calls: AtomicU64,
    /// Calls now, and the most there ever were at once.
    pub(crate) running: (AtomicU64, AtomicU64),
    pub(crate) prefix: String,
}

impl Script {
    pub(crate) fn new(attempts: u32) -> Arc<Self> {
        Self::with_prefix(attempts, "flux.msg.edge.script")
    }

    pub(crate) fn with_prefix(attempts: u32, prefix: &str) -> Arc<Self> {
        let retry = Retry { attempts, backoff: Span::from_millis(20), max_backoff: Span::from_millis(80) };
        let digest = format!("sha256:{}", "0".repeat(64));
        Arc::new(Self {
            revision: Arc::new(RevisionTag { name: "r1-00000000".into(), digest, retry }),
            calls: AtomicU64::new(0),
            running: (AtomicU64::new(0), AtomicU64::new(0)),
            prefix: prefix.to_owned(),
        })
    }

    fn output(&self, input: &Input, port: &str, index: usize, payload: Bytes) -> Output {
        let subject = format!("{}.{port}", self.prefix);
        let message_id = format!("{}-{subject}@{}.{:x}.{index}", input.sequence, input.sequence, input.timestamp);
        Output { subject: subject.into(), message_id, payload }
    }

    fn outcome(&self, input: &Input) -> (Outcome, Duration) {
        let text = String::from_utf8_lossy(&input.payload).into_owned();
        let (word, number) = text.split_once(' ').unwrap_or((&text, ""));
        let number: u64 = number.trim().parse().unwrap_or(1);
        let echo = |index| self.output(input, "out", index, input.payload.clone());
        let outcome = match word {
            "drop" => Outcome::Drop,
            "probe" => Outcome::Probe,
            "reject" => Outcome::Reject { code: 1, reason: "not today".into(), to_port: None },
            "port" => Outcome::Reject {
                code: 7,
                reason: "not today".into(),
                to_port: Some(self.output(input, "error", 0, input.payload.clone())),
            },
            "malformed" => Outcome::Malformed { detail: "no record\nat all".into() },
            "trap" => Outcome::Failed { failure: Failure::Trap, detail: "unreachable".into() },
            "fan" => Outcome::Emit((0..usize::try_from(number).unwrap()).map(echo).collect()),
            "none" => Outcome::Emit(Vec::new()),
            "large" => Outcome::Emit(vec![echo(0), self.output(input, "out", 1, vec![0; 1 << 20].into())]),
            _ => Outcome::Emit(vec![echo(0)]),
        };
        (outcome, Duration::from_millis(if word == "slow" { number } else { 0 }))
    }
}

impl Gear for Script {
    fn revision(&self, _: &Input) -> Arc<RevisionTag> {
        Arc::clone(&self.revision)
    }

    fn process(&self, input: Input) -> impl Future<Output = Verdict> + Send {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (outcome, pause) = self.outcome(&input);
        let revision = Arc::clone(&self.revision);
        async move {
            let (now, most) = &self.running;
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            now.fetch_sub(1, Ordering::Relaxed);
            Verdict { revision, outcome, trace: Some("00-0-0-01".into()) }
        }
    }
}
