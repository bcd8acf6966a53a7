//! One namespace with an operator of its own, under exactly the rights that the chart gives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    future::Future,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use apiserver::ApiServer;
use clap::Parser as _;
use k8s_openapi::api::{
    authorization::v1::SubjectAccessReview,
    core::v1::{Namespace, ServiceAccount},
    events::v1::Event,
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use nats_broker::Broker;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinSet};
use wasmgear_crds::WasmGear;
use wasmgear_operator::{Args, Operator, Pace, RunError, Settings};

use crate::cluster::Cluster;

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) namespace: String,
    pub(crate) client: Client,
    pub(crate) cluster: Cluster,
    pub(crate) broker: Broker,
    pub(crate) folder: TempDir,
    pub(crate) account: String,
    config: Config,
    operators: JoinSet<Result<(), RunError>>,
    stops: Vec<oneshot::Sender<()>>,
    pub(crate) modules: Option<std::net::SocketAddr>,
    pub(crate) admin: Option<std::net::SocketAddr>,
}

/// How a world differs from the usual one.
#[derive(Default)]
pub(crate) struct Odd {
    /// Allow rules.
    pub(crate) tenants: Option<Value>,
    /// A verb that is taken out of the chart's roles.
    pub(crate) without: Option<Right>,
}

/// One verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    pub(crate) resource: String,
    pub(crate) verb: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::odd(Odd::default()).await
    }

    pub(crate) async fn odd(odd: Odd) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let namespace = format!("world-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = installed().await;
        let admin = admin_config(server).await;
        let client = Client::try_from(admin.clone()).unwrap();
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted", "world": namespace });
        let object = serde_json::from_value(json!({ "metadata": { "name": namespace, "labels": labels } })).unwrap();
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let account = grant(server, &namespace, &odd);
        granted(&client, &namespace, &account).await;
        let mut config = admin;
        config.auth_info.token = Some(token(&client, &namespace, &account).await.into());
        let world = Self {
            cluster: Cluster::new(client.clone(), &namespace).await,
            broker: Broker::start().unwrap(),
            namespace,
            client,
            folder,
            account,
            config,
            operators: JoinSet::new(),
            stops: Vec::new(),
            modules: None,
            admin: None,
        };
        world.registries(&[("files", "urn:wasm:local/", "folder"), ("nats", "urn:wasm:", "nats")]);
        if let Some(tenants) = odd.tenants {
            std::fs::write(world.folder.path().join("tenants.json"), tenants.to_string()).unwrap();
        }
        world
    }

    /// The list of registries, from the next operator on.
    pub(crate) fn registries(&self, list: &[(&str, &str, &str)]) {
        let source = |kind: &str| match kind {
            "folder" => json!({ "kind": "folder", "path": self.folder.path().join("modules") }),
            kind => json!({ "kind": kind }),
        };
        let list: Vec<Value> = list
            .iter()
            .map(|(name, prefix, kind)| json!({ "name": name, "match": prefix, "source": source(kind) }))
            .collect();
        std::fs::write(self.folder.path().join("registries.json"), Value::from(list).to_string()).unwrap();
    }

    /// Flags of an operator.
    fn args(&self, pod: &str) -> Vec<String> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let mut args = vec!["x".to_owned()];
        args.extend(["--namespace", &self.namespace, "--watch-namespace", &self.namespace].map(ToOwned::to_owned));
        args.extend(["--pod-name", pod, "--lease", &self.account].map(ToOwned::to_owned));
        args.extend(
            ["--sidecar-image", "wasmgear-sidecar:test", "--nats-url", &self.broker.url()].map(ToOwned::to_owned),
        );
        args.extend(["--registries".to_owned(), file("registries.json"), "--init-nats".to_owned()]);
        args.extend(["--modules-url", "http://operator:8083"].map(ToOwned::to_owned));
        if Path::new(&file("tenants.json")).exists() {
            args.extend(["--tenants".to_owned(), file("tenants.json")]);
        }
        args
    }

    pub(crate) fn settings(&self, pod: &str) -> Settings {
        let mut settings = Settings::new(&Args::try_parse_from(self.args(pod)).unwrap()).unwrap();
        (settings.admin_port, settings.modules_port) = (0, 0);
        settings.pace = Pace {
            busy: Duration::from_millis(100),
            rest: Duration::from_secs(2),
            resync: Duration::from_mins(10),
            silence: Duration::from_mins(1),
            backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(1),
            // As long as in life: a machine that is busy with other tests must not look like a leader that is gone.
            lease: Pace::default().lease,
            farewell: Duration::from_secs(2),
        };
        settings
    }

    /// Starts an operator.
    pub(crate) async fn operate(&mut self) {
        let settings = self.settings("operator-a");
        self.operate_as(settings).await;
    }

    pub(crate) async fn operate_as(&mut self, settings: Settings) {
        let operator = Operator::prepare(settings, self.config.clone()).await.unwrap();
        self.admin = operator.admin_address().ok();
        self.modules = operator.modules_address();
        let (stop, stopped) = oneshot::channel();
        self.stops.push(stop);
        self.operators.spawn(async move {
            let shutdown = async move {
                let _ = stopped.await;
            };
            operator.run(None, Box::pin(shutdown)).await
        });
    }

    /// Starts the program itself, under the same rights.
    pub(crate) async fn program(&self, pod: &str) -> Program {
        let server = installed().await;
        let token = token(&self.client, &self.namespace, &self.account).await;
        let kubeconfig = self.folder.path().join("kubeconfig");
        let text = json!({ "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{ "name": "x", "cluster": { "server": server.url(), "certificate-authority": server.ca() } }],
            "users": [{ "name": "x", "user": { "token": token } }],
            "contexts": [{ "name": "x", "context": { "cluster": "x", "user": "x" } }] });
        std::fs::write(&kubeconfig, text.to_string()).unwrap();
        let log = self.folder.path().join(format!("{pod}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_wasmgear-operator"))
            .args(self.args(pod).into_iter().skip(1))
            .args(["--admin-port", "0", "--modules-port", "0"])
            .env("KUBECONFIG", kubeconfig)
            .stdout(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Program { child, log }
    }

    /// Stops the operators in order and waits until they ended.
    pub(crate) async fn stop(&mut self) {
        self.stops.clear();
        while let Some(ended) = self.operators.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    /// Stops the operator that was started first and waits until it ended.
    pub(crate) async fn stop_first(&mut self) {
        drop(self.stops.remove(0));
        self.ended().await.unwrap();
    }

    /// The next operator that ends.
    pub(crate) async fn ended(&mut self) -> Result<(), RunError> {
        self.operators.join_next().await.unwrap().unwrap()
    }

    /// Ends the operators as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.operators.abort_all();
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies a gear: the smallest useful one with `spec` merged into it.
    pub(crate) async fn gear(&self, name: &str, spec: Value) -> WasmGear {
        let mut object = json!({
            "apiVersion": "gears.fluxrig.org/v1alpha1", "kind": "WasmGear", "metadata": { "name": name },
            "spec": { "module": "urn:wasm:local/good:v1", "input": { "rack": "edge-a", "gear": "line-in" },
                      "output": { "rack": self.namespace } },
        });
        for (field, value) in spec.as_object().unwrap() {
            object["spec"][field] = value.clone();
        }
        let params = PatchParams::apply("person").force();
        self.api().patch(name, &params, &Patch::Apply(&object)).await.unwrap()
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.api::<WasmGear>().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Puts a module into the folder registry, as `urn:wasm:local/<name>:<version>`.
    pub(crate) fn module(&self, name: &str, version: &str, bytes: &[u8]) {
        let folder = self.folder.path().join("modules/local").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(version), bytes).unwrap();
    }

    /// Waits until a condition of a gear says this.
    pub(crate) async fn until(&self, gear: &str, kind: &str, words: &str) -> WasmGear {
        let found = wait(&format!("{gear}: {kind}={words}"), || async {
            let gear = self.api::<WasmGear>().get(gear).await.ok()?;
            (said(&gear, kind) == words).then_some(gear)
        })
        .await;
        match found {
            Ok(gear) => gear,
            Err(waited) => {
                let gear = self.api::<WasmGear>().get(gear).await.unwrap();
                panic!("{waited}; it is {}: {:#?}", said(&gear, kind), gear.status)
            }
        }
    }

    /// Waits until an object is there that satisfies.
    pub(crate) async fn object<K>(&self, name: &str, good: impl Fn(&K) -> bool) -> K
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let what = format!("{} {name}", K::kind(&()));
        wait(&what, || async { self.api::<K>().get_opt(name).await.unwrap().filter(|found| good(found)) })
            .await
            .unwrap()
    }

    /// Reasons of the Events about a gear.
    pub(crate) async fn events(&self, gear: &str) -> Vec<String> {
        let events = self.api::<Event>().list(&ListParams::default()).await.unwrap();
        let about = events
            .into_iter()
            .filter(|event| event.regarding.as_ref().is_some_and(|object| object.name.as_deref() == Some(gear)));
        about.filter_map(|event| event.reason).collect()
    }

    /// What the operator of this world asked of the API server: (verb, resource, name, HTTP status).
    pub(crate) async fn asked(&self) -> Vec<Asked> {
        let user = format!("system:serviceaccount:{}:{}", self.namespace, self.account);
        installed().await.audit(&user).unwrap().iter().map(Asked::of).collect()
    }

    /// What the operator answers on its admin port: status line, headers and body.
    pub(crate) async fn admin(&self, path: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let port = self.admin.unwrap().port();
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }
}

