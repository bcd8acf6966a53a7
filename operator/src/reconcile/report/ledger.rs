//! The books at the start and the end of a rollout: two snapshots, so that the status does not move with messages.

use wasmgear_crds::{ConditionType, LedgerSnapshot, LedgerStatus};

use super::{Facts, condition};

/// The books of the newest rollout.
pub(super) fn ledger(facts: &Facts<'_>) -> Option<LedgerStatus> {
    let Some(wanted) = facts.record.and_then(|record| record.wanted()) else { return facts.previous.ledger.clone() };
    let last = facts.previous.ledger.as_ref().filter(|last| last.revision == wanted.name);
    let mut ledger = last.cloned().unwrap_or_else(|| LedgerStatus {
        revision: wanted.name.clone(),
        // Pods that are there before the first revision's are nobody's.
        start: facts.record.and_then(|record| record.previous()).and_then(|_| snapshot(facts)),
        end: None,
    });
    let done = condition::rolled_out(facts).status == condition::Status::True;
    if ledger.end.is_none() && done && !facts.was(ConditionType::Stalled) {
        ledger.end = snapshot(facts);
    }
    Some(ledger)
}

fn snapshot(facts: &Facts<'_>) -> Option<LedgerSnapshot> {
    let (sum, pods, balanced) = &facts.sidecars.ledger;
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    (*pods > 0).then(|| LedgerSnapshot {
        time: facts.now.clone(),
        pods: *pods,
        received: count(sum.received),
        ok: count(sum.ok),
        dropped: count(sum.dropped),
        rejected: count(sum.rejected),
        dead_lettered: count(sum.dead_lettered),
        balanced: *balanced,
    })
}
