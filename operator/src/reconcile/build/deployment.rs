//! The Deployment: how pods replace each other. What is in them is in `pod`.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::PodTemplateSpec,
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use wasmgear_crds::words;

use super::{meta, pod};
use crate::{reconcile::validate::ValidGear, settings::Sidecar};

/// Old ReplicaSets that are kept; going back is a new revision, so none is needed.
const HISTORY: i32 = 1;

/// One pod more while pods are replaced, and never one less.
pub(super) fn deployment(gear: &ValidGear, sidecar: &Sidecar, revision: &str, settings: &str) -> Deployment {
    let name = &gear.identity.name;
    let mut annotations = gear.placement.annotations.clone();
    annotations.insert(words::REVISION_ANNOTATION.to_owned(), revision.to_owned());
    annotations.insert(words::SETTINGS_ANNOTATION.to_owned(), settings.to_owned());
    let mut labels = gear.placement.labels.clone();
    labels.extend(meta::labels(name));
    Deployment {
        metadata: meta::child(gear),
        spec: Some(DeploymentSpec {
            replicas: Some(gear.placement.replicas),
            revision_history_limit: Some(HISTORY),
            progress_deadline_seconds: Some(gear.placement.progress_deadline),
            selector: LabelSelector { match_labels: Some(meta::selector_labels(name)), match_expressions: None },
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: Some(annotations),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod::spec(gear, sidecar)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}