/// The program, running.
pub(crate) struct Program {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Program {
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Where it says that its admin port is.
    pub(crate) async fn admin(&self) -> std::net::SocketAddr {
        wait("the program says its port", || async {
            let lines = self.log();
            let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut ports = lines.filter_map(|line| line["admin"].as_str()?.parse::<std::net::SocketAddr>().ok());
            let port = ports.next()?;
            Some(std::net::SocketAddr::from(([127, 0, 0, 1], port.port())))
        })
        .await
        .unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.operators.abort_all();
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) right: Right,
    pub(crate) code: u64,
}

impl Asked {
    fn of(line: &Value) -> Self {
        let text = |path: &str| line.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let subresource = text("/objectRef/subresource");
        let resource = match subresource.as_str() {
            "" => text("/objectRef/resource"),
            sub => format!("{}/{sub}", text("/objectRef/resource")),
        };
        Self {
            right: Right { resource, verb: text("/verb") },
            code: line["responseStatus"]["code"].as_u64().unwrap_or(0),
        }
    }

    /// The rights that it took. An apply that makes the object needs two.
    pub(crate) fn took(self) -> Vec<Right> {
        let made = self.right.verb == "patch" && self.code == 201;
        let create = made.then(|| Right { verb: "create".to_owned(), ..self.right.clone() });
        create.into_iter().chain([self.right]).collect()
    }

