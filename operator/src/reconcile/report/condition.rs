//! One function for each condition.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use wasmgear_crds::{ConditionType, Reason};

use super::Facts;
use crate::{
    metrics::State,
    observe::{Link, Messages, PodView},
};

/// Longest message; the schema takes more, people don't.
const LONGEST: usize = 1024;

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) status: Status,
    pub(super) reason: String,
    pub(super) message: String,
}

/// The three values of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    True,
    False,
    Unknown,
}

impl Says {
    fn new(status: Status, reason: Reason, message: impl Into<String>) -> Self {
        Self { status, reason: reason.as_str().to_owned(), message: message.into() }
    }

    fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Status::True, reason, message)
    }

    fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Status::False, reason, message)
    }

    fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Status::Unknown, reason, message)
    }
}

/// All conditions, in the order of the reference. `Reconciling` and `Stalled` are there only while they are True.
pub(super) fn conditions(facts: &Facts<'_>) -> Vec<Condition> {
    let resolved = module_resolved(facts);
    let granted = capabilities_granted(facts);
    let rolled_out = rolled_out(facts);
    let connected = stream_connected(facts);
    let available = available(facts);
    let ready = ready(facts, &rolled_out, &connected);
    let (reconciling, stalled) = going(facts, &ready);
    let balanced = ledger_balanced(facts);
    [
        (ConditionType::Ready, Some(ready)),
        (ConditionType::Available, Some(available)),
        (ConditionType::ModuleResolved, Some(resolved)),
        (ConditionType::CapabilitiesGranted, Some(granted)),
        (ConditionType::RolledOut, Some(rolled_out)),
        (ConditionType::StreamConnected, Some(connected)),
        (ConditionType::LedgerBalanced, Some(balanced)),
        (ConditionType::Reconciling, reconciling),
        (ConditionType::Stalled, stalled),
    ]
    .into_iter()
    .filter_map(|(kind, says)| Some(condition(facts, kind, says?)))
    .collect()
}

fn condition(facts: &Facts<'_>, kind: ConditionType, says: Says) -> Condition {
    let status = match says.status {
        Status::True => "True",
        Status::False => "False",
        Status::Unknown => "Unknown",
    };
    let since = facts.last(kind).filter(|last| last.status == status).map(|last| last.last_transition_time.clone());
    Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: says.reason,
        message: says.message.chars().take(LONGEST).collect(),
        observed_generation: Some(facts.generation),
        last_transition_time: since.unwrap_or_else(|| facts.now.clone()),
    }
}

pub(super) fn module_resolved(facts: &Facts<'_>) -> Says {
    match (facts.module_failure, &facts.module) {
        (Some(failure), _) if failure.is_stalled() => Says::no(failure.reason, &failure.message),
        // A registry that is away says nothing about the module.
        (Some(failure), _) => Says::unknown(failure.reason, &failure.message),
        (None, Some(module)) => {
            Says::yes(Reason::Resolved, format!("{} is {}, {} bytes", module.urn, module.digest, module.size))
        }
        (None, None) => Says::unknown(Reason::NotJudged, "the module was not looked at"),
    }
}

pub(super) fn capabilities_granted(facts: &Facts<'_>) -> Says {
    match facts.imports {
        Some(Ok(())) => Says::yes(Reason::Granted, "everything that the module imports is granted"),
        Some(Err(failure)) => Says::no(failure.reason, &failure.message),
        None => Says::unknown(Reason::NotJudged, "the module could not be looked at"),
    }
}

