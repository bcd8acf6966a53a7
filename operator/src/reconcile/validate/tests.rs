use gear_config::Span;
use serde_json::{Value, json};
use wasmgear_crds::Reason;

use super::*;
use crate::{
    failure::Retry,
    reconcile::{
        fetch::{Rival, Sought},
        testing::{FLUX1, HTTP, RACK, examined, observed, settings},
    },
    tenant::Tenants,
};

fn judge(observed: &Observed) -> Result<ValidGear, Failure> {
    validate(observed, &settings(), "0a1b2c3d")
}

fn refused(observed: &Observed) -> (Reason, String, Retry) {
    let failure = judge(observed).unwrap_err();
    (failure.reason, failure.message, failure.retry)
}

#[test]
fn the_smallest_resource_gets_every_default() {
    let gear = judge(&observed(&json!({}))).unwrap();
    assert_eq!(gear.revision.limits, gear_config::Limits::default());
    assert_eq!(gear.revision.retry, gear_config::Retry::default());
    assert_eq!(gear.revision.entrypoint, "flux_process");
    assert_eq!(gear.revision.instance, Instance::Fresh);
    assert_eq!(gear.revision.output.prefix, "flux.msg.edge-a.fraud-evaluator");
    assert_eq!(gear.concurrency, 16);
    assert_eq!(gear.input.subjects, ["flux.msg.edge-a.line-in.out"]);
    assert_eq!(gear.input.deliver, Deliver::Time { start: "2026-01-01T00:00:00Z".into() });
    assert_eq!((gear.input.ack_wait, gear.input.forget_after), (Span::from_secs(30), Span::from_secs(168 * 3600)));
    assert_eq!(gear.input.max_ack_pending, 4096);
    assert_eq!(gear.connection.nats.url, "nats://nats:4222");
    assert_eq!(gear.identity.durable(), "wasmgear_0a1b2c3d_payments_fraud-evaluator");
    assert_eq!(gear.placement.grace, 30);
}

#[test]
fn a_rack_module_is_kept_and_called_one_at_a_time_unless_the_resource_says_otherwise() {
    let with = |spec: Value| {
        let mut observed = observed(&spec);
        observed.module = Ok(examined(RACK));
        let gear = judge(&observed).unwrap();
        (gear.revision.instance, gear.concurrency)
    };
    let kept = Instance::Persistent { max_messages: 100_000 };
    assert_eq!(with(json!({})), (kept, 1));
    assert_eq!(with(json!({ "instance": { "mode": "Fresh" } })), (Instance::Fresh, 16));
    assert_eq!(with(json!({ "concurrency": 4 })), (kept, 4));
    let chosen = json!({ "instance": { "mode": "Persistent", "maxMessages": 7 } });
    assert_eq!(with(chosen), (Instance::Persistent { max_messages: 7 }, 16));
}

#[test]
fn what_the_schema_can_not_see_is_told_here() {
    for (spec, reason, sentence) in [
        (
            json!({ "input": { "subjects": ["a.*", "a.b"] }, "output": { "rack": "r" } }),
            Reason::InvalidSpec,
            "input.subjects a.* and a.b overlap",
        ),
        (
            json!({ "input": { "subjects": ["flux.msg.r.>"] }, "output": { "rack": "r" } }),
            Reason::OutputFeedsInput,
            "output flux.msg.r.fraud-evaluator.out is matched by input flux.msg.r.>",
        ),
        (
            json!({ "input": { "subjects": ["flux.msg.r.fraud-evaluator.error"] }, "output": { "rack": "r" }, "onReject": "ErrorPort" }),
            Reason::OutputFeedsInput,
            "output flux.msg.r.fraud-evaluator.error is matched",
        ),
        (
            json!({ "input": { "subjects": ["flux.msg.*.*.review"] }, "output": { "rack": "r", "ports": ["review"] } }),
            Reason::OutputFeedsInput,
            "output flux.msg.r.fraud-evaluator.review is matched",
        ),
        // Stored under another definition.
        (json!({ "http": {} }), Reason::NotAvailable, "spec.http is not available in this release: remove it"),
        (json!({ "module": "oci://x/y" }), Reason::NotAvailable, "oci://x/y: this release reads"),
        (json!({ "limits": { "memory": "much" } }), Reason::InvalidSpec, "limits.memory: \"much\" is not a size"),
    ] {
        let mut observed = observed(&spec);
        if let Err(error) = observed.gear.spec.module.parse::<gear_module::Reference>() {
            observed.module = Err(error.into());
        }
        let (found, message, retry) = refused(&observed);
        assert_eq!((found, retry), (reason, Retry::OnChange), "{message}");
        assert!(message.starts_with(sentence), "{message}");
    }
}