    pub(crate) fn writes(&self) -> bool {
        ["create", "update", "patch", "delete"].contains(&self.right.verb.as_str()) && self.right.resource != "leases"
    }
}

/// `Status/Reason` of a condition, of the newest generation only.
pub(crate) fn said(gear: &WasmGear, kind: &str) -> String {
    let status = gear.status.clone().unwrap_or_default();
    if status.observed_generation != gear.metadata.generation {
        return "not seen".to_owned();
    }
    let condition = status.conditions.iter().find(|condition| condition.type_ == kind);
    condition.map_or_else(|| "absent".to_owned(), |c| format!("{}/{}", c.status, c.reason))
}

pub(crate) fn message(gear: &WasmGear, kind: &str) -> String {
    let status = gear.status.clone().unwrap_or_default();
    status.conditions.into_iter().find(|condition| condition.type_ == kind).map(|c| c.message).unwrap_or_default()
}

/// Waits for a condition, with a deadline that says what was waited for.
pub(crate) async fn wait<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<T, String> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if begun.elapsed() > DEADLINE {
            return Err(format!("not within {DEADLINE:?}: {what}"));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// The API server with the resource definition in it.
pub(crate) async fn installed() -> &'static ApiServer {
    tokio::task::spawn_blocking(|| {
        static ONCE: std::sync::Once = std::sync::Once::new();
        let server = ApiServer::shared().unwrap();
        ONCE.call_once(|| {
            let crd = wasmgear_crds::crd_yaml().unwrap();
            server.define(&crd, "wasmgears.gears.fluxrig.org").unwrap();
        });
        server
    })
    .await
    .unwrap()
}

async fn token(client: &Client, namespace: &str, account: &str) -> String {
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let request = serde_json::from_value(json!({ "spec": { "audiences": [] } })).unwrap();
    let made = api.create_token_request(account, &PostParams::default(), &request).await.unwrap();
    made.status.unwrap().token.unwrap()
}

async fn admin_config(server: &ApiServer) -> Config {
    let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
}

/// Stands for the namespace of any world in what helm renders.
const ANY: &str = "namespace-of-a-world";

/// What the chart renders, once for each set of allow rules: helm takes its time.
fn rendered(tenants: Option<&Value>) -> String {
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let values = json!({ "watchNamespaces": [ANY], "tenants": tenants.unwrap_or(&json!([])) }).to_string();
    let mut known = KNOWN.lock().unwrap();
    let render = || {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &values).unwrap();
        let (name, path) = (format!("{ANY}-wasmgear"), file.path().to_str().unwrap());
        helm(&["template", &name, &chart(), "--namespace", ANY, "--values", path]).unwrap()
    };
    known.entry(values.clone()).or_insert_with(render).clone()
}