/// Sticky: a pod that restarts later is no rollout.
pub(super) fn rolled_out(facts: &Facts<'_>) -> Says {
    if let Some(failure) = facts.blocking() {
        return Says::no(failure.reason, &failure.message);
    }
    let Some(rollout) = &facts.rollout else {
        return Says::no(Reason::NothingToServe, "there is no Deployment");
    };
    let revision = facts.record.and_then(|record| record.wanted()).map_or("", |entry| entry.name.as_str());
    let all_new = rollout.seen && rollout.updated == facts.replicas && rollout.replicas == facts.replicas;
    if facts.replicas == 0 && all_new {
        return Says::yes(Reason::ScaledToZero, format!("{revision} is in place, no pod is wanted"));
    }
    if all_new && (rollout.available == facts.replicas || facts.settled()) {
        return Says::yes(Reason::Complete, format!("all {} pods run {revision}", facts.replicas));
    }
    let old = match rollout.replicas - rollout.updated {
        ..=0 => String::new(),
        old => format!(", {old} still run another revision"),
    };
    let progress =
        format!("{} of {} pods run {revision}, {} are ready{old}", rollout.updated, facts.replicas, rollout.ready);
    match (&rollout.late, trouble(facts)) {
        (Some(_), Some(trouble)) => Says::no(Reason::ProgressDeadlineExceeded, format!("{progress}; {trouble}")),
        (Some(late), None) => Says::no(Reason::ProgressDeadlineExceeded, format!("{progress}; {late}")),
        (None, Some(trouble)) => Says::no(Reason::Progressing, format!("{progress}; {trouble}")),
        (None, None) => Says::no(Reason::Progressing, progress),
    }
}

/// The first pod that says what it lacks.
fn trouble(facts: &Facts<'_>) -> Option<String> {
    facts.sidecars.view.pods.iter().filter(|(_, pod)| !pod.ready).find_map(|(name, pod)| {
        let problem = pod.problem.as_ref().or(pod.stream_problem.as_ref());
        let text = problem.map(|problem| format!("{}: {}", problem.reason, problem.message)).or(pod.waiting.clone())?;
        Some(format!("pod {name}: {text}"))
    })
}

pub(super) fn available(facts: &Facts<'_>) -> Says {
    match &facts.rollout {
        None => Says::no(Reason::NothingToServe, "no revision was ever good enough to run"),
        Some(rollout) if rollout.ready > 0 => Says::yes(Reason::Serving, "pods are ready"),
        Some(_) if facts.replicas == 0 => Says::no(Reason::ScaledToZero, "no pod is wanted"),
        Some(_) => Says::no(Reason::NoReadyPods, "no pod is ready"),
    }
}

pub(super) fn stream_connected(facts: &Facts<'_>) -> Says {
    let view = facts.sidecars.view;
    match &facts.rollout {
        None => return Says::unknown(Reason::NothingToServe, "no revision was ever good enough to run"),
        Some(_) if facts.replicas == 0 && view.pods.is_empty() => {
            return Says::unknown(Reason::ScaledToZero, "no pod is wanted");
        }
        Some(_) => {}
    }
    let answered = || view.pods.iter().filter(|(_, pod)| pod.answered());
    if let Some((name, pod)) = answered().find(|(_, pod)| pod.link == Link::Down) {
        return match &pod.stream_problem {
            Some(problem) => Says {
                status: Status::False,
                reason: word(&problem.reason).unwrap_or(Reason::SidecarProblem.as_str()).to_owned(),
                message: format!("pod {name}: {}", problem.message),
            },
            None => Says::unknown(Reason::SidecarsUnknown, format!("pod {name} is not connected yet")),
        };
    }
    if answered().next().is_none() {
        return Says::unknown(Reason::SidecarsUnknown, "no sidecar answers");
    }
    messages(facts)
}

