//! The chart: what it renders, what its schema refuses, and that a real API server takes it.

use std::fs;

use serde_json::{Value, json};

use crate::world::{chart, helm, installed};

const LEAST: [&str; 4] = ["template", "wasmgear", "--namespace", "wasmgear-system"];

fn render(values: &Value) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), values.to_string()).unwrap();
    let (chart, path) = (chart(), file.path().to_str().unwrap().to_owned());
    let mut args = LEAST.to_vec();
    args.extend([chart.as_str(), "--values", &path]);
    helm(&args)
}

fn full() -> Value {
    json!({
        "image": "registry.test/wasmgear-operator:1", "imagePullSecrets": [{ "name": "pull" }],
        "sidecar": { "image": "registry.test/wasmgear-sidecar:1", "otlpEndpoint": "http://otel:4318", "log": "debug" },
        "nats": { "url": "tls://a:4222,tls://b:4222", "ca": { "configMap": "nats-ca" }, "credentials": { "secret": "operator-nats" },
                  "tlsSecret": "operator-tls", "serverName": "nats.test", "jsDomain": "hub", "init": { "replicas": 3 } },
        "registries": [
            { "name": "files", "kind": "folder", "match": "urn:wasm:local/", "path": "a/b", "volume": { "hostPath": { "path": "/modules" } } },
            { "name": "nats", "kind": "nats" },
        ],
        "tenants": [{ "namespaceSelector": { "matchLabels": { "team": "payments" } }, "maxReplicas": 3 }],
        "watchNamespaces": ["a", "b"], "secretNames": ["mine"], "clusterId": "abc", "replicas": 2,
    })
}

#[test]
fn helm_has_nothing_to_say_against_the_chart() {
    let said = helm(&["lint", "--strict", &chart()]).unwrap();
    assert!(said.contains("0 chart(s) failed"), "{said}");
}

#[test]
fn what_the_chart_renders() {
    let without_crd = |values: Value| {
        let mut values = values;
        values["crds"] = json!({ "install": false });
        render(&values).unwrap()
    };
    insta::assert_snapshot!("defaults", without_crd(json!({})));
    insta::assert_snapshot!("everything", without_crd(full()));
}

#[test]
fn the_definition_in_the_chart_is_the_generated_one_and_is_kept() {
    let copy = fs::read_to_string(format!("{}/templates/crd.yaml", chart())).unwrap();
    let crd = wasmgear_crds::crd_yaml().unwrap();
    assert!(!crd.contains("{{"), "the definition would be read as a template");
    let expected = format!("{{{{- if .Values.crds.install }}}}\n{crd}{{{{- end }}}}\n");
    assert!(copy == expected, "charts/wasmgear/templates/crd.yaml is not the definition; run: cargo xtask generate");
    let rendered = render(&json!({})).unwrap();
    assert!(rendered.contains("helm.sh/resource-policy: keep"));
    assert!(!render(&json!({ "crds": { "install": false } })).unwrap().contains("CustomResourceDefinition"));
}

