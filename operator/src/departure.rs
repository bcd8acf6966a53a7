//! Gears that are gone.
//!
//! * Nothing waits for this: there is no finalizer, the cluster removes a gear's children by their owner. What is left is
//!   outside of the cluster, or shared: the consumer on the NATS server, and the policy of the namespace.
//! * A gear counts as gone only when the API server says so to a live question; one that is silent says nothing.
//! * The consumer is deleted once its pods had time to finish, and only if its metadata names the gear that is gone: a new
//!   gear by the same name has a consumer of its own.
//! * What can't be done in time is left: the server forgets an unused consumer after `input.forgetAfter`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_nats::jetstream::context::ConsumerInfoErrorKind;
use gear_config::names;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::{
    Api, ResourceExt as _,
    api::DeleteParams,
    runtime::{reflector::ObjectRef, watcher},
};
use tokio::{sync::mpsc::UnboundedReceiver, sync::mpsc::UnboundedSender, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use wasmgear_crds::{WasmGear, words};

use crate::{
    context::{Context, Gear},
    failure::chain,
};

/// Time for which the API server and NATS are asked again.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often.
const AGAIN: Duration = Duration::from_millis(500);
/// Pods that outlive their time are waited for this long, to look at the consumer once more.
const STRAGGLERS: Duration = Duration::from_mins(10);

/// A gear that may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaver {
    namespace: String,
    name: String,
    uid: String,
    stream: String,
    /// Its consumer is on a server of its own, for which the operator has no credentials.
    elsewhere: bool,
}

impl Leaver {
    fn of(gear: &Gear) -> Option<Self> {
        let (namespace, name, uid) = (gear.namespace()?, gear.name_any(), gear.uid()?);
        let spec = gear.0.as_ref().ok().map(|gear| &gear.spec);
        Some(Self {
            namespace,
            name,
            uid,
            stream: spec.map(|spec| spec.input.stream.clone()).unwrap_or_default(),
            elsewhere: spec.is_none_or(|spec| spec.nats.as_ref().is_some_and(|nats| nats.url.is_some())),
        })
    }
}

/// Notices who left, also across a watch that broke and began anew.
#[derive(Debug)]
pub(crate) struct Roster {
    here: HashMap<String, Leaver>,
    listed: HashMap<String, Leaver>,
    gone: UnboundedSender<Leaver>,
}

impl Roster {
    /// Nobody is here yet.
    #[must_use]
    pub(crate) fn new(gone: UnboundedSender<Leaver>) -> Self {
        Self { here: HashMap::new(), listed: HashMap::new(), gone }
    }

    /// One event of the watch.
    pub(crate) fn see(&mut self, event: Option<&watcher::Event<Gear>>) {
        let known = |gear: &Gear| Leaver::of(gear).map(|leaver| (leaver.uid.clone(), leaver));
        match event {
            Some(watcher::Event::Init) => self.listed.clear(),
            Some(watcher::Event::InitApply(gear)) => self.listed.extend(known(gear)),
            Some(watcher::Event::InitDone) => {
                let listed = std::mem::take(&mut self.listed);
                for (uid, leaver) in std::mem::replace(&mut self.here, listed) {
                    if !self.here.contains_key(&uid) {
                        self.tell(leaver);
                    }
                }
            }
            Some(watcher::Event::Apply(gear)) => self.here.extend(known(gear)),
            Some(watcher::Event::Delete(gear)) => {
                if let Some((uid, leaver)) = known(gear) {
                    self.here.remove(&uid);
                    self.tell(leaver);
                }
            }
            None => {}
        }
    }

    fn tell(&self, leaver: Leaver) {
        // Nobody listens only when everything ends.
        let _ = self.gone.send(leaver);
    }
}

/// Clears up after gears that are gone, until `stop`.
pub(crate) async fn run(ctx: Arc<Context>, mut gone: UnboundedReceiver<Leaver>, stop: CancellationToken) {
    let mut work = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = work.join_next() => {}
            Some(leaver) = gone.recv() => { work.spawn(clear_up(Arc::clone(&ctx), leaver)); }
        }
    }
}

async fn clear_up(ctx: Arc<Context>, leaver: Leaver) {
    ctx.observations.forget(&leaver.uid);
    ctx.backoff.clear(&leaver.uid);
    ctx.forms.forget(&leaver.uid);
    ctx.standing.set(&leaver.uid, None, &ctx.metrics);
    // Somebody may have waited for its output.
    for gear in ctx.stores.gears.all() {
        ctx.wake.gear(ObjectRef::from_obj(&*gear));
    }
    if !is_gone(&ctx, &leaver).await {
        return;
    }
    let left = pods_left(&ctx, &leaver, ctx.settings.pace.farewell).await;
    delete_consumer(&ctx, &leaver).await;
    if left {
        // A sidecar that outlived its time may have made the consumer anew.
        pods_left(&ctx, &leaver, STRAGGLERS).await;
        delete_consumer(&ctx, &leaver).await;
    }
    remove_policy(&ctx, &leaver.namespace).await;
}

