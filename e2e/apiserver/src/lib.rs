//! A real kube-apiserver with an etcd of its own, for tests: admission, schema, CEL, server-side apply and RBAC are those
//! of a cluster. There is no kubelet and no controller: Deployments make no pods, nothing is garbage-collected, and a
//! namespace has no default ServiceAccount.
//!
//! How it lives: a small shell watches over both processes and ends them, and their folder, when the test process is
//! gone, however it went. So one server may be shared by all tests of a program ([`ApiServer::shared`]).
//! How it fails: a missing program is named together with the line that installs it.
#![deny(missing_docs)]

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Time that the API server has until it says it is ready.
const START: Duration = Duration::from_secs(90);
/// Token of the user who may do everything.
const ADMIN_TOKEN: &str = "admin-of-a-test";

/// Why there is no API server.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// A program of the tool set is missing.
    #[error("{0} is missing; run: make tools")]
    Missing(PathBuf),
    /// A program of the system is missing.
    #[error("{0} is missing; run: apt-get install -y {0}")]
    MissingPackage(&'static str),
    /// A file could not be written or a process not started.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not take a resource definition.
    #[error("the resource definition of {resource} is not served: {said}")]
    Definition {
        /// What it defines.
        resource: String,
        /// What kubectl said last.
        said: String,
    },
    /// It did not become ready.
    #[error("kube-apiserver was not ready within {START:?}; its log ends with:\n{0}")]
    Silent(String),
}

/// A running API server. Dropping it ends the processes and removes their folder.
#[derive(Debug)]
pub struct ApiServer {
    /// Removed by the watching shell; kept here for its path.
    folder: PathBuf,
    watch: Child,
    port: u16,
    audit: Mutex<Audit>,
}

/// What was read of the audit log so far.
#[derive(Debug, Default)]
struct Audit {
    offset: u64,
    by_user: HashMap<String, Vec<serde_json::Value>>,
}

