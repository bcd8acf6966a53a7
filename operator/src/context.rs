//! What all parts of the controller share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::{Namespace, Pod},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{
    Client, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};
use tokio::sync::mpsc::UnboundedSender;
use wasmgear_crds::{WasmGear, words};

use crate::{
    Settings, backoff::Backoff, bus::Bus, metrics::Metrics, modules::Modules, observe::Observations, reading::Reading,
    reconcile::apply::Forms,
};

/// A gear as it is watched: one that can't be read does not stop the others.
pub(crate) type Gear = DeserializeGuard<WasmGear>;

/// What all parts of the controller share.
pub(crate) struct Context {
    /// The API server.
    pub client: Client,
    /// What the operator runs by.
    pub settings: Settings,
    /// First part of consumer names after the product's.
    pub cluster_id: String,
    /// The watched objects.
    pub stores: Stores,
    /// Modules.
    pub modules: Arc<Modules>,
    /// NATS.
    pub bus: Arc<Bus>,
    /// What sidecars said.
    pub observations: Observations,
    /// Delays after failures.
    pub backoff: Backoff,
    /// Figures.
    pub metrics: Metrics,
    /// Wakes the controller for a gear.
    pub wake: Wake,
    /// What the server made of what was applied.
    pub forms: Forms,
    /// How gears stand, for the figures.
    pub standing: Standing,
}

/// The watched objects, as far as more than their existence is needed; of all watched namespaces.
#[derive(Clone, Default)]
pub(crate) struct Stores {
    /// Gears.
    pub gears: Many<Gear>,
    /// Pods of gears, without what nobody reads.
    pub pods: Many<Pod>,
    /// Whose ReplicaSets they are.
    pub replica_sets: Many<PartialObjectMeta<ReplicaSet>>,
    /// Whose Deployments they are.
    pub deployments: Many<PartialObjectMeta<Deployment>>,
    /// Labels of namespaces; empty without allow rules.
    pub namespaces: Many<PartialObjectMeta<Namespace>>,
    /// Whether everything above is complete.
    pub reading: Reading,
}

/// Stores of several watches over one kind.
#[derive(Clone)]
pub(crate) struct Many<K: kube::runtime::reflector::Lookup<DynamicType = ()> + 'static>(pub Vec<Store<K>>);

impl<K: kube::runtime::reflector::Lookup<DynamicType = ()> + 'static> Default for Many<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: kube::runtime::reflector::Lookup<DynamicType = ()> + Clone + 'static> Many<K> {
    /// An object, if some watch has it.
    #[must_use]
    pub(crate) fn get(&self, key: &ObjectRef<K>) -> Option<Arc<K>> {
        self.0.iter().find_map(|store| store.get(key))
    }

    /// All objects.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        self.0.iter().flat_map(Store::state).collect()
    }
}

impl Stores {
    /// Pods that belong to a gear by owner references all the way up; a label alone proves nothing.
    #[must_use]
    pub(crate) fn pods_of(&self, namespace: &str, uid: &str) -> Vec<Arc<Pod>> {
        let mut pods = self.pods.all();
        pods.retain(|pod| {
            pod.metadata.namespace.as_deref() == Some(namespace) && self.gear_of(pod, namespace).as_deref() == Some(uid)
        });
        pods
    }

    /// UID of the gear that a pod belongs to.
    fn gear_of(&self, pod: &Pod, namespace: &str) -> Option<String> {
        let (set_name, set_uid) = controller(pod.owner_references(), "ReplicaSet")?;
        let set = self.replica_sets.get(&ObjectRef::new(&set_name).within(namespace))?;
        let (deployment_name, deployment_uid) = controller(set.owner_references(), "Deployment")?;
        let deployment = self.deployments.get(&ObjectRef::new(&deployment_name).within(namespace))?;
        let (_, gear_uid) = controller(deployment.owner_references(), "WasmGear")?;
        let same = set.uid() == Some(set_uid) && deployment.uid() == Some(deployment_uid);
        same.then_some(gear_uid)
    }

    /// Gears of a namespace.
    #[must_use]
    pub(crate) fn gears_in(&self, namespace: &str) -> Vec<ObjectRef<Gear>> {
        let gears = self.gears.all();
        let inside = gears.iter().filter(|gear| gear.namespace().as_deref() == Some(namespace));
        inside.map(|gear| ObjectRef::new(&gear.name_any()).within(namespace)).collect()
    }
}

fn controller(owners: &[OwnerReference], kind: &str) -> Option<(String, String)> {
    let owner = owners.iter().find(|owner| owner.controller == Some(true) && owner.kind == kind)?;
    Some((owner.name.clone(), owner.uid.clone()))
}

/// The gear that an object belongs to, by its label. Good enough to look at the gear again, for nothing else.
#[must_use]
pub(crate) fn gear_by_label(meta: &ObjectMeta) -> Option<ObjectRef<Gear>> {
    let name = meta.labels.as_ref()?.get(words::GEAR_LABEL)?;
    Some(ObjectRef::new(name).within(meta.namespace.as_deref()?))
}

/// Wakes the controller of a namespace for a gear.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wake(HashMap<Option<String>, UnboundedSender<ObjectRef<Gear>>>);

impl Wake {
    /// A controller for a namespace, or for all of them.
    pub(crate) fn add(&mut self, namespace: Option<String>, sender: UnboundedSender<ObjectRef<Gear>>) {
        self.0.insert(namespace, sender);
    }

    /// Look at this gear.
    pub(crate) fn gear(&self, gear: ObjectRef<Gear>) {
        if let Some(sender) = self.0.get(&gear.namespace).or_else(|| self.0.get(&None)) {
            // A controller that is gone has no gear to look at.
            let _ = sender.send(gear);
        }
    }
}

/// How gears stand: ready, reconciling, stalled; by UID.
#[derive(Debug, Default)]
pub(crate) struct Standing(Mutex<HashMap<String, crate::metrics::State>>);

impl Standing {
    /// A gear stands like this now, or is gone.
    pub(crate) fn set(&self, uid: &str, state: Option<crate::metrics::State>, metrics: &Metrics) {
        use crate::metrics::State;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            Some(state) => all.insert(uid.to_owned(), state),
            None => all.remove(uid),
        };
        let count = |state: State| i64::try_from(all.values().filter(|found| **found == state).count()).unwrap_or(0);
        metrics.gears([count(State::Ready), count(State::Reconciling), count(State::Stalled)]);
    }
}
