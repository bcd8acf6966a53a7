//! A real `nats-server` process for a test: own port, own store, gone when dropped.
//!
//! What it is not: a twin. Tests of the stream talk to the program that users run.
//! How it fails: when the program is missing, with the command that installs it.
#![deny(missing_docs)]

use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longest wait for a server to listen.
const START: Duration = Duration::from_secs(20);

/// What went wrong while a server was started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The program is not there.
    #[error("nats-server is not at {0}; install it with: make tools")]
    Missing(PathBuf),
    /// A file of the server could not be written or read, or the process not be started.
    #[error("nats-server: {0}")]
    Io(#[from] io::Error),
    /// It did not listen in time.
    #[error("nats-server did not listen within {START:?}; its log ends with:\n{0}")]
    Silent(String),
}

/// A running server. Dropping it kills the process and removes its store.
#[derive(Debug)]
pub struct Broker {
    folder: TempDir,
    child: Option<Child>,
    port: u16,
}

impl Broker {
    /// Starts a server with JetStream and no authentication.
    pub fn start() -> Result<Self, BrokerError> {
        Self::start_with("")
    }

    /// Starts a server whose configuration ends with `extra` (the syntax of nats-server's configuration file). The
    /// text `$DIR` in it stands for the server's own folder.
    pub fn start_with(extra: &str) -> Result<Self, BrokerError> {
        let mut broker = Self { folder: tempfile::tempdir()?, child: None, port: 0 };
        let dir = broker.folder.path().display().to_string();
        let config = format!(
            "listen: \"127.0.0.1:-1\"\njetstream {{ store_dir: \"{dir}/store\" }}\nports_file_dir: \"{dir}\"\nlogfile: \"{dir}/log\"\n{}\n",
            extra.replace("$DIR", &dir)
        );
        fs::write(broker.folder.path().join("nats.conf"), config)?;
        broker.resume()?;
        Ok(broker)
    }

    /// `nats://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Port that clients connect to; the same after [`Broker::resume`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Folder with the server's configuration, log and store.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Process id of the running server.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills the server with SIGKILL, as a power cut would; store and port stay.
    pub fn kill(&mut self) -> Result<(), BrokerError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts the server again on the same store and, after the first start, the same port.
    pub fn resume(&mut self) -> Result<(), BrokerError> {
        self.kill()?;
        let program = program();
        if !program.is_file() {
            return Err(BrokerError::Missing(program));
        }
        let mut command = Command::new(program);
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        if self.port != 0 {
            command.args(["-p", &self.port.to_string()]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let ports = self.folder.path().join(format!("nats-server_{}.ports", child.id()));
        self.child = Some(child);
        self.port = self.listening(&ports)?;
        Ok(())
    }

    fn listening(&self, ports: &Path) -> Result<u16, BrokerError> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if let Some(port) = fs::read_to_string(ports).ok().as_deref().and_then(port_of)
                && TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
            {
                return Ok(port);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        Err(BrokerError::Silent(last.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The process may be gone already; there is nobody left to tell.
        let _ = self.kill();
    }
}

/// `nats-server` of `make tools`, or the one that `NATS_SERVER` names.
fn program() -> PathBuf {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/nats-server");
    std::env::var_os("NATS_SERVER").map_or(made, PathBuf::from)
}

/// The ports file is JSON: `{"nats":["nats://127.0.0.1:41234"], …}`, with `tls://` where the server asks for TLS.
fn port_of(json: &str) -> Option<u16> {
    let (_, rest) = json.split_once("://")?;
    let (address, _) = rest.split_once('"')?;
    address.rsplit_once(':')?.1.parse().ok()
}
