//! Stage 1: everything that has to be read, and nothing is decided.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{Api, ResourceExt as _, core::DeserializeGuard, runtime::reflector::ObjectRef};
use serde::de::DeserializeOwned;
use wasmgear_crds::{WasmGear, words};

use crate::{
    context::{Context, Gear},
    observe::View,
    record::{self, Record},
};

mod module;
mod rival;
mod secret;

pub(crate) use module::{Examined, ModuleFault};
pub(crate) use rival::{Rival, output as output_of};
pub(crate) use secret::{Secrets, Sought};

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Observed {
    /// The resource, as the server has it now.
    pub gear: WasmGear,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// Labels of the namespace; empty without allow rules.
    pub labels: BTreeMap<String, String>,
    /// Its children.
    pub found: Found,
    /// The operator's record.
    pub record: Option<Record>,
    /// The module that it asks for.
    pub module: Result<Examined, ModuleFault>,
    /// The Secrets that it needs.
    pub secrets: Secrets,
    /// An older gear with the same output.
    pub rival: Option<Rival>,
    /// Ports of the NATS servers that gears of the namespace connect to.
    pub nats_ports: BTreeSet<u16>,
    /// What its sidecars say.
    pub view: View,
}

/// The children, as the server has them now.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Its Deployment.
    pub deployment: Option<Deployment>,
    /// Its ConfigMap.
    pub config_map: Option<ConfigMap>,
    /// Its ServiceAccount.
    pub service_account: Option<ServiceAccount>,
    /// Its PodDisruptionBudget.
    pub budget: Option<PodDisruptionBudget>,
    /// The NetworkPolicy of its namespace.
    pub policy: Option<NetworkPolicy>,
}

/// What could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The API server did not answer, or refused.
    #[error("{what} can't be read")]
    Api {
        /// What was being read.
        what: &'static str,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// An object without a name, a namespace or a UID: not from an API server.
    #[error("the resource has no {0}")]
    Incomplete(&'static str),
}

/// What the watch knows to be there may be gone or unreadable by now.
pub(crate) enum Fetched {
    /// Here it is.
    Here(Box<Observed>),
    /// It is gone; there is nothing to do.
    Gone,
    /// It can't be read: stored under another version of the definition.
    Unreadable {
        /// UID of it.
        uid: String,
        /// Its generation.
        generation: i64,
        /// What the reader said.
        error: String,
    },
}

/// Reads everything.
pub(crate) async fn fetch(watched: &Gear, ctx: &Context) -> Result<Fetched, FetchError> {
    let namespace = watched.namespace().ok_or(FetchError::Incomplete("namespace"))?;
    let name = watched.name_any();
    let api: Api<DeserializeGuard<WasmGear>> = Api::namespaced(ctx.client.clone(), &namespace);
    let Some(guarded) = get(&api, &name, "the resource").await? else { return Ok(Fetched::Gone) };
    let uid = guarded.uid().ok_or(FetchError::Incomplete("uid"))?;
    if guarded.meta_deleted() {
        return Ok(Fetched::Gone);
    }
    let gear = match guarded.0 {
        Ok(gear) => gear,
        Err(invalid) => {
            let generation = invalid.metadata.generation.unwrap_or_default();
            return Ok(Fetched::Unreadable { uid, generation, error: invalid.error });
        }
    };
    let found = children(ctx, &namespace, &name).await?;
    let data = found.config_map.as_ref().and_then(|map| map.data.as_ref());
    let record = data.and_then(|data| data.get(record::FILE_NAME)).and_then(|json| Record::parse(json));
    let (module, secrets) = futures_util::future::join(
        module::examine(&gear, record.as_ref(), &ctx.modules),
        secret::look(&ctx.client, &namespace, gear.spec.nats.as_ref()),
    )
    .await;
    let gears = ctx.stores.gears.all();
    let observed = Observed {
        labels: labels(ctx, &namespace),
        found,
        record,
        module,
        secrets: secrets.map_err(|source| FetchError::Api { what: "a Secret", source })?,
        rival: rival::oldest(&gear, &gears),
        nats_ports: rival::nats_ports(&namespace, &gears, &ctx.settings.gear_nats.url),
        view: ctx.observations.view(&uid, &ctx.stores.pods_of(&namespace, &uid)),
        gear,
        namespace,
        uid,
    };
    Ok(Fetched::Here(Box::new(observed)))
}

async fn children(ctx: &Context, namespace: &str, gear: &str) -> Result<Found, FetchError> {
    let name = words::child_name(gear);
    let (deployment, config_map, service_account, budget, policy) = tokio::try_join!(
        child(ctx, namespace, &name, "its Deployment"),
        child(ctx, namespace, &name, "its ConfigMap"),
        child(ctx, namespace, &name, "its ServiceAccount"),
        child(ctx, namespace, &name, "its PodDisruptionBudget"),
        child(ctx, namespace, words::NETWORK_POLICY, "the NetworkPolicy of its namespace"),
    )?;
    Ok(Found { deployment, config_map, service_account, budget, policy })
}

async fn child<K>(ctx: &Context, namespace: &str, name: &str, what: &'static str) -> Result<Option<K>, FetchError>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    get(&Api::namespaced(ctx.client.clone(), namespace), name, what).await
}

async fn get<K>(api: &Api<K>, name: &str, what: &'static str) -> Result<Option<K>, FetchError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    api.get_opt(name).await.map_err(|source| FetchError::Api { what, source })
}

fn labels(ctx: &Context, namespace: &str) -> BTreeMap<String, String> {
    let object = ctx.stores.namespaces.get(&ObjectRef::new(namespace));
    object.and_then(|object| object.metadata.labels.clone()).unwrap_or_default()
}

trait Deleted {
    fn meta_deleted(&self) -> bool;
}

impl<K: kube::Resource> Deleted for K {
    fn meta_deleted(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }
}
