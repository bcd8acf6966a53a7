//! Events: on changes only.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, Resource as _, api::PostParams};
use wasmgear_crds::{ConditionType, Reason, WasmGear, WasmGearStatus, words};

use super::Facts;

/// Bytes of a note; the API server takes no more.
const LONGEST: usize = 1000;

/// What people are told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// Something that somebody should look at.
    pub warning: bool,
    /// The word of the condition.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// Conditions of which every change of reason is told, and those of which only a flip is.
const TOLD: [(ConditionType, Told); 4] = [
    (ConditionType::Ready, Told::Reasons),
    (ConditionType::Available, Told::Flips),
    (ConditionType::StreamConnected, Told::Flips),
    (ConditionType::LedgerBalanced, Told::Flips),
];

#[derive(Clone, Copy, PartialEq)]
enum Told {
    Reasons,
    Flips,
}

/// What changed between the stored status and the new one.
pub(super) fn notes(facts: &Facts<'_>, status: &WasmGearStatus) -> Vec<Note> {
    let mut notes: Vec<Note> = TOLD.into_iter().filter_map(|(kind, told)| change(facts, status, kind, told)).collect();
    // One sentence is enough for one cause.
    notes.dedup_by(|later, first| later.reason == first.reason && later.message == first.message);
    if status.instance_cost.is_some() && facts.previous.instance_cost.is_none() {
        let cost = facts.sidecars.view.instance_cost.unwrap_or(1).max(1);
        notes.push(Note {
            warning: true,
            reason: Reason::InstanceCost.as_str().to_owned(),
            message: format!(
                "a fresh instance costs {cost} us, which allows at most {} messages per second and thread; instance.mode Persistent avoids it",
                1_000_000 / cost
            ),
        });
    }
    let silence = Reason::NoMessagesYet;
    if !facts.reason_was(ConditionType::StreamConnected, silence)
        && let Some(condition) = find(&status.conditions, ConditionType::StreamConnected)
        && condition.reason == silence.as_str()
    {
        notes.push(Note { warning: true, reason: silence.as_str().to_owned(), message: condition.message.clone() });
    }
    notes.extend(facts.restored.iter().map(|edit| Note {
        warning: true,
        reason: Reason::ChildRestored.as_str().to_owned(),
        message: edit.clone(),
    }));
    notes
}

fn change(facts: &Facts<'_>, status: &WasmGearStatus, kind: ConditionType, told: Told) -> Option<Note> {
    let new = find(&status.conditions, kind)?;
    let old = facts.last(kind);
    let flipped = match old {
        Some(old) => old.status != new.status,
        // That a new gear does not serve yet is no news.
        None => new.status == "True" || told == Told::Reasons,
    };
    let reason = told == Told::Reasons && old.is_some_and(|old| old.reason != new.reason);
    // Unknown is not told: nobody knows anything new.
    if new.status == "Unknown" || !(flipped || reason) {
        return None;
    }
    let fine = new.status == "True" || new.reason == Reason::Progressing.as_str();
    let message = format!("{}={}: {}", new.type_, new.status, new.message);
    Some(Note { warning: !fine, reason: new.reason.clone(), message })
}

fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

/// Writes Events. One that can't be written is a line in the log: it is a courtesy, not a record.
pub(super) async fn publish(client: &Client, gear: &WasmGear, namespace: &str, notes: &[Note], pod_name: &str) {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    for note in notes {
        let event = event(&gear.object_ref(&()), note, pod_name);
        if let Err(error) = api.create(&PostParams::default(), &event).await {
            tracing::warn!(%error, reason = note.reason, "an Event could not be written");
        }
    }
}

fn event(regarding: &ObjectReference, note: &Note, pod_name: &str) -> Event {
    let now = Timestamp::now();
    let name = regarding.name.clone().unwrap_or_default();
    let mut message = note.message.clone();
    while message.len() > LONGEST {
        message.pop();
    }
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}", now.as_nanosecond())),
            namespace: regarding.namespace.clone(),
            ..ObjectMeta::default()
        },
        action: Some("Reconcile".to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(message),
        reason: Some(note.reason.clone()),
        regarding: Some(regarding.clone()),
        reporting_controller: Some(format!("fluxrig.org/{}", words::MANAGER)),
        reporting_instance: Some(pod_name.to_owned()),
        type_: Some(if note.warning { "Warning" } else { "Normal" }.to_owned()),
        ..Event::default()
    }
}
