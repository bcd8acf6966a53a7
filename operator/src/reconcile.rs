//! One pass over one gear: fetch → validate → build → apply → report.
//!
//! Whatever goes wrong on the way, the pass ends with a report. A newcomer that is refused leaves the ConfigMap and the
//! Deployment of the last good revision exactly as they are.

use std::{sync::Arc, time::Instant};

use gear_config::{Document, FILE_NAME, Instance};
use gear_module::Grants;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use serde_json::json;
use wasmgear_crds::{GROUP, ModuleStatus, VERSION, WasmGear, WasmGearStatus, words};

pub(crate) mod apply;
pub(crate) mod build;
pub(crate) mod fetch;
pub(crate) mod judge;
pub(crate) mod report;
pub(crate) mod validate;

#[cfg(test)]
pub(crate) mod testing;

use apply::Applied;
use build::{Around, Built};
use fetch::{Fetched, Observed};
use report::{Facts, Report, Rollout, Sidecars};
use validate::ValidGear;

use crate::{
    backoff::jittered,
    context::{Context, Gear},
    failure::{Failure, Retry, chain},
    metrics::State,
    modules::Judgement,
};

/// How soon a rollout is looked at again when no watch and no sidecar wakes us.
const WATCHFUL: std::time::Duration = std::time::Duration::from_secs(30);

