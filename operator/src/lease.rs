//! Leadership by a Lease.
//!
//! * A claim is a compare-and-swap: it names the resourceVersion that was read, so of two claimants one fails.
//! * Whether somebody else's claim has run out is decided by our own monotonic clock: only after the Lease was seen
//!   unchanged for as long as it says it is valid. Nobody's wall clock is trusted.
//! * The leader renews every third of the time; when it could not for two thirds it is no longer the leader, and the
//!   process ends ([`Lost`]): nothing can be left running that believes otherwise.
//! * On a shutdown the claim is given back, so that the next one need not wait.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, ResourceExt as _, api::PostParams};
use tokio::time::{Instant, sleep};

/// Leadership was lost, or could not be renewed in time.
#[derive(Debug, thiserror::Error)]
#[error("leadership is lost: {0}")]
pub struct Lost(String);

/// One claimant.
#[derive(Debug, Clone)]
pub(crate) struct Claimant {
    api: Api<Lease>,
    name: String,
    me: String,
    valid: Duration,
}

/// A Lease as it was seen, and since when it has not changed.
#[derive(Debug, Clone)]
struct Seen {
    version: String,
    since: Instant,
}

/// What a look at the Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Turn {
    /// It is ours.
    Mine,
    /// It may be claimed.
    Free,
    /// Somebody else has it.
    Taken,
}

impl Claimant {
    /// A claimant by the name `me`.
    #[must_use]
    pub(crate) fn new(client: Client, namespace: &str, name: &str, me: &str, valid: Duration) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), me: me.to_owned(), valid }
    }

    /// Waits until this claimant leads.
    pub(crate) async fn acquire(&self) {
        let mut seen = None;
        loop {
            match self.try_claim(&mut seen).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(lease = self.name, %error, "the Lease can't be read or written"),
            }
            sleep(self.valid / 6).await;
        }
    }

    /// Renews until that fails. Never returns while this claimant leads.
    pub(crate) async fn keep(&self) -> Lost {
        let (mut renewed, mut pause) = (Instant::now(), self.valid / 3);
        loop {
            sleep(pause).await;
            let begun = Instant::now();
            let patience = (self.valid * 2 / 3).saturating_sub(renewed.elapsed());
            match tokio::time::timeout(patience, self.renew()).await {
                Ok(Ok(true)) => {
                    (renewed, pause) = (begun, self.valid / 3);
                    continue;
                }
                Ok(Ok(false)) => return Lost(format!("Lease {} is held by somebody else", self.name)),
                Ok(Err(error)) => tracing::warn!(lease = self.name, %error, "the Lease could not be renewed"),
                Err(_) => {}
            }
            pause = self.valid / 15;
            if renewed.elapsed() > self.valid * 2 / 3 {
                return Lost(format!("Lease {} could not be renewed for {:?}", self.name, renewed.elapsed()));
            }
        }
    }

    /// Gives the claim back, if it is ours.
    pub(crate) async fn release(&self) {
        let result: Result<(), kube::Error> = async {
            let mut lease = self.api.get(&self.name).await?;
            if holder(&lease) == Some(&self.me) {
                lease.spec = Some(LeaseSpec {
                    holder_identity: Some(String::new()),
                    lease_duration_seconds: Some(1),
                    renew_time: Some(MicroTime(Timestamp::now())),
                    ..lease.spec.unwrap_or_default()
                });
                self.api.replace(&self.name, &PostParams::default(), &lease).await?;
            }
            Ok(())
        }
        .await;
        if let Err(error) = result {
            tracing::warn!(lease = self.name, %error, "the Lease could not be given back; it runs out by itself");
        }
    }

    async fn try_claim(&self, seen: &mut Option<Seen>) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.claim(None)),
            };
            return settled(self.api.create(&PostParams::default(), &lease).await);
        };
        match self.turn(&lease, seen, Instant::now()) {
            Turn::Taken => Ok(false),
            Turn::Mine | Turn::Free => self.replace(lease).await,
        }
    }

    async fn renew(&self) -> Result<bool, kube::Error> {
        let lease = self.api.get(&self.name).await?;
        if holder(&lease) != Some(&self.me) {
            return Ok(false);
        }
        self.replace(lease).await
    }

    async fn replace(&self, mut lease: Lease) -> Result<bool, kube::Error> {
        lease.spec = Some(self.claim(lease.spec.as_ref()));
        settled(self.api.replace(&self.name, &PostParams::default(), &lease).await)
    }

    fn turn(&self, lease: &Lease, seen: &mut Option<Seen>, now: Instant) -> Turn {
        let Some(holder) = holder(lease).filter(|holder| !holder.is_empty()) else { return Turn::Free };
        if *holder == self.me {
            return Turn::Mine;
        }
        let version = lease.resource_version().unwrap_or_default();
        let valid = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let valid = valid.and_then(|s| u64::try_from(s).ok()).map_or(self.valid, Duration::from_secs);
        match seen {
            Some(last) if last.version == version => {
                if now.duration_since(last.since) > valid {
                    Turn::Free
                } else {
                    Turn::Taken
                }
            }
            _ => {
                *seen = Some(Seen { version, since: now });
                Turn::Taken
            }
        }
    }

    fn claim(&self, last: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let mine = last.is_some_and(|last| last.holder_identity.as_ref() == Some(&self.me));
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: Some(i32::try_from(self.valid.as_secs().max(1)).unwrap_or(i32::MAX)),
            acquire_time: last.filter(|_| mine).and_then(|last| last.acquire_time.clone()).or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(last.and_then(|last| last.lease_transitions).unwrap_or(0) + i32::from(!mine)),
            ..LeaseSpec::default()
        }
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_ref())
}

