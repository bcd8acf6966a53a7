//! The parts put together, in the order in which they need each other.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use gear_supply::SupplyError;
use gear_telemetry::{FilterHandle, metrics::Registry};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    admin::{self, Health, Phase},
    backoff::{Backoff, jittered},
    bus::Bus,
    client,
    context::{Context, Standing},
    controller::{self, Scope},
    departure::{self, Leaver},
    failure::chain,
    lease::{Claimant, Lost},
    metrics::Metrics,
    modules::Modules,
    observe::{self, Observations},
    reconcile::apply::Forms,
};

/// Time that work in hand has to finish after a signal.
const FINISH: Duration = Duration::from_secs(10);
/// Pause between two attempts to reach something at the start.
const AGAIN: Duration = Duration::from_secs(2);

/// Why the operator ended, when nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A port is taken.
    #[error("port {port} can't be opened")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The client for the API server can't be made.
    #[error("no way to the API server")]
    Client(#[source] Box<kube::Error>),
    /// The registries contradict themselves.
    #[error(transparent)]
    Registries(#[from] SupplyError),
    /// Leadership is lost; another one goes on.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A part that must not end ended.
    #[error("{0} ended by itself")]
    Ended(&'static str),
}

/// An operator whose ports are open and which has not begun to work.
pub struct Operator {
    settings: Settings,
    client: Client,
    metrics: Metrics,
    registry: Arc<Registry>,
    modules: Arc<Modules>,
    bus: Arc<Bus>,
    health: Health,
    admin: TcpListener,
    module_port: Option<TcpListener>,
}

impl Operator {
    /// Opens ports and prepares what needs nobody.
    pub async fn prepare(settings: Settings, config: kube::Config) -> Result<Self, RunError> {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let bus = Arc::new(Bus::new(settings.nats.clone(), settings.gear_nats.js_domain.clone()));
        let modules = Modules::new(settings.registries.clone(), Arc::clone(&bus), metrics.clone())?;
        let module_port = if settings.serves_modules() { Some(open(settings.modules_port).await?) } else { None };
        Ok(Self {
            client: client::counted(config, metrics.clone()).map_err(|error| RunError::Client(Box::new(error)))?,
            admin: open(settings.admin_port).await?,
            registry: Arc::new(registry),
            modules: Arc::new(modules),
            health: Health::default(),
            settings,
            metrics,
            bus,
            module_port,
        })
    }

    /// Where probes and metrics are.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Where modules are, if the operator serves any.
    pub fn modules_address(&self) -> Option<SocketAddr> {
        self.module_port.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Works until `shutdown`: then finishes what is in hand and gives leadership back.
    pub async fn run(self, filter: Option<FilterHandle>, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let (admin, modules) = (self.admin_address().ok(), self.modules_address());
        tracing::info!(
            admin = admin.map(tracing::field::display),
            modules = modules.map(tracing::field::display),
            "ports are open"
        );
        let stop = CancellationToken::new();
        let mut ports = JoinSet::new();
        ports.spawn(admin::serve_admin(self.admin, self.health.clone(), self.registry, filter, stop.child_token()));
        if let Some(listener) = self.module_port {
            ports.spawn(admin::serve_modules(listener, Arc::clone(&self.modules), stop.child_token()));
        }
        let work = Work {
            settings: self.settings,
            client: self.client,
            metrics: self.metrics,
            modules: self.modules,
            bus: self.bus,
            health: self.health,
        };
        tokio::pin!(shutdown);
        let result = tokio::select! {
            result = work.lead(shutdown) => result,
            Some(_) = ports.join_next() => Err(RunError::Ended("a port")),
        };
        stop.cancel();
        result
    }
}

async fn open(port: u16) -> Result<TcpListener, RunError> {
    admin::open(port).await.map_err(|source| RunError::Port { port, source })
}

struct Work {
    settings: Settings,
    client: Client,
    metrics: Metrics,
    modules: Arc<Modules>,
    bus: Arc<Bus>,
    health: Health,
}

impl Work {
    /// Waits for leadership, leads, and gives it back.
    async fn lead(self, mut shutdown: impl Future<Output = ()> + Unpin) -> Result<(), RunError> {
        let settings = &self.settings;
        let claimant = Claimant::new(
            self.client.clone(),
            &settings.namespace,
            &settings.lease,
            &settings.pod_name,
            settings.pace.lease,
        );
        let cluster_id = tokio::select! {
            id = cluster_id(&self.client, settings.cluster_id.as_deref()) => id,
            () = &mut shutdown => return Ok(()),
        };
        self.health.set(Phase::Waiting);
        tokio::select! {
            () = claimant.acquire() => {}
            // A claim may have been made by the very last request.
            () = &mut shutdown => { claimant.release().await; return Ok(()); }
        }
        self.health.set(Phase::Reading);
        self.metrics.leads(true);
        tracing::info!(cluster_id, nats = self.bus.servers(), "leads");
        let stop = CancellationToken::new();
        let mut parts = self.begin(cluster_id, &stop);
        let result = tokio::select! {
            lost = claimant.keep() => Err(lost.into()),
            Some(ended) = parts.join_next() => Err(RunError::Ended(ended.unwrap_or("a part that panicked"))),
            () = &mut shutdown => Ok(()),
        };
        stop.cancel();
        if result.is_ok() {
            finish(&mut parts).await;
            claimant.release().await;
        }
        result
    }

    /// Starts every part of the work.
    fn begin(&self, cluster_id: String, stop: &CancellationToken) -> JoinSet<&'static str> {
        let (ctx, scopes, gone) = self.context(cluster_id);
        let mut parts = JoinSet::new();
        for scope in scopes {
            let (ctx, stop) = (Arc::clone(&ctx), stop.clone());
            parts.spawn(async move {
                controller::run(scope, ctx, stop).await;
                "the controller"
            });
        }
        let (probing, stopped) = (Arc::clone(&ctx), stop.clone());
        parts.spawn(async move {
            observe::run(probing, stopped).await;
            "the prober"
        });
        let (leaving, stopped) = (Arc::clone(&ctx), stop.clone());
        parts.spawn(async move {
            departure::run(leaving, gone, stopped).await;
            "the part that clears up"
        });
        let (health, reading, stopped) = (self.health.clone(), ctx.stores.reading.clone(), stop.clone());
        parts.spawn(async move {
            tokio::select! {
                () = reading.done() => health.set(Phase::Leading),
                () = stopped.cancelled() => {}
            }
            stopped.cancelled().await;
            "the watch over the watches"
        });
        if let Some(replicas) = self.settings.init_nats {
            let (bus, stopped) = (Arc::clone(&self.bus), stop.clone());
            parts.spawn(async move {
                tokio::select! {
                    () = init(&bus, replicas) => stopped.cancelled().await,
                    () = stopped.cancelled() => {}
                }
                "init"
            });
        }
        parts
    }

    fn context(&self, cluster_id: String) -> (Arc<Context>, Vec<Scope>, UnboundedReceiver<Leaver>) {
        let (settings, pace) = (self.settings.clone(), self.settings.pace);
        let (sender, gone) = unbounded_channel();
        let tenants = !settings.tenants.is_empty();
        let (stores, wake, scopes) = controller::watch(&self.client, &settings.watch, tenants, &sender);
        let ctx = Context {
            client: self.client.clone(),
            cluster_id,
            stores,
            modules: Arc::clone(&self.modules),
            bus: Arc::clone(&self.bus),
            observations: Observations::new(pace.silence, pace.busy, pace.rest),
            backoff: Backoff::new(pace.backoff, pace.max_backoff),
            metrics: self.metrics.clone(),
            wake,
            forms: Forms::default(),
            standing: Standing::default(),
            settings,
        };
        (Arc::new(ctx), scopes, gone)
    }
}

/// Waits until everything has ended, for a while.
async fn finish(parts: &mut JoinSet<&'static str>) {
    let all = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(FINISH, all).await.is_err() {
        tracing::warn!(left = parts.len(), "work in hand did not finish in time; the next operator does it");
    }
}

/// First 8 hex digits of the UID of kube-system: the same for every operator of a cluster, and of no other.
async fn cluster_id(client: &Client, given: Option<&str>) -> String {
    if let Some(id) = given {
        return id.to_owned();
    }
    let api: Api<Namespace> = Api::all(client.clone());
    loop {
        match api.get_metadata("kube-system").await.map(|namespace| namespace.uid()) {
            Ok(Some(uid)) => return uid.chars().filter(char::is_ascii_hexdigit).take(8).collect(),
            Ok(None) => tracing::warn!("namespace kube-system has no UID"),
            Err(error) => tracing::warn!(cause = chain(&error), "namespace kube-system can't be read; tried again"),
        }
        tokio::time::sleep(jittered(AGAIN, AGAIN * 2)).await;
    }
}

/// Makes streams and buckets; NATS that is away is waited for.
async fn init(bus: &Bus, replicas: usize) {
    loop {
        let result = match bus.context().await {
            Ok(context) => gear_nats::provision::init(&context, replicas).await.map_err(|error| chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        match result {
            Ok(report) => {
                for (store, made) in report.stores {
                    tracing::info!(stream = store.stream(), made = ?made, "streams and buckets");
                }
                return;
            }
            Err(cause) => tracing::warn!(cause, "streams and buckets could not be made; tried again"),
        }
        tokio::time::sleep(jittered(AGAIN, AGAIN * 3)).await;
    }
}