impl ApiServer {
    /// Starts etcd and the API server and waits until it is ready.
    pub fn start() -> Result<Self, ApiServerError> {
        let mut last = ApiServerError::Silent(String::new());
        // A free port may be taken by somebody else before the server binds it.
        for _ in 0..3 {
            match Self::attempt() {
                Err(error @ ApiServerError::Silent(_)) => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    /// The server that all tests of this program share, started by the first who asks.
    pub fn shared() -> Result<&'static Self, &'static ApiServerError> {
        static SHARED: OnceLock<Result<ApiServer, ApiServerError>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    fn attempt() -> Result<Self, ApiServerError> {
        let folder: TempDir = tempfile::Builder::new().prefix("apiserver").tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        write_files(folder.path(), port)?;
        let watch = Command::new("sh")
            .arg("-c")
            .arg(WATCH)
            .arg("watch")
            .args([tool("etcd")?, tool("kube-apiserver")?])
            .arg(port.to_string())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { folder: folder.keep(), watch, port, audit: Mutex::default() };
        server.ready()?;
        Ok(server)
    }

    fn ready(&self) -> Result<(), ApiServerError> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            // The certificate is written once the server runs; kubectl fails until then.
            if self.kubectl(["get", "--raw", "/readyz"], "")?.status.success() {
                return Ok(());
            }
            if self.folder.join("ended").exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.folder.join("apiserver.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(8).collect();
        Err(ApiServerError::Silent(last.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// PEM with the authority that signed the server's certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("pki/apiserver.crt")
    }

    /// Token of a user in the group `system:masters`.
    #[must_use]
    pub fn admin_token(&self) -> &'static str {
        ADMIN_TOKEN
    }

    /// kubeconfig of that user.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Runs kubectl as the admin with `input` on its standard input.
    pub fn kubectl<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Result<Output, ApiServerError> {
        let mut child = Command::new(tool("kubectl")?)
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(["--cache-dir", "kubectl-cache"])
            .args(args)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // kubectl that ends before it reads everything has said why on its standard error.
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(child.wait_with_output()?)
    }

    /// Applies a resource definition and waits until its objects (`<plural>.<group>`) are served. What kubectl warned about.
    pub fn define(&self, definition: &str, resource: &str) -> Result<String, ApiServerError> {
        let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
        let refused = |said| ApiServerError::Definition { resource: resource.to_owned(), said };
        let applied = self.kubectl(["apply", "--server-side", "-f", "-"], definition)?;
        if !applied.status.success() {
            return Err(refused(said(&applied)));
        }
        let deadline = Instant::now() + START;
        loop {
            // Established, and found by clients: the one comes a moment after the other.
            let listed = self.kubectl(["get", resource, "--all-namespaces"], "")?;
            if listed.status.success() {
                return Ok(said(&applied));
            }
            if Instant::now() > deadline {
                return Err(refused(said(&listed)));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What a ServiceAccount (`system:serviceaccount:<namespace>:<name>`) asked of the server since it started: its lines of
    /// the audit log, one JSON object each. Each call reads on where the last one ended, so it may be called often.
    pub fn audit(&self, user: &str) -> Result<Vec<serde_json::Value>, ApiServerError> {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = fs::File::open(self.folder.join("audit.log"))?;
        file.seek(SeekFrom::Start(audit.offset))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        // The last line may be half written.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        text.truncate(whole);
        audit.offset += u64::try_from(whole).unwrap_or(0);
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).map_err(io::Error::from)?;
            let name = line.pointer("/user/username").and_then(serde_json::Value::as_str).unwrap_or_default();
            audit.by_user.entry(name.to_owned()).or_default().push(line);
        }
        Ok(audit.by_user.get(user).cloned().unwrap_or_default())
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Nobody is left to tell.
        let _ = self.watch.wait();
    }
}

/// Ends both servers and removes their folder when standard input ends, that is when the test process is gone.
const WATCH: &str = r#"
trap '' INT TERM HUP
dir=$(pwd)
"$1" --data-dir etcd --listen-client-urls "unix://$dir/c.sock" --advertise-client-urls "unix://$dir/c.sock" \
  --listen-peer-urls "unix://$dir/p.sock" --initial-advertise-peer-urls "unix://$dir/p.sock" \
  --initial-cluster "default=unix://$dir/p.sock" --unsafe-no-fsync </dev/null >etcd.log 2>&1 &
etcd=$!
"$2" --etcd-servers "unix://$dir/c.sock" --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$3" \
  --cert-dir pki --service-cluster-ip-range 203.0.113.0/24 --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file sa.pub --service-account-signing-key-file sa.key --token-auth-file tokens.csv \
  --authorization-mode RBAC --disable-admission-plugins ServiceAccount --audit-policy-file audit.yaml \
  --audit-log-path audit.log --endpoint-reconciler-type none --enable-priority-and-fairness=false </dev/null >apiserver.log 2>&1 &
api=$!
(while kill -0 $api 2>/dev/null; do sleep 0.2; done; touch ended) </dev/null >/dev/null 2>&1 &
look=$!
read -r _
kill -KILL $look $api $etcd 2>/dev/null
wait
cd / && rm -rf "$dir"
"#;

const AUDIT: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, userGroups: [\"system:serviceaccounts\"]}
- {level: None}
";

fn write_files(folder: &Path, port: u16) -> Result<(), ApiServerError> {
    fs::create_dir(folder.join("pki"))?;
    fs::write(folder.join("audit.yaml"), AUDIT)?;
    fs::write(folder.join("tokens.csv"), format!("{ADMIN_TOKEN},admin,admin,\"system:masters\"\n"))?;
    fs::write(
        folder.join("kubeconfig"),
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: pki/apiserver.crt}}}}]\n\
             users: [{{name: admin, user: {{token: {ADMIN_TOKEN}}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]\n"
        ),
    )?;
    openssl(folder, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key"])?;
    openssl(folder, &["ec", "-in", "sa.key", "-pubout", "-out", "sa.pub"])
}

fn openssl(folder: &Path, args: &[&str]) -> Result<(), ApiServerError> {
    match Command::new("openssl").args(args).current_dir(folder).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ApiServerError::MissingPackage("openssl")),
        Err(error) => Err(error.into()),
    }
}

/// A program of `make tools`, or the one that the environment names (`KUBE_APISERVER`, `ETCD`, `KUBECTL`).
fn tool(name: &str) -> Result<PathBuf, ApiServerError> {
    let variable = name.to_uppercase().replace('-', "_");
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools").join(name);
    let path = std::env::var_os(variable).map_or(made, PathBuf::from);
    if path.is_file() { Ok(path) } else { Err(ApiServerError::Missing(path)) }
}
