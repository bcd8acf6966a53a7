use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;

use super::*;

fn map(owner: Option<(&str, &str)>, managed: bool) -> ConfigMap {
    let owners = owner.map(
        |(name, uid)| json!([{ "apiVersion": "v1", "kind": "WasmGear", "name": name, "uid": uid, "controller": true }]),
    );
    let labels = if managed { json!({ "app.kubernetes.io/managed-by": "wasmgear-operator" }) } else { json!({}) };
    let metadata = json!({ "name": "x", "namespace": "n", "ownerReferences": owners, "labels": labels });
    serde_json::from_value(json!({ "metadata": metadata, "data": { "a": "b" } })).unwrap()
}

#[test]
fn only_what_was_sent_is_compared() {
    let sent = json!({ "spec": { "replicas": 1, "list": [{ "name": "a" }] } });
    let live =
        json!({ "spec": { "replicas": 1, "list": [{ "name": "a", "default": true }], "other": 5 }, "status": {} });
    assert_eq!(project(&sent, &live), sent);
    let edited = json!({ "spec": { "replicas": 3, "list": [{ "name": "b" }] } });
    assert_eq!(paths(&sent, &project(&sent, &edited)), ["spec.list[0].name", "spec.replicas"]);
    let longer = json!({ "spec": { "replicas": 1, "list": [{ "name": "a" }, { "name": "b" }] } });
    assert_eq!(paths(&sent, &project(&sent, &longer)), ["spec.list"]);
    assert_eq!(paths(&sent, &project(&sent, &json!({ "spec": { "replicas": 1 } }))), ["spec.list"]);
}

#[test]
fn a_form_that_the_server_made_is_known_again_only_for_the_same_wish() {
    let forms = Forms::default();
    let form = Digest::of(b"500m");
    forms.learn("u/Deployment".into(), "h1".into(), form);
    assert!(forms.knows("u/Deployment", "h1", &form));
    assert!(!forms.knows("u/Deployment", "h2", &form), "another wish");
    assert!(!forms.knows("u/Deployment", "h1", &Digest::of(b"600m")), "another form");
    forms.forget("u");
    assert!(!forms.knows("u/Deployment", "h1", &form));
}

#[test]
fn objects_of_others_are_left_alone() {
    let wanted = map(Some(("g", "1")), true);
    assert!(ours(&wanted, &map(Some(("g", "1")), false)).is_ok());
    let conflict = |found: &ConfigMap| ours(&wanted, found).unwrap_err().failure();
    assert_eq!(conflict(&map(None, true)).reason, Reason::ChildConflict);
    assert_eq!(conflict(&map(Some(("other", "2")), true)).reason, Reason::ChildConflict);
    assert!(conflict(&map(Some(("other", "2")), true)).is_stalled());
    let earlier = conflict(&map(Some(("g", "2")), true));
    assert_eq!(
        (earlier.reason, earlier.is_stalled()),
        (Reason::Progressing, false),
        "the cluster removes it by itself"
    );
    assert!(ours(&map(None, true), &map(None, true)).is_ok(), "the policy of a namespace has no owner");
    assert!(ours(&map(None, true), &map(None, false)).is_err());
}

#[test]
fn the_hash_is_of_the_wish_and_not_of_itself() {
    let (sent, hash) = stamped(&map(Some(("g", "1")), true)).unwrap();
    assert_eq!(sent["metadata"]["annotations"][words::APPLIED_ANNOTATION], hash);
    assert_eq!(stamped(&map(Some(("g", "1")), true)).unwrap().1, hash);
    assert_ne!(stamped(&map(Some(("g", "1")), false)).unwrap().1, hash);
}
