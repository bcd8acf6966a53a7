//! What sidecars say about themselves, `GET /status` by pod IP.
//!
//! * A gear that changes is looked at twice a second, later every five seconds; one at rest once a minute, spread by 20 %.
//! * At most 64 questions are open at once, each for two seconds at most. A pod that does not answer is unknown, which
//!   is never taken for good or bad.
//! * An answer counts only if it names the gear's UID.
//! * What is kept for the status moves with states, never with messages: a [`View`] compares equal as long as nothing
//!   happened that a person would be told. Only a View that differs wakes the controller.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gear_config::status::{LedgerStatus, SidecarStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use wasmgear_crds::words;

mod lag;
mod prober;
mod question;
mod view;

pub(crate) use prober::run;
pub(crate) use question::PORT_NAME;
pub(crate) use view::{Link, Messages, PodView, View};

use lag::LagTracker;

/// Time for which a gear that changes is looked at often.
const OFTEN: Duration = Duration::from_mins(2);
/// How often after that.
const LESS_OFTEN: Duration = Duration::from_secs(5);
/// Answers in a row that must not balance before people are told: one may have been read in the middle of an update.
const STRIKES: u32 = 2;

/// What sidecars said, by gear.
#[derive(Debug)]
pub(crate) struct Observations {
    gears: Mutex<HashMap<String, Observation>>,
    silence: Duration,
    rest: Duration,
    busy: Duration,
}

#[derive(Debug, Default)]
struct Observation {
    /// Answers by pod UID.
    answers: HashMap<String, Answer>,
    changing_since: Option<Instant>,
    due: Option<Instant>,
    silent_since: Option<Instant>,
    lag: LagTracker,
    last: View,
}

#[derive(Debug, Clone)]
struct Answer {
    status: Option<SidecarStatus>,
    strikes: u32,
}

impl Observations {
    /// Nothing is known yet.
    #[must_use]
    pub(crate) fn new(silence: Duration, busy: Duration, rest: Duration) -> Self {
        Self { gears: Mutex::default(), silence, rest, busy }
    }

    /// Whether the gear changes, and so is looked at often.
    pub(crate) fn pace(&self, uid: &str, changing: bool) {
        let mut gears = self.gears();
        let gear = gears.entry(uid.to_owned()).or_default();
        match (changing, gear.changing_since) {
            (true, None) => (gear.changing_since, gear.due) = (Some(Instant::now()), None),
            (false, Some(_)) => gear.changing_since = None,
            _ => {}
        }
    }

