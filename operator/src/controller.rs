//! Watches, and what they wake.
//!
//! * Gears in full, but only a change of their generation or of an annotation of ours wakes: a status write does not.
//! * Pods without what nobody reads; ReplicaSets, Deployments and all other children by their metadata alone.
//! * Everything but gears by the operator's own label: memory does not grow with what else is in the cluster.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::{ConfigMap, Namespace, Pod, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        PredicateConfig, WatchStreamExt as _,
        controller::{Config, applier},
        reflector::{ObjectRef, Store, store},
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use wasmgear_crds::words;

use crate::{
    context::{Context, Gear, Stores, Wake, gear_by_label},
    departure::{Leaver, Roster},
    reconcile::{build::MANAGED_BY, error_policy, reconcile},
};

/// Requests that come within this time of each other are one.
const DEBOUNCE: Duration = Duration::from_millis(100);

type Wakes = BoxStream<'static, Result<Vec<ObjectRef<Gear>>, watcher::Error>>;

/// The watches of one namespace, or of all.
pub(crate) struct Scope {
    gears: Store<Gear>,
    wakes: Vec<Wakes>,
    woken: UnboundedReceiver<ObjectRef<Gear>>,
}

/// Prepares the watches; they begin when they are polled.
pub(crate) fn watch(
    client: &Client,
    namespaces: &[String],
    tenants: bool,
    gone: &UnboundedSender<Leaver>,
) -> (Stores, Wake, Vec<Scope>) {
    let (mut stores, mut wake, mut scopes) = (Stores::default(), Wake::default(), Vec::new());
    let places: Vec<Option<String>> =
        if namespaces.is_empty() { vec![None] } else { namespaces.iter().cloned().map(Some).collect() };
    for place in places {
        let (sender, woken) = unbounded_channel();
        wake.add(place.clone(), sender);
        scopes.push(scope(client, place.as_deref(), &mut stores, gone.clone(), woken));
    }
    // Labels of namespaces decide only where there are allow rules; without them the operator may not even read them.
    if tenants && let Some(first) = scopes.first_mut() {
        let (reader, writer) = store();
        let events = watcher(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), watcher::Config::default());
        let all = stores.gears.clone();
        let read = stores.reading.begun();
        let touched = events.default_backoff().modify(strip).reflect(writer).inspect(read).touched_objects();
        first.wakes.push(wakes(touched, move |namespace| inside(&all, &namespace.name_any())));
        stores.namespaces.0.push(reader);
    }
    (stores, wake, scopes)
}

fn scope(
    client: &Client,
    place: Option<&str>,
    stores: &mut Stores,
    gone: UnboundedSender<Leaver>,
    woken: UnboundedReceiver<ObjectRef<Gear>>,
) -> Scope {
    let (gears, gears_writer) = store();
    let (pods, pods_writer) = store();
    let (sets, sets_writer) = store();
    let (deployments, deployments_writer) = store();
    let mut roster = Roster::new(gone);
    let gear_events = watcher(api::<Gear>(client, place), watcher::Config::default())
        .default_backoff()
        .modify(strip)
        .inspect(move |event| roster.see(event.as_ref().ok()))
        .reflect(gears_writer)
        .inspect(stores.reading.begun())
        .applied_objects()
        .predicate_filter(|gear: &Gear| Some(meaningful(gear)), PredicateConfig::default());
    let pod_events = watcher(api::<Pod>(client, place), ours())
        .default_backoff()
        .modify(slim)
        .reflect(pods_writer)
        .inspect(stores.reading.begun());
    let set_events = watcher(api::<PartialObjectMeta<ReplicaSet>>(client, place), ours())
        .default_backoff()
        .modify(strip)
        .reflect(sets_writer)
        .inspect(stores.reading.begun());
    let deployment_events = watcher(api::<PartialObjectMeta<Deployment>>(client, place), ours())
        .default_backoff()
        .modify(strip)
        .reflect(deployments_writer)
        .inspect(stores.reading.begun());
    let all = crate::context::Many(vec![gears.clone()]);
    let wakes = vec![
        wakes(gear_events, |gear| vec![ObjectRef::from_obj(gear)]),
        wakes(pod_events.touched_objects(), by_label),
        // Whose pods are whose may become known after the pods.
        wakes(set_events.touched_objects(), by_label),
        wakes(deployment_events.touched_objects(), by_label),
        existence::<ConfigMap>(client, place),
        existence::<ServiceAccount>(client, place),
        existence::<PodDisruptionBudget>(client, place),
        wakes(
            watcher(api::<PartialObjectMeta<NetworkPolicy>>(client, place), ours()).default_backoff().touched_objects(),
            move |policy| inside(&all, &policy.namespace().unwrap_or_default()),
        ),
    ];
    stores.gears.0.push(gears.clone());
    stores.pods.0.push(pods);
    stores.replica_sets.0.push(sets);
    stores.deployments.0.push(deployments);
    Scope { gears, wakes, woken }
}