/// Whether the API server says that the gear is not there, or that another one has its name.
async fn is_gone(ctx: &Context, leaver: &Leaver) -> bool {
    let api: Api<WasmGear> = Api::namespaced(ctx.client.clone(), &leaver.namespace);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match api.get_metadata_opt(&leaver.name).await {
            Ok(found) => return found.is_none_or(|found| found.metadata.uid.as_ref() != Some(&leaver.uid)),
            Err(error) => {
                tracing::debug!(gear = leaver.name, cause = chain(&error), "whether a gear is gone is not known");
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
    false
}

/// Waits until the gear's pods are gone. Whether some are left when the time is over.
async fn pods_left(ctx: &Context, leaver: &Leaver, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let label = |pod: &k8s_openapi::api::core::v1::Pod| {
        pod.namespace().as_ref() == Some(&leaver.namespace) && pod.labels().get(words::GEAR_LABEL) == Some(&leaver.name)
    };
    loop {
        // By label: the objects that link a pod to its gear may be gone before it.
        let left = ctx.stores.pods.all().iter().any(|pod| label(pod));
        if !left || Instant::now() >= deadline {
            return left;
        }
        tokio::time::sleep(AGAIN.min(patience)).await;
    }
}

async fn delete_consumer(ctx: &Context, leaver: &Leaver) {
    if leaver.elsewhere {
        return;
    }
    let durable = names::durable(&ctx.cluster_id, &leaver.namespace, &leaver.name);
    let deadline = Instant::now() + PATIENCE;
    let result = loop {
        match tokio::time::timeout(Duration::from_secs(5), delete_once(ctx, leaver, &durable)).await {
            Ok(Ok(result)) => break result,
            Ok(Err(cause)) => tracing::debug!(durable, cause, "the consumer could not be deleted"),
            Err(_) => tracing::debug!(durable, "the consumer could not be deleted in time"),
        }
        if Instant::now() >= deadline {
            break "failed";
        }
        tokio::time::sleep(AGAIN).await;
    };
    ctx.metrics.consumer(result);
    tracing::info!(durable, stream = leaver.stream, result, "the consumer of a gear that is gone");
}

async fn delete_once(ctx: &Context, leaver: &Leaver, durable: &str) -> Result<&'static str, String> {
    let context = ctx.bus.context().await.map_err(|error| chain(&error))?;
    let stream = context.get_stream_no_info(&leaver.stream).await.map_err(|error| chain(&error))?;
    let info = match stream.consumer_info(durable).await {
        Ok(info) => info,
        Err(error)
            if matches!(error.kind(), ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound) =>
        {
            return Ok("absent");
        }
        Err(error) => return Err(chain(&error)),
    };
    if info.config.metadata.get(names::CONSUMER_UID).is_some_and(|owner| *owner != leaver.uid) {
        return Ok("foreign");
    }
    match stream.delete_consumer(durable).await {
        Ok(_) => Ok("deleted"),
        Err(error) => Err(chain(&error)),
    }
}

/// The policy of a namespace goes with its last gear and its last pod: until then it is what keeps them in.
async fn remove_policy(ctx: &Context, namespace: &str) {
    let gears: Api<WasmGear> = Api::namespaced(ctx.client.clone(), namespace);
    let one = kube::api::ListParams::default().limit(1);
    match gears.list_metadata(&one).await {
        Ok(list) if list.items.is_empty() => {}
        _ => return,
    }
    let pods = ctx.stores.pods.all();
    if pods.iter().any(|pod| pod.namespace().as_deref() == Some(namespace)) {
        return;
    }
    let policies: Api<NetworkPolicy> = Api::namespaced(ctx.client.clone(), namespace);
    match policies.delete(words::NETWORK_POLICY, &DeleteParams::default()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => {
            tracing::warn!(namespace, cause = chain(&error), "the policy of a namespace without gears is left");
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::DeserializeGuard;
    use serde_json::json;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn gear(uid: &str) -> Gear {
        let gear = json!({
            "apiVersion": "gears.fluxrig.org/v1alpha1", "kind": "WasmGear",
            "metadata": { "namespace": "n", "name": uid, "uid": uid },
            "spec": { "module": "urn:wasm:x:v1", "input": { "rack": "r", "gear": "g" } },
        });
        DeserializeGuard(Ok(serde_json::from_value(gear).unwrap()))
    }

    #[test]
    fn a_gear_that_vanished_while_the_watch_was_broken_is_noticed() {
        let (sender, mut gone) = unbounded_channel();
        let mut roster = Roster::new(sender);
        let mut see = |event| roster.see(Some(&event));
        see(watcher::Event::Init);
        see(watcher::Event::InitApply(gear("a")));
        see(watcher::Event::InitApply(gear("b")));
        see(watcher::Event::InitDone);
        see(watcher::Event::Apply(gear("c")));
        see(watcher::Event::Init);
        see(watcher::Event::InitApply(gear("b")));
        see(watcher::Event::InitDone);
        let mut left = vec![gone.try_recv().unwrap().uid, gone.try_recv().unwrap().uid];
        left.sort();
        assert_eq!(left, ["a", "c"]);
        see(watcher::Event::Delete(gear("b")));
        assert_eq!(gone.try_recv().unwrap().uid, "b");
        assert!(gone.try_recv().is_err());
    }
}