#[test]
fn bad_values_are_refused_by_the_schema() {
    let table = [
        ("an unknown value", json!({ "sidecarImage": "x" }), "additional properties 'sidecarImage' not allowed"),
        (
            "an unknown value inside",
            json!({ "nats": { "url": "nats://n:1", "user": "x" } }),
            "additional properties 'user' not allowed",
        ),
        ("a password in the url", json!({ "nats": { "url": "nats://u:p@n:4222" } }), "/nats/url"),
        ("a url of another kind", json!({ "nats": { "url": "http://n:4222" } }), "/nats/url"),
        ("no registry", json!({ "registries": [] }), "/registries"),
        (
            "a registry of a later release",
            json!({ "registries": [{ "name": "x", "kind": "oci" }] }),
            "/registries/0/kind",
        ),
        ("a folder without volume", json!({ "registries": [{ "name": "x", "kind": "folder" }] }), "volume"),
        (
            "a volume for nats",
            json!({ "registries": [{ "name": "x", "kind": "nats", "volume": { "emptyDir": {} } }] }),
            "volume",
        ),
        (
            "a path out of the volume",
            json!({ "registries": [{ "name": "x", "kind": "folder", "path": "../etc", "volume": { "emptyDir": {} } }] }),
            "/registries/0/path",
        ),
        ("a rule for everybody by mistake", json!({ "tenants": [{ "modules": ["x"] }] }), "namespaceSelector"),
        ("a misspelt rule", json!({ "tenants": [{ "namespaceSelector": {}, "maxreplicas": 3 }] }), "maxreplicas"),
        ("a namespace that is none", json!({ "watchNamespaces": ["A"] }), "/watchNamespaces/0"),
        ("replicas in words", json!({ "replicas": "two" }), "/replicas"),
        (
            "no replicas of a bucket",
            json!({ "nats": { "url": "nats://n:1", "init": { "replicas": 0 } } }),
            "/nats/init/replicas",
        ),
        ("a long cluster name", json!({ "clusterId": "ABCDEFGH-1" }), "/clusterId"),
        ("a pull policy that is none", json!({ "imagePullPolicy": "Sometimes" }), "/imagePullPolicy"),
    ];
    assert!(table.len() >= 10);
    for (case, values, part) in table {
        let refusal = render(&values).expect_err(case);
        let plain = refusal.replace('\'', "");
        assert!(plain.contains(&part.replace('\'', "")), "{case}: expected {part:?} in:\n{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_the_restricted_profile_takes_the_operator() {
    let server = installed().await;
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "wasmgear-system",
        "labels": { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted" } } });
    let apply = |text: &str| server.kubectl(["apply", "--server-side", "--dry-run=server", "-f", "-"], text).unwrap();
    assert!(server.kubectl(["apply", "--server-side", "-f", "-"], &namespace.to_string()).unwrap().status.success());
    for namespace in ["a", "b"] {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        assert!(server.kubectl(["apply", "--server-side", "-f", "-"], &object.to_string()).unwrap().status.success());
    }
    let mut values = full();
    // A path of the node is what the restricted profile forbids; a claim is what people use.
    values["registries"][0]["volume"] = json!({ "persistentVolumeClaim": { "claimName": "modules" } });
    let rendered = render(&values).unwrap();
    let output = apply(&rendered);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
    // A Deployment is only warned about; its pod is refused.
    let deployment = rendered.split("\n---").find(|text| text.contains("kind: Deployment")).unwrap();
    let deployment: Value = serde_saphyr::from_str(deployment).unwrap();
    let template = &deployment["spec"]["template"];
    let mut pod =
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"] });
    pod["metadata"]["name"] = json!("operator");
    pod["metadata"]["namespace"] = json!("wasmgear-system");
    let output = apply(&pod.to_string());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_flags_that_the_chart_sets_are_those_of_the_operator() {
    use clap::Parser as _;
    for values in [json!({}), full()] {
        let rendered = render(&values).unwrap();
        let deployment = rendered.split("\n---").find(|text| text.contains("kind: Deployment")).unwrap();
        let deployment: Value = serde_saphyr::from_str(deployment).unwrap();
        let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
        let mut line = vec!["x", "--namespace", "ns"];
        line.extend(args.iter().map(|arg| arg.as_str().unwrap()));
        wasmgear_operator::Args::try_parse_from(line).unwrap();
    }
}

#[test]
fn the_lists_that_the_chart_writes_are_those_that_the_operator_reads() {
    use clap::Parser as _;
    let rendered = render(&full()).unwrap();
    let map = rendered.split("\n---").find(|text| text.contains("registries.json")).unwrap();
    let map: Value = serde_saphyr::from_str(map).unwrap();
    let registries: Vec<gear_supply::RegistryConfig> =
        serde_json::from_str(map["data"]["registries.json"].as_str().unwrap()).unwrap();
    assert_eq!(registries[0].prefix, "urn:wasm:local/");
    let folder = gear_config::RegistrySource::Folder { path: "/var/lib/wasmgear/files/a/b".into() };
    assert_eq!((&registries[0].source, &registries[1].source), (&folder, &gear_config::RegistrySource::Nats));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), map["data"]["tenants.json"].as_str().unwrap()).unwrap();
    let args = [
        "x",
        "--namespace",
        "n",
        "--sidecar-image",
        "i",
        "--nats-url",
        "nats://n:1",
        "--tenants",
        file.path().to_str().unwrap(),
    ];
    let settings = wasmgear_operator::Settings::new(&wasmgear_operator::Args::parse_from(args)).unwrap();
    assert!(!settings.tenants.is_empty());
}

#[test]
fn the_notes_tell_the_next_step() {
    let file = format!("{}/templates/NOTES.txt", chart());
    let notes = fs::read_to_string(file).unwrap();
    for part in ["kubectl apply", "wasmgear push", "tenants is empty"] {
        assert!(notes.contains(part), "{part}");
    }
}
