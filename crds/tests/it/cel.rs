//! Rules on a real API server: each refuses what it is for, with its own sentence.

use std::collections::BTreeSet;

use apiserver::ApiServer;
use serde_json::{Value, json};

mod table;

/// The smallest useful resource, with `patch` merged into it.
fn manifest(name: &str, patch: &Value) -> Value {
    let mut gear = json!({
        "apiVersion": "gears.fluxrig.org/v1alpha1",
        "kind": "WasmGear",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "module": "urn:wasm:fraud-scorer:v2.1", "input": { "rack": "edge-a", "gear": "line-in" } },
    });
    merge(&mut gear, patch);
    gear
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            if !target[name].is_object() {
                target[name] = json!({});
            }
            merge(&mut target[name], value);
        }
    }
}

fn installed() -> &'static ApiServer {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let server = ApiServer::shared().unwrap();
    ONCE.call_once(|| {
        let crd = wasmgear_crds::crd_yaml().unwrap();
        assert_eq!(server.define(&crd, "wasmgears.gears.fluxrig.org").unwrap(), "");
    });
    server
}

/// What the server says to an apply: nothing when it accepts.
fn apply(manifest: &Value, args: &[&str]) -> Option<String> {
    let args = ["apply", "-f", "-"].iter().chain(args);
    let output = installed().kubectl(args, &manifest.to_string()).unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The rules of the definition, each as the fragments of its sentence that stand between values.
fn rules() -> Vec<(String, Vec<String>)> {
    fn collect(path: &str, schema: &Value, found: &mut Vec<(String, Vec<String>)>) {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let fragments = match rule["messageExpression"].as_str() {
                Some(expression) => literals(expression),
                None => vec![rule["message"].as_str().unwrap().to_owned()],
            };
            found.push((format!("{path}: {}", rule["message"].as_str().unwrap()), fragments));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            collect(&format!("{path}.{name}"), field, found);
        }
    }
    let crd = serde_json::to_value(wasmgear_crds::crd().unwrap()).unwrap();
    let mut found = Vec::new();
    collect("", &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &mut found);
    found
}

/// `'text ' + x + ' more'` → `text `, ` more`; a lone slash or dot inside a value is no text.
fn literals(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    for term in expression.split(" + ") {
        if term.len() > 3 && term.starts_with('\'') && term.ends_with('\'') {
            found.push(term.trim_matches('\'').replace("\\'", "'"));
        }
    }
    found
}

fn says(answer: &str, fragments: &[String]) -> bool {
    let mut rest = answer;
    fragments.iter().all(|fragment| match rest.split_once(fragment.as_str()) {
        Some((_, tail)) => {
            rest = tail;
            true
        }
        None => false,
    })
}

#[test]
fn bad_manifests_are_refused_with_their_own_sentence_and_every_rule_refuses_one() {
    let rules = rules();
    let mut used = BTreeSet::new();
    for (case, patch, sentence) in table::bad() {
        let name = patch["metadata"]["name"].as_str().unwrap_or("fraud-evaluator").to_owned();
        let answer =
            apply(&manifest(&name, &patch), &["--dry-run=server"]).unwrap_or_else(|| panic!("{case}: accepted"));
        assert!(answer.contains(sentence), "{case}: expected {sentence:?}, the server says:\n{answer}");
        used.extend(rules.iter().enumerate().filter(|(_, (_, text))| says(&answer, text)).map(|(index, _)| index));
    }
    for (case, first, then, sentence) in table::transitions() {
        let name = format!("transition-{case}");
        assert_eq!(apply(&manifest(&name, &first), &[]), None, "{case}");
        let answer = apply(&manifest(&name, &then), &[]).unwrap_or_else(|| panic!("{case}: accepted"));
        assert!(answer.contains(sentence), "{case}: expected {sentence:?}, the server says:\n{answer}");
        used.extend(rules.iter().enumerate().filter(|(_, (_, text))| says(&answer, text)).map(|(index, _)| index));
    }
    let unused: Vec<&String> =
        rules.iter().enumerate().filter(|(index, _)| !used.contains(index)).map(|(_, (rule, _))| rule).collect();
    assert!(unused.is_empty(), "no bad manifest shows these rules: {unused:#?}");
}

#[test]
fn good_manifests_are_accepted() {
    for (case, patch) in table::good() {
        assert_eq!(apply(&manifest("good", &patch), &["--dry-run=server"]), None, "{case}");
    }
}

#[test]
fn a_client_without_strict_validation_is_told_about_absent_fields_too() {
    let bad = manifest("loose", &json!({ "spec": { "http": { "hosts": ["example.org"] } } }));
    let answer = apply(&bad, &["--dry-run=server", "--validate=false"]).unwrap();
    assert!(answer.contains("spec.http is not available in this release: remove it"), "{answer}");
}

#[test]
fn a_field_that_nobody_knows_is_refused_by_kubectl() {
    let answer = apply(&manifest("typo", &json!({ "spec": { "alowHttp": true } })), &["--dry-run=server"]).unwrap();
    assert!(answer.contains("alowHttp"), "{answer}");
}

#[test]
fn a_new_resource_is_not_taken_for_ready_and_has_every_default() {
    let server = installed();
    assert_eq!(apply(&manifest("fresh", &json!({})), &[]), None);
    let output = server.kubectl(["get", "wg", "fresh", "-o", "json"], "").unwrap();
    let gear: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(gear["status"]["observedGeneration"], -1);
    let read: wasmgear_crds::WasmGear = serde_json::from_value(gear.clone()).unwrap();
    assert_eq!(read.spec.limits, wasmgear_crds::Limits::default());
    assert_eq!(read.spec.retry, wasmgear_crds::Retry::default());
    assert_eq!(read.spec.rollout, wasmgear_crds::Rollout::default());
    assert_eq!(read.spec.replicas, 1);
    let columns = server.kubectl(["get", "wg", "fresh", "-o", "wide"], "").unwrap();
    let header = String::from_utf8_lossy(&columns.stdout).lines().next().unwrap().to_owned();
    let expected = "NAME MODULE READY AVAILABLE REASON REVISION PERCENT REPLICAS AGE DIGEST LAG MESSAGE";
    assert_eq!(header.split_whitespace().collect::<Vec<_>>().join(" "), expected);
}