/// Waits until the API server goes by the roles: it learns of them a moment after it stored them.
async fn granted(client: &Client, namespace: &str, account: &str) {
    let may = async |group: &str, resource: &str, verb: &str, name: &str, place: &str| {
        let attributes =
            json!({ "group": group, "resource": resource, "verb": verb, "name": name, "namespace": place });
        let user = format!("system:serviceaccount:{namespace}:{account}");
        let review = json!({ "spec": { "user": user, "resourceAttributes": attributes } });
        let review: SubjectAccessReview = serde_json::from_value(review).unwrap();
        let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await.unwrap();
        answer.status.is_some_and(|status| status.allowed)
    };
    // One of two, because a test may have taken the other away: of each binding.
    wait("the API server goes by the roles", || async {
        let gears = may("gears.fluxrig.org", "wasmgears", "get", "", namespace).await
            || may("gears.fluxrig.org", "wasmgears", "list", "", namespace).await;
        let lease = may("coordination.k8s.io", "leases", "get", account, namespace).await
            || may("coordination.k8s.io", "leases", "create", "", namespace).await;
        let cluster =
            may("", "namespaces", "get", "kube-system", "").await || may("", "namespaces", "list", "", "").await;
        (gears && lease && cluster).then_some(())
    })
    .await
    .unwrap();
}

/// Applies the chart's ServiceAccount and roles. Returns the account's name.
fn grant(server: &ApiServer, namespace: &str, odd: &Odd) -> String {
    let rendered = rendered(odd.tenants.as_ref()).replace(ANY, namespace);
    let mut roles = Vec::new();
    for document in rendered.split("\n---") {
        let Ok(mut object) = serde_saphyr::from_str::<Value>(document) else { continue };
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if kind.ends_with("Role") || kind.ends_with("Binding") || kind == "ServiceAccount" {
            for rule in object.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
                withhold(rule, odd.without.as_ref());
            }
            roles.push(object);
        }
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": roles });
    let output = server.kubectl(["apply", "--server-side", "-f", "-"], &list.to_string()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    format!("{namespace}-wasmgear-operator")
}

fn withhold(rule: &mut Value, without: Option<&Right>) {
    let Some(without) = without else { return };
    if rule["resources"].as_array().unwrap().iter().any(|resource| *resource == without.resource.as_str()) {
        rule["verbs"].as_array_mut().unwrap().retain(|verb| *verb != without.verb.as_str());
        if rule["verbs"].as_array().unwrap().is_empty() {
            // A rule without verbs is no rule.
            rule["verbs"] = json!(["bind"]);
        }
    }
}

/// Every right of the chart's roles.
pub(crate) fn rights(rendered: &str) -> Vec<Right> {
    let mut found = BTreeSet::new();
    for document in rendered.split("\n---") {
        let Ok(object) = serde_saphyr::from_str::<Value>(document) else { continue };
        for rule in object["rules"].as_array().into_iter().flatten() {
            for resource in rule["resources"].as_array().unwrap() {
                for verb in rule["verbs"].as_array().unwrap() {
                    let right = Right {
                        resource: resource.as_str().unwrap().to_owned(),
                        verb: verb.as_str().unwrap().to_owned(),
                    };
                    found.insert(right);
                }
            }
        }
    }
    found.into_iter().collect()
}

pub(crate) fn chart() -> String {
    format!("{}/../charts/wasmgear", env!("CARGO_MANIFEST_DIR"))
}

/// Runs helm; what it prints, or what it complains about.
pub(crate) fn helm(args: &[&str]) -> Result<String, String> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/helm");
    let program = std::env::var_os("HELM").map_or(made, PathBuf::from);
    assert!(program.is_file(), "{} is missing; run: make tools", program.display());
    let output = Command::new(program).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stdout) + &text(&output.stderr)) }
}

/// A module with what every gear has, and `more`.
pub(crate) fn wasm(more: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {more} (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) i32.const 8)
             (func (export "free") (param i32 i32)))"#
    );
    wat::parse_str(text).unwrap()
}

pub(crate) const PROCESS: &str = r#"(func (export "flux_process") (param i32 i32) (result i32) i32.const 0)"#;
