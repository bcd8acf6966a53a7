//! Names, labels and owners: made here and nowhere else.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use wasmgear_crds::words;

use crate::reconcile::validate::ValidGear;

/// Label selector of everything that the operator makes.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by=wasmgear-operator";

const NAME: &str = "app.kubernetes.io/name";

/// Labels that select the pods of a gear.
pub(super) fn selector_labels(gear: &str) -> BTreeMap<String, String> {
    [(NAME, words::POD_APP), (words::GEAR_LABEL, gear)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// The same as text, for the scale subresource.
#[must_use]
pub(crate) fn pod_selector(gear: &str) -> String {
    selector_labels(gear).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Labels of every object that the operator makes.
pub(super) fn base_labels() -> BTreeMap<String, String> {
    [
        (NAME, words::POD_APP),
        ("app.kubernetes.io/managed-by", words::MANAGER),
        ("app.kubernetes.io/part-of", "wasmgear"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Labels of a gear's children and pods.
pub(super) fn labels(gear: &str) -> BTreeMap<String, String> {
    let mut labels = base_labels();
    labels.insert("app.kubernetes.io/instance".to_owned(), gear.to_owned());
    labels.extend(selector_labels(gear));
    labels
}

/// Metadata of a child: it goes when the gear goes.
pub(super) fn child(gear: &ValidGear) -> ObjectMeta {
    ObjectMeta {
        name: Some(words::child_name(&gear.identity.name)),
        namespace: Some(gear.identity.namespace.clone()),
        labels: Some(labels(&gear.identity.name)),
        owner_references: Some(vec![gear.owner.clone()]),
        ..ObjectMeta::default()
    }
}