    /// The gear is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.gears().remove(uid);
    }

    /// What a person would be told now.
    #[must_use]
    pub(crate) fn view(&self, uid: &str, pods: &[Arc<Pod>]) -> View {
        self.gears().entry(uid.to_owned()).or_default().view(pods, self.silence, Instant::now())
    }

    /// The books of all pods that answered, added up; and how many did.
    #[must_use]
    pub(crate) fn ledger(&self, uid: &str, pods: &[Arc<Pod>]) -> (LedgerStatus, i32, bool) {
        let gears = self.gears();
        let mut sum = (LedgerStatus::default(), 0, true);
        let Some(gear) = gears.get(uid) else { return sum };
        for ledger in pods.iter().filter_map(|pod| gear.status(pod)).map(|status| status.ledger) {
            sum.0.received += ledger.received;
            sum.0.ok += ledger.ok;
            sum.0.dropped += ledger.dropped;
            sum.0.rejected += ledger.rejected;
            sum.0.dead_lettered += ledger.dead_lettered;
            sum.1 += 1;
            sum.2 &= ledger.balances();
        }
        sum
    }

    /// Takes the answers of one round. Whether a person would be told something new.
    fn take(&self, uid: &str, pods: &[Arc<Pod>], round: Vec<(String, Option<SidecarStatus>)>) -> bool {
        let (now, mut gears) = (Instant::now(), self.gears());
        let Some(gear) = gears.get_mut(uid) else { return false };
        gear.answers.retain(|known, _| pods.iter().any(|pod| pod.uid().as_deref() == Some(known)));
        for (pod, status) in round {
            let strikes = match (&status, gear.answers.get(&pod)) {
                (Some(status), last) if !status.ledger.balances() => last.map_or(0, |last| last.strikes) + 1,
                (None, Some(last)) => last.strikes,
                _ => 0,
            };
            gear.answers.insert(pod, Answer { status, strikes });
        }
        let statuses: Vec<&SidecarStatus> = pods.iter().filter_map(|pod| gear.status(pod)).collect();
        let sample = lag::Sample::of(&statuses);
        if let Some(sample) = sample {
            gear.lag.take(sample, now, self.rest);
        }
        let view = gear.view(pods, self.silence, now);
        let news = view != gear.last;
        gear.last = view;
        news
    }

    /// Gears that are due, of those that are there; each is due again after its pace.
    fn due(&self, uids: impl Iterator<Item = String>) -> Vec<String> {
        let (now, mut gears) = (Instant::now(), self.gears());
        uids.filter(|uid| {
            let gear = gears.entry(uid.clone()).or_default();
            if gear.due.is_some_and(|due| due > now) {
                return false;
            }
            let pause = match gear.changing_since {
                Some(since) if since.elapsed() < OFTEN => self.busy,
                Some(_) => LESS_OFTEN.min(self.rest),
                None => crate::backoff::jittered(self.rest * 4 / 5, self.rest * 6 / 5),
            };
            gear.due = Some(now + pause);
            true
        })
        .collect()
    }

    fn gears(&self) -> MutexGuard<'_, HashMap<String, Observation>> {
        self.gears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observation {
    fn answer(&self, pod: &Pod) -> Option<&Answer> {
        self.answers.get(pod.metadata.uid.as_deref()?)
    }

    fn status(&self, pod: &Pod) -> Option<&SidecarStatus> {
        self.answer(pod)?.status.as_ref()
    }

    fn view(&mut self, pods: &[Arc<Pod>], silence: Duration, now: Instant) -> View {
        let statuses: Vec<SidecarStatus> = pods.iter().filter_map(|pod| self.status(pod).cloned()).collect();
        View {
            pods: pods.iter().map(|pod| (pod.name_any(), self.pod(pod))).collect(),
            messages: self.messages(&statuses, silence, now),
            lag: self.lag.class(),
            instance_cost: statuses.iter().filter_map(|status| status.revisions.first()?.instance_cost_us).max(),
        }
    }

    fn messages(&mut self, statuses: &[SidecarStatus], silence: Duration, now: Instant) -> Messages {
        if statuses.iter().any(|status| status.stream.last_message_ms > 0) {
            self.silent_since = None;
            return Messages::Came;
        }
        if statuses.is_empty() || !statuses.iter().all(|status| status.stream.connected) {
            self.silent_since = None;
            return Messages::Unknown;
        }
        let since = *self.silent_since.get_or_insert(now);
        if now.duration_since(since) < silence {
            return Messages::Unknown;
        }
        Messages::Silent { waiting: statuses.iter().any(|status| status.stream.pending > 0) }
    }

    fn pod(&self, pod: &Pod) -> PodView {
        let answer = self.answer(pod);
        let status = answer.and_then(|answer| answer.status.as_ref());
        let revisions = status.map(|status| status.revisions.as_slice()).unwrap_or_default();
        let failed = revisions.iter().find_map(|revision| revision.problem.clone());
        PodView {
            ready: is_ready(pod),
            leaving: pod.metadata.deletion_timestamp.is_some(),
            revision: pod.annotations().get(words::REVISION_ANNOTATION).cloned().unwrap_or_default(),
            digests: revisions.iter().filter(|r| r.prepared).map(|r| r.digest.to_string()).collect(),
            problem: failed.or_else(|| status.and_then(|status| status.not_ready.clone())),
            link: match status.map(|status| status.stream.connected) {
                None => Link::Unknown,
                Some(false) => Link::Down,
                Some(true) => Link::Up,
            },
            stream_problem: status.and_then(|status| status.stream.problem.clone()),
            unbalanced: answer.is_some_and(|answer| answer.strikes >= STRIKES),
            waiting: waiting(pod),
        }
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What keeps a pod from running: the scheduler's words, or the kubelet's for a container that waits for something else
/// than its creation.
fn waiting(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let unscheduled = status.conditions.iter().flatten().find(|c| c.type_ == "PodScheduled" && c.status == "False");
    if let Some(condition) = unscheduled {
        return condition.message.clone().or_else(|| condition.reason.clone());
    }
    let state = status.container_statuses.iter().flatten().find_map(|container| container.state.as_ref());
    let waiting = state?.waiting.as_ref()?;
    let reason =
        waiting.reason.as_deref().filter(|reason| *reason != "ContainerCreating" && *reason != "PodInitializing")?;
    Some(waiting.message.as_ref().map_or_else(|| reason.to_owned(), |message| format!("{reason}: {message}")))
}

#[cfg(test)]
mod tests;