/// Works until `stop`, then finishes what is in hand.
pub(crate) async fn run(scope: Scope, ctx: Arc<Context>, stop: CancellationToken) {
    let Scope { gears, wakes, woken } = scope;
    let woken = futures_util::stream::unfold(woken, |mut woken| async move { Some((Ok(woken.recv().await?), woken)) });
    let watched = futures_util::stream::select_all(wakes).flat_map(|wake| {
        let items: Vec<Result<ObjectRef<Gear>, watcher::Error>> = match wake {
            Ok(gears) => gears.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        futures_util::stream::iter(items)
    });
    let queue = futures_util::stream::select(watched, woken).take_until(async move { stop.cancelled().await });
    let config = Config::default().debounce(DEBOUNCE).concurrency(ctx.settings.concurrency);
    let work = applier(|gear, ctx| Box::pin(reconcile(gear, ctx)), error_policy, ctx, gears, Box::pin(queue), config);
    work.for_each(|result| {
        use kube::runtime::controller::Error;
        match result {
            // The policy over failures has spoken already; a gear that is gone is nobody's failure.
            Ok(_) | Err(Error::ReconcilerFailed(..) | Error::ObjectNotFound(_)) => {}
            Err(Error::QueueError(error)) => {
                tracing::warn!(cause = crate::failure::chain(&error), "a watch broke; it is made anew");
            }
            Err(Error::RunnerError(error)) => tracing::error!(%error, "the controller's queue broke"),
        }
        std::future::ready(())
    })
    .await;
}

fn api<K>(client: &Client, place: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    place.map_or_else(|| Api::all(client.clone()), |namespace| Api::namespaced(client.clone(), namespace))
}

fn ours() -> watcher::Config {
    watcher::Config::default().labels(MANAGED_BY)
}

/// Children of which only matters that they changed.
fn existence<K>(client: &Client, place: Option<&str>) -> Wakes
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    wakes(watcher(api::<PartialObjectMeta<K>>(client, place), ours()).default_backoff().touched_objects(), by_label)
}

fn wakes<K>(
    objects: impl Stream<Item = Result<K, watcher::Error>> + Send + 'static,
    whose: impl Fn(&K) -> Vec<ObjectRef<Gear>> + Send + 'static,
) -> Wakes {
    objects.map(move |object| object.map(|object| whose(&object))).boxed()
}

fn by_label<K: Resource>(object: &K) -> Vec<ObjectRef<Gear>> {
    gear_by_label(object.meta()).into_iter().collect()
}

fn inside(gears: &crate::context::Many<Gear>, namespace: &str) -> Vec<ObjectRef<Gear>> {
    let stores = Stores { gears: gears.clone(), ..Stores::default() };
    stores.gears_in(namespace)
}

/// What makes a gear worth looking at again: its generation, and what a command wrote into an annotation of ours.
fn meaningful(gear: &Gear) -> u64 {
    let mut hash = DefaultHasher::new();
    gear.meta().generation.hash(&mut hash);
    gear.annotations().iter().filter(|(key, _)| key.starts_with(words::PREFIX)).for_each(|pair| pair.hash(&mut hash));
    hash.finish()
}

/// Who wrote which field is nobody's business here, and half of the bytes.
fn strip<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
    if let Some(annotations) = &mut object.meta_mut().annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// A pod as far as it is read: whose it is, where it answers, how it stands.
fn slim(pod: &mut Pod) {
    strip(pod);
    let Some(spec) = &mut pod.spec else { return };
    let containers = std::mem::take(&mut spec.containers);
    *spec = k8s_openapi::api::core::v1::PodSpec {
        containers: containers
            .into_iter()
            .map(|container| k8s_openapi::api::core::v1::Container {
                name: container.name,
                ports: container.ports,
                ..k8s_openapi::api::core::v1::Container::default()
            })
            .collect(),
        ..k8s_openapi::api::core::v1::PodSpec::default()
    };
}
