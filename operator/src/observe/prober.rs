//! Asks the sidecars of all gears, each at its pace.

use std::{sync::Arc, time::Duration};

use gear_config::status::SidecarStatus;
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::question;
use crate::context::{Context, Gear};

/// Questions that are open at once.
const AT_ONCE: usize = 64;
/// How often is looked whose turn it is.
const TICK: Duration = Duration::from_millis(100);

/// Asks until `stop`.
pub(crate) async fn run(ctx: Arc<Context>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut rounds = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = rounds.join_next() => {}
            _ = tick.tick() => {
                let gears = ctx.stores.gears.all();
                let due = ctx.observations.due(gears.iter().filter_map(|gear| gear.uid()));
                for gear in gears.into_iter().filter(|gear| gear.uid().is_some_and(|uid| due.contains(&uid))) {
                    rounds.spawn(round(Arc::clone(&ctx), gear, Arc::clone(&permits)));
                }
            }
        }
    }
}

/// Asks all pods of a gear once.
async fn round(ctx: Arc<Context>, gear: Arc<Gear>, permits: Arc<Semaphore>) {
    let (Some(namespace), Some(uid)) = (gear.namespace(), gear.uid()) else { return };
    let pods = ctx.stores.pods_of(&namespace, &uid);
    let mut questions = JoinSet::new();
    for pod in pods.clone() {
        let (ctx, permits, uid) = (Arc::clone(&ctx), Arc::clone(&permits), uid.clone());
        questions.spawn(async move {
            // Never closed: it lives as long as the loop.
            let _permit = permits.acquire().await;
            let answer = believed(&ctx, &pod, &uid).await;
            pod.uid().map(|pod| (pod, answer))
        });
    }
    let answers = questions.join_all().await.into_iter().flatten().collect();
    if ctx.observations.take(&uid, &pods, answers) {
        ctx.wake.gear(ObjectRef::new(&gear.name_any()).within(&namespace));
    }
}

async fn believed(ctx: &Context, pod: &Pod, uid: &str) -> Option<SidecarStatus> {
    match question::ask(pod).await {
        Ok(status) if status.uid == uid => {
            ctx.metrics.probe("ok");
            Some(status)
        }
        Ok(status) => {
            ctx.metrics.probe("foreign");
            tracing::warn!(pod = pod.name_any(), says = status.uid, "the sidecar speaks of another gear");
            None
        }
        Err(silence) => {
            ctx.metrics.probe("unreachable");
            let cause = crate::failure::chain(&silence);
            tracing::debug!(pod = pod.name_any(), cause, "the sidecar does not answer");
            None
        }
    }
}