#[test]
fn an_import_without_its_grant_is_refused_and_one_with_it_is_not_available() {
    let mut observed = observed(&json!({}));
    observed.module = Ok(examined(&format!("{HTTP} {FLUX1}")));
    let denied = refused(&observed);
    assert_eq!(denied.0, Reason::NotGranted);
    assert_eq!(denied.1, "imports env.flux_req_http, but allowHttp is false");
    observed.gear.spec.allow_http = true;
    let absent = refused(&observed);
    assert_eq!(absent.0, Reason::NotAvailable);
    assert_eq!(absent.1, "imports env.flux_req_http: HTTP is not available in this release");
}

#[test]
fn a_module_that_no_gear_can_run_is_refused_by_what_is_wrong() {
    let entrypoint = json!({ "entrypoint": "other" });
    for (module, spec, reason) in [
        ("", json!({}), Reason::MissingExport),
        (FLUX1, entrypoint, Reason::MissingExport),
        (r#"(func (export "process") (param i32))"#, json!({}), Reason::WrongExportType),
        (r#"(import "env" "base" (global i32))"#, json!({}), Reason::ImportRefused),
        (FLUX1, json!({ "limits": { "memory": "32Ki" } }), Reason::MemoryMinimum),
        (r#"(import "env" "launch" (func))"#, json!({}), Reason::MissingExport),
    ] {
        let mut observed = observed(&spec);
        observed.module = Ok(examined(module));
        assert_eq!(refused(&observed).0, reason, "{module} {spec}");
    }
}

#[test]
fn permission_is_judged_before_the_module() {
    let mut settings = settings();
    settings.tenants =
        Tenants::parse(r#"[{ "namespaceSelector": { "matchLabels": { "a": "b" } }, "maxReplicas": 2 }]"#).unwrap();
    let mut observed = observed(&json!({ "replicas": 3 }));
    observed.module = Ok(examined(""));
    let failure = validate(&observed, &settings, "c").unwrap_err();
    assert_eq!((failure.reason, failure.retry), (Reason::NotPermitted, Retry::OnChange));
    observed.labels = [("a".to_owned(), "b".to_owned())].into();
    let failure = validate(&observed, &settings, "c").unwrap_err();
    assert!(failure.message.contains("at most 2 are"), "{}", failure.message);
    observed.gear.spec.replicas = 2;
    assert_eq!(validate(&observed, &settings, "c").unwrap_err().reason, Reason::MissingExport);
}

#[test]
fn the_younger_of_two_gears_with_one_output_stalls() {
    let mut observed = observed(&json!({}));
    observed.rival = Some(Rival { namespace: "other".into(), name: "older".into() });
    let (reason, message, _) = refused(&observed);
    assert_eq!(reason, Reason::OutputConflict);
    assert!(message.contains("belongs to the older gear other/older"), "{message}");
}

#[test]
fn secrets_are_mounted_by_name_and_never_read() {
    let nats = json!({ "nats": { "url": "tls://n:4222", "serverName": "s", "jsDomain": "d",
        "credentialsSecretRef": { "name": "mine", "key": "user.nk" }, "tlsSecretRef": { "name": "mine-tls" } } });
    let mut observed = observed(&nats);
    observed.secrets.credentials = Sought::Found(["user.nk".to_owned()].into());
    observed.secrets.tls = Sought::Found(["tls.crt", "tls.key", "ca.crt"].map(ToOwned::to_owned).into());
    let connection = judge(&observed).unwrap().connection;
    let path = |path: &str| Some(path.into());
    assert_eq!(connection.nats.credentials, path("/etc/wasmgear-nats/credentials/user.nk"));
    assert_eq!(connection.nats.certificate, path("/etc/wasmgear-nats/tls/tls.crt"));
    assert_eq!(connection.nats.key, path("/etc/wasmgear-nats/tls/tls.key"));
    assert_eq!(connection.nats.ca, path("/etc/wasmgear-nats/tls/ca.crt"));
    assert_eq!((connection.nats.server_name.as_deref(), connection.nats.js_domain.as_deref()), (Some("s"), Some("d")));
    let mounts: Vec<_> = connection.mounts.iter().map(|mount| (mount.folder, mount.secret.as_str())).collect();
    assert_eq!(mounts, [("credentials", "mine"), ("tls", "mine-tls")]);
}

#[test]
fn a_secret_that_is_not_there_or_lacks_a_key_is_named() {
    let named = json!({ "nats": { "credentialsSecretRef": { "name": "mine" } } });
    let tls = json!({ "nats": { "tlsSecretRef": { "name": "mine" } } });
    let some = |key: &str| Sought::Found([key.to_owned()].into());
    for (spec, credentials, tls, sentence) in [
        (&named, Sought::Missing, Sought::Unasked, "nats.credentialsSecretRef: there is no Secret mine"),
        (&named, some("other"), Sought::Unasked, "nats.credentialsSecretRef: Secret mine has no key nats.creds"),
        (&json!({}), some("other"), Sought::Unasked, "Secret wasmgear-nats has no key nats.creds"),
        (&tls, Sought::Missing, Sought::Missing, "nats.tlsSecretRef: there is no Secret mine"),
        (&tls, Sought::Missing, some("tls.crt"), "nats.tlsSecretRef: Secret mine has no key tls.key"),
    ] {
        let mut observed = observed(spec);
        observed.secrets.credentials = credentials;
        observed.secrets.tls = tls;
        let (reason, message, retry) = refused(&observed);
        assert_eq!((reason, retry), (Reason::SecretMissing, Retry::Outside));
        assert!(message.starts_with(sentence), "{message}");
    }
}

#[test]
fn the_default_secret_is_used_where_it_is_and_not_missed_where_it_is_not() {
    let mut observed = observed(&json!({}));
    for (sought, mounted) in
        [(Sought::Found(["nats.creds".to_owned()].into()), true), (Sought::Missing, false), (Sought::Unknown, false)]
    {
        observed.secrets.credentials = sought;
        let connection = judge(&observed).unwrap().connection;
        assert_eq!(connection.nats.credentials.is_some(), mounted);
        assert_eq!(connection.mounts.len(), usize::from(mounted));
    }
}

#[test]
fn memory_is_set_aside_for_a_few_large_guests_at_once() {
    for (spec, memory) in [
        (json!({}), "384Mi"),
        (json!({ "concurrency": 1 }), "192Mi"),
        (json!({ "concurrency": 1000, "limits": { "memory": "1Gi" } }), "4224Mi"),
        (json!({ "template": { "resources": { "limits": { "memory": 536_870_912 } } } }), "536870912"),
    ] {
        let resources = judge(&observed(&spec)).unwrap().placement.resources;
        let (requests, limits) = (resources.requests.unwrap(), resources.limits.unwrap());
        assert_eq!((requests["memory"].0.as_str(), limits["memory"].0.as_str()), (memory, memory), "{spec}");
        assert!(!limits.contains_key("cpu"));
    }
}

#[test]
fn a_slow_message_gets_the_time_to_finish() {
    let slow =
        json!({ "limits": { "messageTime": "1m30s500ms" }, "input": { "rack": "r", "gear": "g", "ackWait": "5m" } });
    assert_eq!(judge(&observed(&slow)).unwrap().placement.grace, 91 + 15);
}

#[test]
fn more_pods_may_have_more_in_hand_and_ordered_ones_have_one() {
    let pending = |spec: Value| judge(&observed(&spec)).unwrap().input.max_ack_pending;
    assert_eq!(pending(json!({ "replicas": 3 })), 12_000);
    assert_eq!(pending(json!({ "replicas": 0 })), 4_096);
    assert_eq!(pending(json!({ "input": { "rack": "r", "gear": "g", "ordered": true } })), 1);
}

#[test]
fn references_that_the_schema_accepts_are_those_that_the_operator_reads() {
    let crd = serde_json::to_value(wasmgear_crds::crd().unwrap()).unwrap();
    let rules = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["module"]
        ["x-kubernetes-validations"];
    // The rules themselves run on a real API server in `crds`; here only their list of kinds is compared.
    let text = rules.to_string();
    for kind in ["oci://", "https://", "snake://"] {
        assert!(text.contains(kind), "{kind}");
        assert!(matches!(
            format!("{kind}x/y").parse::<gear_module::Reference>(),
            Err(gear_module::ReferenceError::NotAvailable(_))
        ));
    }
}
