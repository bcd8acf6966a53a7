//! The real program, as the kubelet starts it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Instant,
};

use gear_config::status::{LedgerStatus, SidecarStatus};
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, get, until};

/// A running sidecar; killed when dropped.
pub(crate) struct Sidecar {
    child: Child,
    probes: SocketAddr,
    status: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Sidecar {
    /// Starts the program and waits until it says where its ports are.
    pub(super) fn start(args: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wasmgear-sidecar"))
            .args(args)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (sender, listening) = mpsc::channel();
        let (output, lines) = (child.stdout.take().unwrap(), Arc::clone(&log));
        let reader = std::thread::spawn(move || read(output, &lines, &sender));
        let (probes, status) = listening.recv_timeout(PATIENCE).unwrap();
        Self { child, probes, status, log, reader: Some(reader) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Status line and body of a GET on the port of probes and metrics.
    pub(crate) fn get(&self, path: &str) -> (String, String) {
        get(self.probes, path)
    }

    pub(crate) fn status(&self) -> SidecarStatus {
        let (line, body) = get(self.status, "/status");
        assert!(line.contains(" 200 "), "{line}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn ready(&self) {
        until("readiness", async || self.get("/readyz").0.contains(" 200 ")).await;
    }

    /// Waits until the pod is unready for this reason; the sentence.
    pub(crate) async fn unready(&self, reason: &str) -> String {
        let mut told = None;
        until(&format!("reason {reason}"), async || {
            told = self.status().not_ready.filter(|problem| problem.reason == reason);
            told.is_some()
        })
        .await;
        told.unwrap().message
    }

    /// Waits until the ledger says so; whenever it is asked it balances.
    pub(crate) async fn ledger(&self, what: &str, wanted: impl Fn(&LedgerStatus) -> bool) {
        until(what, async || {
            let ledger = self.status().ledger;
            assert!(ledger.balances(), "{ledger:?}");
            wanted(&ledger)
        })
        .await;
    }

    /// A figure of `/metrics`, with its labels as they stand there.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let (_, page) = self.get("/metrics");
        let line = page.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// As a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as the kubelet does.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Asks it to end, waits, and gives its exit code.
    pub(crate) fn stop(self) -> i32 {
        self.end().0
    }

    /// Asks it to end, waits, and gives its exit code and all that it logged.
    pub(crate) fn end(mut self) -> (i32, String) {
        self.terminate();
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (status.code().unwrap_or(-1), self.log())
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        if std::thread::panicking() {
            eprintln!("the sidecar said:\n{}", self.log());
        }
    }
}

/// Collects lines; the one that names the ports goes to whoever waits for it.
fn read(output: ChildStdout, lines: &Mutex<Vec<String>>, listening: &mpsc::Sender<(SocketAddr, SocketAddr)>) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { return };
        let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if json["message"] == "listening" {
            let address = |key: &str| json[key].as_str().unwrap().parse().unwrap();
            // Nobody waits any more when the test gave up.
            let _ = listening.send((address("probes"), address("status")));
        }
        lines.lock().unwrap().push(line);
    }
}
