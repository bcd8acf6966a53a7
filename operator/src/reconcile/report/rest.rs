//! What the status says beside its conditions.

use gear_module::Digest;
use wasmgear_crds::{HistoryEntry, ModuleStatus, PodStatus, RevisionStatus};

use super::Facts;
use crate::record::Entry;

/// Pods that are named at most.
const PODS: usize = 20;
/// Microseconds that an instance may cost before people are told.
const DEAR: u64 = 100;

/// What is known of the module; while a registry is away, what was known before.
pub(super) fn module(facts: &Facts<'_>) -> Option<ModuleStatus> {
    match (&facts.module, facts.passing()) {
        (None, Some(_)) => facts.previous.module.clone(),
        (module, _) => module.clone(),
    }
}

/// The revision that serves: the wanted one when all pods run it, before that the one that it takes over from.
pub(super) fn stable(facts: &Facts<'_>) -> Option<RevisionStatus> {
    let record = facts.record?;
    let serving = if taking_over(facts) { record.previous().or(record.wanted()) } else { record.wanted() };
    serving.map(|entry| revision(entry, None))
}

/// The revision that takes over, and the share of ready pods that run it.
pub(super) fn candidate(facts: &Facts<'_>) -> Option<RevisionStatus> {
    let record = facts.record?;
    record.previous()?;
    let wanted = record.wanted().filter(|_| taking_over(facts))?;
    let ready: Vec<bool> = facts
        .sidecars
        .view
        .pods
        .values()
        .filter(|pod| pod.ready && !pod.leaving)
        .map(|pod| pod.revision == wanted.name)
        .collect();
    let new = ready.iter().filter(|new| **new).count();
    let percent = (100 * new).checked_div(ready.len()).and_then(|percent| i32::try_from(percent).ok());
    Some(revision(wanted, Some(percent.unwrap_or(0))))
}

/// Some ready pod that is to stay runs another revision than the wanted one. Pods that are leaving are not counted by
/// Deployments either: `Ready` and the candidate end together.
fn taking_over(facts: &Facts<'_>) -> bool {
    let wanted = facts.record.and_then(|record| record.wanted()).map(|entry| entry.name.as_str());
    facts.sidecars.view.pods.values().any(|pod| pod.ready && !pod.leaving && Some(pod.revision.as_str()) != wanted)
}

fn revision(entry: &Entry, percent: Option<i32>) -> RevisionStatus {
    RevisionStatus { revision: entry.name.clone(), digest: entry.digest.to_string(), percent }
}

/// Pods that differ from what is wanted.
pub(super) fn pods(facts: &Facts<'_>) -> Vec<PodStatus> {
    let wanted = facts.record.and_then(|record| record.wanted());
    let digest = wanted.map(|entry| entry.digest.to_string());
    let odd = facts.sidecars.view.pods.iter().filter(|(_, pod)| {
        let other =
            pod.answered() && !pod.digests.is_empty() && digest.as_ref().is_some_and(|d| !pod.digests.contains(d));
        !pod.ready || pod.unbalanced || other || pod.problem.is_some()
    });
    odd.take(PODS)
        .map(|(name, pod)| PodStatus {
            name: name.clone(),
            digests: pod.digests.iter().take(4).cloned().collect(),
            error: pod
                .problem
                .as_ref()
                .or(pod.stream_problem.as_ref())
                .map(|problem| format!("{}: {}", problem.reason, problem.message))
                .or_else(|| pod.waiting.clone())
                .or_else(|| pod.unbalanced.then(|| "its books do not balance".to_owned()))
                .map(|text| text.chars().take(512).collect()),
        })
        .collect()
}

/// Revisions that were wanted, newest first.
pub(super) fn history(facts: &Facts<'_>) -> Vec<HistoryEntry> {
    let entries = facts.record.map(|record| record.revisions.as_slice()).unwrap_or_default();
    entries
        .iter()
        .map(|entry| HistoryEntry {
            revision: entry.name.clone(),
            digest: entry.digest.to_string(),
            module: entry.module.clone(),
            generation: entry.generation,
            since: entry.since.clone(),
        })
        .collect()
}

/// Cost of one instance, where each message gets one and they are dear. The first figure of a revision stays: measured
/// again it would differ a little each time.
pub(super) fn instance_cost(facts: &Facts<'_>) -> Option<String> {
    let same = facts.previous.stable.as_ref().map(|stable| &stable.revision)
        == facts.record.and_then(|record| record.wanted()).map(|entry| &entry.name);
    if !facts.fresh {
        return None;
    }
    if same && facts.previous.instance_cost.is_some() {
        return facts.previous.instance_cost.clone();
    }
    facts.sidecars.view.instance_cost.filter(|cost| *cost > DEAR).map(|cost| format!("{cost}us"))
}

/// The module as the status has it.
#[must_use]
pub(crate) fn module_status(
    urn: &str,
    digest: &Digest,
    size: u64,
    inspection: Option<&gear_module::Inspection>,
    abi: Option<gear_module::Abi>,
) -> ModuleStatus {
    let mut imports: Vec<String> = inspection
        .map(|inspection| {
            inspection.imports.iter().map(|import| format!("{}.{}", import.module, import.name)).collect()
        })
        .unwrap_or_default();
    imports.sort();
    imports.dedup();
    imports.truncate(128);
    ModuleStatus {
        urn: urn.to_owned(),
        digest: digest.to_string(),
        short_digest: digest.short(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        abi: abi.map(|abi| abi.as_str().to_owned()),
        imports,
    }
}
