use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::reconcile::{
    fetch::{Observed, Sought},
    testing::{observed, settings},
    validate::validate,
};

fn built_after(observed: &Observed, last: Option<&Built>) -> Built {
    let settings = settings();
    let gear = validate(observed, &settings, "0a1b2c3d").unwrap();
    let around = Around {
        record: last.map(|last| &last.record),
        document: last.map(|last| &last.document),
        nats_ports: &observed.nats_ports,
        sidecar: &settings.sidecar,
        now: &Time(Timestamp::UNIX_EPOCH),
    };
    build(&gear, &around).unwrap()
}

fn built(spec: &Value) -> Built {
    built_after(&observed(spec), None)
}

fn annotation(built: &Built, key: &str) -> String {
    let template = &built.children.deployment.spec.as_ref().unwrap().template;
    template.metadata.as_ref().unwrap().annotations.as_ref().unwrap()[key].clone()
}

#[test]
fn the_children_of_the_smallest_gear() {
    let Built { children, record, document } = built(&json!({}));
    let Children { service_account, policy, config_map, budget, deployment } = children;
    insta::assert_yaml_snapshot!("service_account", service_account);
    insta::assert_yaml_snapshot!("policy", policy);
    insta::assert_yaml_snapshot!("budget", budget);
    insta::assert_yaml_snapshot!("deployment", deployment);
    insta::assert_yaml_snapshot!("record", record);
    insta::assert_yaml_snapshot!("document", document);
    let data = config_map.data.unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["gear.json", "record.json"]);
    assert_eq!(Document::parse(data["gear.json"].as_bytes()).unwrap(), document);
}

#[test]
fn the_pod_of_a_gear_with_everything() {
    let mut observed = observed(&json!({
        "entrypoint": "flux_process", "config": { "keep": "4" }, "concurrency": 2, "replicas": 3, "onReject": "ErrorPort",
        "limits": { "memory": "128Mi", "guestTime": "50ms", "messageTime": "20s", "outputMessages": 2, "outputSize": "2Mi", "logSize": "1Ki" },
        "instance": { "mode": "Persistent", "maxMessages": 5 },
        "input": { "subjects": ["b.>", "a.*"], "stream": "other", "deliver": "All", "ackWait": "1m", "forgetAfter": "1h" },
        "output": { "rack": "edge-b", "gear": "masked", "ports": ["review"] },
        "retry": { "attempts": 5, "backoff": "2s", "maxBackoff": "1m" },
        "rollout": { "progressDeadline": "5m" },
        "nats": { "credentialsSecretRef": { "name": "mine" }, "tlsSecretRef": { "name": "mine-tls" } },
        "template": {
            "metadata": { "labels": { "team": "payments" }, "annotations": { "note": "x" } },
            "resources": { "requests": { "cpu": "100m" } }, "nodeSelector": { "disk": "ssd" },
            "tolerations": [{ "key": "a", "operator": "Exists" }], "priorityClassName": "high",
            "topologySpreadConstraints": [], "terminationGracePeriodSeconds": 60,
        },
    }));
    observed.secrets.credentials = Sought::Found(["nats.creds".to_owned()].into());
    observed.secrets.tls = Sought::Found(["tls.crt", "tls.key"].map(ToOwned::to_owned).into());
    let Built { children, document, .. } = built_after(&observed, None);
    insta::assert_yaml_snapshot!("full_deployment", children.deployment);
    insta::assert_yaml_snapshot!("full_document", document);
}

#[test]
fn the_same_wish_makes_the_same_bytes() {
    let text = |built: &Built| serde_json::to_string(&built.children.config_map).unwrap();
    let (one, two) = (built(&json!({})), built(&json!({})));
    assert_eq!(text(&one), text(&two));
    assert_eq!(one.children, two.children);
    let again = built_after(&observed(&json!({})), Some(&one));
    assert_eq!(again.children, one.children);
}

#[test]
fn what_decides_a_result_makes_a_revision_and_nothing_else_does() {
    let base = built(&json!({}));
    let after = |spec: Value| built_after(&observed(&spec), Some(&base));
    for spec in [
        json!({ "config": { "a": "b" } }),
        json!({ "limits": { "memory": "65Mi" } }),
        json!({ "limits": { "guestTime": "99ms" } }),
        json!({ "instance": { "mode": "Persistent" } }),
        json!({ "output": { "gear": "x" } }),
        json!({ "onReject": "ErrorPort" }),
        json!({ "retry": { "attempts": 4 } }),
        json!({ "allowKv": true }),
    ] {
        let next = after(spec.clone());
        assert_eq!((next.record.counter, next.record.epoch), (2, 2), "{spec}");
        assert_ne!(annotation(&next, "gears.fluxrig.org/revision"), annotation(&base, "gears.fluxrig.org/revision"));
    }
    for spec in
        [json!({ "replicas": 5 }), json!({ "concurrency": 3 }), json!({ "rollout": { "progressDeadline": "1m" } })]
    {
        let next = after(spec.clone());
        assert_eq!((next.record.counter, next.record.epoch), (1, 1), "{spec}");
    }
}

#[test]
fn scaling_replaces_no_pod() {
    let base = built(&json!({}));
    let mut wider = observed(&json!({ "replicas": 7 }));
    wider.gear.metadata.generation = Some(2);
    let next = built_after(&wider, Some(&base));
    let template = |built: &Built| built.children.deployment.spec.clone().unwrap().template;
    assert_eq!(template(&next), template(&base));
    assert_eq!(next.document.input.max_ack_pending, 28_000, "the consumer is told");
    assert_eq!(next.document.input.generation, 2);
    let mut same = observed(&json!({ "rollout": { "progressDeadline": "1m" } }));
    same.gear.metadata.generation = Some(9);
    assert_eq!(built_after(&same, Some(&base)).document.input.generation, 1, "nothing changed for the consumer");
}

#[test]
fn what_sidecars_read_only_at_their_start_replaces_pods() {
    let base = annotation(&built(&json!({})), "gears.fluxrig.org/settings");
    for spec in [
        json!({ "concurrency": 3 }),
        json!({ "input": { "rack": "edge-a", "gear": "other" } }),
        json!({ "nats": { "jsDomain": "hub" } }),
    ] {
        assert_ne!(annotation(&built(&spec), "gears.fluxrig.org/settings"), base, "{spec}");
    }
}

#[test]
fn labels_of_people_can_not_replace_those_of_the_operator() {
    let deployment = built(&json!({ "template": { "metadata": { "labels": { "app.kubernetes.io/name": "x" } } } }))
        .children
        .deployment;
    let labels = deployment.spec.unwrap().template.metadata.unwrap().labels.unwrap();
    assert_eq!(labels["app.kubernetes.io/name"], "wasmgear-sidecar");
}

#[test]
fn the_authorities_of_the_operators_server_go_along_and_nothing_else_of_it() {
    let mut settings = settings();
    settings.gear_ca = Some("PEM".into());
    let gear = validate(&observed(&json!({})), &settings, "c").unwrap();
    assert_eq!(gear.connection.nats.ca, Some("/etc/wasmgear/nats-ca.pem".into()));
    let own = observed(&json!({ "nats": { "url": "nats://mine:1", "credentialsSecretRef": { "name": "s" } } }));
    let gear = validate(&own, &settings, "c").unwrap();
    assert_eq!((gear.connection.nats.ca, gear.connection.ca), (None, None), "another server has other authorities");
}