/// Whether messages come. Once some came that stays so: a pod that restarts on a quiet stream has not seen any either.
fn messages(facts: &Facts<'_>) -> Says {
    let came = facts.reason_was(ConditionType::StreamConnected, Reason::Receiving);
    let subjects = facts.subjects.join(", ");
    match facts.sidecars.view.messages {
        Messages::Came => Says::yes(Reason::Receiving, format!("messages come on {subjects}")),
        _ if came => Says::yes(Reason::Receiving, format!("messages come on {subjects}")),
        Messages::Silent { waiting: true } => Says::yes(
            Reason::NoMessagesYet,
            format!(
                "messages wait on {subjects} and none was delivered for 60 s; look at the consumer's other pullers and at the sidecar's logs"
            ),
        ),
        Messages::Silent { waiting: false } => Says::yes(
            Reason::NoMessagesYet,
            format!(
                "no message came on {subjects} for 60 s; check that somebody publishes there: fluxrig puts a wire on the bus only if its consumer runs on another rack"
            ),
        ),
        Messages::Unknown => Says::yes(Reason::Connected, "the sidecars have their consumer"),
    }
}

/// A word of a sidecar that may stand in a condition.
fn word(reason: &str) -> Option<&str> {
    let camel =
        reason.starts_with(|c: char| c.is_ascii_uppercase()) && reason.chars().all(|c| c.is_ascii_alphanumeric());
    (camel && reason.len() <= 64).then_some(reason)
}

pub(super) fn ledger_balanced(facts: &Facts<'_>) -> Says {
    let view = facts.sidecars.view;
    if facts.rollout.is_none() {
        return Says::unknown(Reason::NothingToServe, "no revision was ever good enough to run");
    }
    if let Some((name, _)) = view.pods.iter().find(|(_, pod)| pod.unbalanced) {
        return Says::no(Reason::Unbalanced, format!("the books of pod {name} do not balance"));
    }
    if view.pods.values().any(PodView::answered) {
        return Says::yes(Reason::Balanced, "each message is in exactly one class");
    }
    if facts.replicas == 0 {
        return Says::unknown(Reason::ScaledToZero, "no pod is wanted");
    }
    Says::unknown(Reason::SidecarsUnknown, "no sidecar answers")
}

pub(super) fn ready(facts: &Facts<'_>, rolled_out: &Says, connected: &Says) -> Says {
    if let Some(failure) = facts.blocking() {
        return Says::no(failure.reason, &failure.message);
    }
    if facts.replicas == 0 && rolled_out.status == Status::True {
        return Says::yes(Reason::ScaledToZero, rolled_out.message.clone());
    }
    let someone = facts.rollout.as_ref().is_some_and(|rollout| rollout.ready > 0);
    match (rolled_out.status, someone) {
        (Status::True, true) => Says::yes(Reason::Serving, rolled_out.message.clone()),
        // What the sidecars lack says more than that they are not ready.
        _ if connected.status == Status::False => Says { status: Status::False, ..connected.clone() },
        (Status::True, false) => {
            Says::no(Reason::NoReadyPods, trouble(facts).unwrap_or_else(|| "no pod is ready".to_owned()))
        }
        _ => Says { status: Status::False, ..rolled_out.clone() },
    }
}

/// `Reconciling` and `Stalled`: at most one of them, and only while True.
pub(super) fn going(facts: &Facts<'_>, ready: &Says) -> (Option<Says>, Option<Says>) {
    let now = |says: &Says| Some(Says { status: Status::True, ..says.clone() });
    if let Some(failure) = facts.passing() {
        return (Some(Says::yes(failure.reason, &failure.message)), None);
    }
    if ready.status == Status::True {
        return (None, None);
    }
    match facts.failure {
        Some(failure) if failure.is_stalled() => (None, now(ready)),
        _ => (now(ready), None),
    }
}

/// How a gear stands, from its conditions.
#[must_use]
pub(crate) fn standing(conditions: &[Condition]) -> State {
    let is = |kind: ConditionType| {
        conditions.iter().any(|condition| condition.type_ == kind.as_str() && condition.status == "True")
    };
    match (is(ConditionType::Stalled), is(ConditionType::Reconciling)) {
        (true, _) => State::Stalled,
        (_, true) => State::Reconciling,
        _ => State::Ready,
    }
}