/// Somebody else was faster: no error, and no claim.
fn settled(result: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant() -> Claimant {
        let service = tower::service_fn(|_: hyper::Request<kube::client::Body>| async {
            Err::<hyper::Response<kube::client::Body>, _>(std::io::Error::other("no server"))
        });
        Claimant::new(Client::new(service, "ns"), "ns", "lease", "me", Duration::from_secs(15))
    }

    fn lease(holder: &str, version: &str, valid: i32) -> Lease {
        Lease {
            metadata: ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.into()),
                lease_duration_seconds: Some(valid),
                ..LeaseSpec::default()
            }),
        }
    }

    #[tokio::test]
    async fn a_claim_runs_out_only_when_it_was_seen_unchanged_for_its_time() {
        let (me, mut seen, start) = (claimant(), None, Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(me.turn(&lease("other", "1", 15), &mut seen, at(0)), Turn::Taken);
        assert_eq!(me.turn(&lease("other", "1", 15), &mut seen, at(15)), Turn::Taken);
        assert_eq!(me.turn(&lease("other", "2", 15), &mut seen, at(16)), Turn::Taken, "renewed meanwhile");
        assert_eq!(me.turn(&lease("other", "2", 15), &mut seen, at(31)), Turn::Taken);
        assert_eq!(me.turn(&lease("other", "2", 15), &mut seen, at(32)), Turn::Free);
    }

    #[tokio::test]
    async fn a_claim_that_was_given_back_is_free_at_once_and_ones_own_is_ones_own() {
        let me = claimant();
        assert_eq!(me.turn(&lease("", "1", 1), &mut None, Instant::now()), Turn::Free);
        assert_eq!(me.turn(&lease("me", "1", 15), &mut None, Instant::now()), Turn::Mine);
    }

    #[tokio::test]
    async fn a_leader_that_can_not_renew_stops_before_another_one_may_begin() {
        let (me, begun) = (Claimant { valid: Duration::from_secs(3), ..claimant() }, Instant::now());
        let lost = me.keep().await.to_string();
        assert!(lost.contains("could not be renewed"), "{lost}");
        assert!(begun.elapsed() < me.valid, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn transitions_count_changes_of_the_holder() {
        let me = claimant();
        let first = me.claim(None);
        assert_eq!(first.lease_transitions, Some(1));
        assert_eq!(me.claim(Some(&first)).lease_transitions, Some(1));
        assert_eq!(me.claim(lease("other", "1", 15).spec.as_ref()).lease_transitions, Some(1));
    }
}
