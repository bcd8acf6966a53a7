//! Generated files are compared, not remembered.

use std::{fs, path::Path};

fn compare(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the types say; run: cargo xtask generate");
}

#[test]
fn the_committed_definition_is_current() {
    compare("crds/wasmgear.yaml", &wasmgear_crds::crd_yaml().unwrap());
}

#[test]
fn the_reference_of_fields_is_current() {
    compare("docs/reference/wasmgear.md", &wasmgear_crds::fields_page().unwrap());
}

#[test]
fn the_reference_of_conditions_is_current() {
    compare("docs/reference/conditions.md", &wasmgear_crds::conditions_page());
}

#[test]
fn fields_that_are_not_available_say_so_in_the_reference() {
    let page = wasmgear_crds::fields_page().unwrap();
    let absent: Vec<&str> = page
        .lines()
        .filter(|line| line.contains("**Not available"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    let expected = [
        "configFrom",
        "deadLetter",
        "http",
        "kv",
        "limits.httpCalls",
        "limits.kvCalls",
        "registrySecretRef",
        "rollout.bake",
        "rollout.historyLimit",
        "rollout.maxErrorPercent",
        "rollout.minMessages",
        "rollout.paused",
        "rollout.steps",
        "verify",
        "wasi",
    ];
    assert_eq!(absent, expected.map(|field| format!("spec.{field}")));
}

#[test]
fn every_reason_for_which_a_stream_does_not_flow_is_explained() {
    // The stream's crate knows NATS and this one must not; so its list is read as text.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sidecar/stream/src/problem.rs");
    let text = fs::read_to_string(file).unwrap();
    let constants = text.lines().filter(|line| line.starts_with("pub const") && line.contains(": &str = "));
    let reasons: Vec<&str> = constants.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(reasons.len() > 10, "{reasons:?}");
    for reason in reasons {
        let known = wasmgear_crds::Reason::find(reason).unwrap_or_else(|| panic!("no reason {reason}"));
        assert_eq!(known.conditions(), [wasmgear_crds::ConditionType::StreamConnected], "{reason}");
    }
}