/// A pass that could not even report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Stage 1.
    #[error(transparent)]
    Fetch(#[from] fetch::FetchError),
    /// Stage 5.
    #[error(transparent)]
    Report(#[from] report::ReportError),
}

/// What became of stages 2 to 4.
#[derive(Debug, Default)]
struct Attempt {
    valid: Option<ValidGear>,
    built: Option<Built>,
    applied: Option<Applied>,
    failure: Option<Failure>,
}

/// One pass.
pub(crate) async fn reconcile(gear: Arc<Gear>, ctx: Arc<Context>) -> Result<Action, Error> {
    // What the watches have not read yet would look like something that is not there.
    ctx.stores.reading.done().await;
    let begun = Instant::now();
    let result = match Box::pin(fetch::fetch(&gear, &ctx)).await {
        Ok(Fetched::Here(observed)) => Box::pin(pass(&observed, &ctx)).await,
        Ok(Fetched::Gone) => Ok(("ok", Action::await_change())),
        Ok(Fetched::Unreadable { uid, generation, error }) => unreadable(&gear, &uid, generation, &error, &ctx).await,
        Err(error) => Err(error.into()),
    };
    let label = result.as_ref().map_or("error", |(label, _)| *label);
    ctx.metrics.reconcile(label, begun.elapsed());
    result.map(|(_, action)| action)
}

/// After a pass that could not report: again, later and later.
#[allow(clippy::needless_pass_by_value, reason = "the controller hands over its own references")]
pub(crate) fn error_policy(gear: Arc<Gear>, error: &Error, ctx: Arc<Context>) -> Action {
    let delay = ctx.backoff.failed(&gear.uid().unwrap_or_default());
    tracing::warn!(gear = gear.name_any(), cause = chain(error), ?delay, "a gear could not be worked on; tried again");
    Action::requeue(delay)
}

async fn pass(observed: &Observed, ctx: &Context) -> Result<(&'static str, Action), Error> {
    let attempt = attempt(observed, ctx).await;
    let report = compose(observed, &attempt, ctx);
    for note in &report.notes {
        let gear = observed.gear.name_any();
        tracing::info!(namespace = observed.namespace, gear, reason = note.reason, "{}", note.message);
    }
    report::write(&ctx.client, &observed.gear, &observed.namespace, &report, &ctx.settings.pod_name).await?;
    report::count(&report.status, &observed.uid, &ctx.standing, &ctx.metrics);
    let standing = report::standing(&report.status.conditions);
    ctx.observations.pace(&observed.uid, standing == State::Reconciling);
    Ok(after(attempt.failure.as_ref(), standing, &observed.uid, ctx))
}

/// Stages 2 to 4.
async fn attempt(observed: &Observed, ctx: &Context) -> Attempt {
    let mut attempt = Attempt::default();
    let valid = match validate::validate(observed, &ctx.settings, &ctx.cluster_id) {
        Ok(valid) => attempt.valid.insert(valid),
        Err(failure) => return Attempt { failure: Some(failure), ..attempt },
    };
    let document = document(observed);
    let around = Around {
        record: observed.record.as_ref(),
        document: document.as_ref(),
        nats_ports: &observed.nats_ports,
        sidecar: &ctx.settings.sidecar,
        now: &Time(now()),
    };
    let built = match build::build(valid, &around) {
        Ok(built) => attempt.built.insert(built),
        Err(error) => {
            let (reason, message) = (wasmgear_crds::Reason::ApiUnavailable, chain(&error));
            return Attempt { failure: Some(Failure { reason, message, retry: Retry::Backoff }), ..attempt };
        }
    };
    match apply::apply(&ctx.client, &ctx.forms, &observed.uid, built, &observed.found).await {
        Ok(applied) => attempt.applied = Some(applied),
        Err(error) => attempt.failure = Some(error.failure()),
    }
    attempt
}

/// The document that sidecars read now.
fn document(observed: &Observed) -> Option<Document> {
    let data = observed.found.config_map.as_ref()?.data.as_ref()?;
    Document::parse(data.get(FILE_NAME)?.as_bytes()).ok()
}

fn compose(observed: &Observed, attempt: &Attempt, ctx: &Context) -> Report {
    let Observed { gear, uid, namespace, .. } = observed;
    let (name, empty) = (gear.name_any(), WasmGearStatus::default());
    let look = look(observed);
    let document = document(observed);
    let served = attempt.built.as_ref().map(|built| &built.document).or(document.as_ref());
    let subjects = served.map(|document| document.input.subjects.clone()).unwrap_or_default();
    let applied = attempt.applied.as_ref();
    let deployment = applied.map(|applied| &applied.deployment).or(observed.found.deployment.as_ref());
    let facts = Facts {
        replicas: gear.spec.replicas,
        failure: attempt.failure.as_ref(),
        module: look.module,
        module_failure: look.failure.as_ref(),
        imports: look.imports.as_ref().map(|imports| imports.as_ref().copied()),
        record: applied.and(attempt.built.as_ref()).map(|built| &built.record).or(observed.record.as_ref()),
        rollout: deployment.map(Rollout::of),
        sidecars: Sidecars {
            view: &observed.view,
            ledger: ctx.observations.ledger(uid, &ctx.stores.pods_of(namespace, uid)),
        },
        subjects: &subjects,
        fresh: served.is_some_and(|document| document.stable.instance == Instance::Fresh),
        restored: applied.map(|applied| applied.restored.as_slice()).unwrap_or_default(),
        ..Facts::nothing(
            &name,
            gear.metadata.generation.unwrap_or_default(),
            gear.status.as_ref().unwrap_or(&empty),
            Time(now()),
        )
    };
    report::compose(&facts)
}

/// What a look at the module showed.
#[derive(Debug, Default)]
struct Look {
    /// What is known of it.
    module: Option<ModuleStatus>,
    /// What is wrong with it.
    failure: Option<Failure>,
    /// What is wrong with its imports; `None` when they were not seen.
    imports: Option<Result<(), Failure>>,
}

fn look(observed: &Observed) -> Look {
    let spec = &observed.gear.spec;
    let examined = match &observed.module {
        Ok(examined) => examined,
        Err(fault) => {
            let pin = if let fetch::ModuleFault::Supply { pin, .. } = fault { pin.as_ref() } else { None };
            let module = pin.map(|pin| report::module_status(&pin.module, &pin.digest, pin.size, None, None));
            return Look { module, failure: Some(judge::fault(fault)), imports: None };
        }
    };
    let pin = &examined.pin;
    let inspection = match &examined.judgement {
        Judgement::Sound(inspection) => inspection,
        Judgement::Refused(refusal) => {
            let module = report::module_status(&pin.module, &pin.digest, pin.size, None, None);
            return Look { module: Some(module), failure: Some(judge::refused(refusal)), imports: None };
        }
    };
    let entrypoint = inspection.entrypoint(spec.entrypoint.as_deref());
    let abi = entrypoint.as_ref().ok().map(|entrypoint| entrypoint.abi);
    let module = report::module_status(&pin.module, &pin.digest, pin.size, Some(inspection), abi);
    let memory: Option<gear_config::ByteSize> = spec.limits.memory.as_str().parse().ok();
    let fits = memory.map_or(Ok(()), |memory| inspection.fits(memory.get()));
    let failure = entrypoint.map(|_| ()).and(fits).err().map(|refusal| judge::refused(&refusal));
    let grants = Grants { allow_http: spec.allow_http, allow_kv: spec.allow_kv };
    Look { module: Some(module), failure, imports: Some(judge::granted(inspection, &grants)) }
}

/// When to look again.
fn after(failure: Option<&Failure>, standing: State, uid: &str, ctx: &Context) -> (&'static str, Action) {
    let resync = jittered(ctx.settings.pace.resync * 4 / 5, ctx.settings.pace.resync * 6 / 5);
    match failure.map(|failure| failure.retry) {
        Some(Retry::Backoff) => ("error", Action::requeue(ctx.backoff.failed(uid))),
        Some(Retry::Outside) => ("refused", Action::requeue(ctx.backoff.failed(uid))),
        Some(Retry::OnChange) => ("refused", Action::requeue(resync)),
        None => {
            ctx.backoff.clear(uid);
            ("ok", Action::requeue(if standing == State::Ready { resync } else { WATCHFUL.min(resync) }))
        }
    }
}

async fn unreadable(
    gear: &Gear,
    uid: &str,
    generation: i64,
    error: &str,
    ctx: &Context,
) -> Result<(&'static str, Action), Error> {
    let (name, namespace) = (gear.name_any(), gear.namespace().unwrap_or_default());
    let status = report::unreadable(generation, error, &name);
    let api: Api<kube::core::PartialObjectMeta<WasmGear>> = Api::namespaced(ctx.client.clone(), &namespace);
    let patch = json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "WasmGear", "metadata": { "name": name }, "status": status });
    let params = PatchParams::apply(words::MANAGER).force();
    api.patch_status(&name, &params, &Patch::Apply(&patch)).await.map_err(report::ReportError::Status)?;
    ctx.standing.set(uid, Some(State::Stalled), &ctx.metrics);
    tracing::warn!(namespace, gear = name, error, "the resource can't be read");
    Ok(("refused", Action::await_change()))
}

/// Whole seconds, as the API server keeps them: a time that is read back equals the one that was written.
fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
}
