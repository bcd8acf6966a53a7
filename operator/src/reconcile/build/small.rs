//! The children that hardly differ between gears.

use k8s_openapi::{
    api::{
        core::v1::ServiceAccount,
        policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::meta;
use crate::reconcile::validate::ValidGear;

/// Who the pods are. They never talk to the API server, so there is no token.
pub(super) fn service_account(gear: &ValidGear) -> ServiceAccount {
    ServiceAccount {
        metadata: meta::child(gear),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

/// One pod at a time; one that is not ready anyway may always go, else a broken gear would hold up a drain for ever.
pub(super) fn budget(gear: &ValidGear) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: meta::child(gear),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector {
                match_labels: Some(meta::selector_labels(&gear.identity.name)),
                ..LabelSelector::default()
            }),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}
