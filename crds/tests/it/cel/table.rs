//! The manifests, as merge patches over the smallest useful one.

use serde_json::{Value, json};

/// What is wrong, the patch, and a part of the sentence that says so.
pub(crate) fn bad() -> Vec<(&'static str, Value, &'static str)> {
    [resource(), code(), limits(), stream(), retry_and_rollout(), connection(), pods()].concat()
}

fn spec(fields: impl Into<Value>) -> Value {
    json!({ "spec": fields.into() })
}

fn resource() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "a name with a dot",
            json!({ "metadata": { "name": "fraud.evaluator" } }),
            "metadata.name fraud.evaluator is longer than 52 characters or has dots",
        ),
        (
            "a name that is too long",
            json!({ "metadata": { "name": "a".repeat(53) } }),
            "is longer than 52 characters or has dots",
        ),
        (
            "an output that feeds the input",
            spec(json!({ "output": { "gear": "line-in" } })),
            "output would be the gear that input reads, edge-a/line-in",
        ),
        (
            "an output that feeds the input by default",
            json!({ "metadata": { "name": "line-in" } }),
            "output would be the gear that input reads, edge-a/line-in",
        ),
    ]
}

fn code() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "an OCI module",
            spec(json!({ "module": "oci://ghcr.io/x/y:v1" })),
            "module oci://ghcr.io/x/y:v1 is of a kind that is not available in this release",
        ),
        (
            "an https module",
            spec(json!({ "module": "https://x/y" })),
            "is of a kind that is not available in this release",
        ),
        (
            "a snake module",
            spec(json!({ "module": "snake://wasm_catalog/x.wasm" })),
            "is of a kind that is not available in this release",
        ),
        (
            "a version without v",
            spec(json!({ "module": "urn:wasm:fraud-scorer:2.1" })),
            "module urn:wasm:fraud-scorer:2.1 is not urn:wasm:<name>:<version>",
        ),
        ("no version", spec(json!({ "module": "fraud-scorer" })), "module fraud-scorer is not urn:wasm:"),
        (
            "a module with a line break",
            spec(json!({ "module": "urn:wasm:x:v1\n" })),
            "module … is not urn:wasm:<name>:<version>",
        ),
        (
            "an entrypoint with a blank",
            spec(json!({ "entrypoint": "flux process" })),
            "entrypoint flux process is empty or has blanks",
        ),
        ("an empty entrypoint", spec(json!({ "entrypoint": "" })), "is empty or has blanks"),
        (
            "a parameter with a blank",
            spec(json!({ "config": { "a b": "c" } })),
            "config has the key a b: a key is 1 to 128",
        ),
        (
            "configFrom",
            spec(json!({ "configFrom": [{ "secretRef": { "name": "x" } }] })),
            "spec.configFrom is not available in this release: remove it",
        ),
        ("http", spec(json!({ "http": { "hosts": ["x"] } })), "spec.http is not available in this release: remove it"),
        ("kv", spec(json!({ "kv": { "bucket": "x" } })), "spec.kv is not available in this release: remove it"),
        ("wasi", spec(json!({ "wasi": ["Clocks"] })), "spec.wasi is not available in this release: remove it"),
        (
            "verify",
            spec(json!({ "verify": { "policy": "Off" } })),
            "spec.verify is not available in this release: remove it",
        ),
        (
            "registrySecretRef",
            spec(json!({ "registrySecretRef": { "name": "x" } })),
            "spec.registrySecretRef is not available in this release: remove it",
        ),
        (
            "a limit of messages for fresh instances",
            spec(json!({ "instance": { "mode": "Fresh", "maxMessages": 5 } })),
            "instance.maxMessages goes with mode Persistent only",
        ),
    ]
}

fn limits() -> Vec<(&'static str, Value, &'static str)> {
    let limit = |fields: Value| spec(json!({ "limits": fields }));
    vec![
        ("memory without number", limit(json!({ "memory": "much" })), "limits.memory much is not a size"),
        ("memory with a fraction", limit(json!({ "memory": "1.5Gi" })), "limits.memory 1.5Gi is not a size"),
        (
            "too much memory",
            limit(json!({ "memory": "2Gi" })),
            "limits.memory 2Gi is out of bounds: choose between 64Ki and 1Gi",
        ),
        ("too little memory", limit(json!({ "memory": 1024 })), "limits.memory 1024 is out of bounds"),
        ("guest time in words", limit(json!({ "guestTime": "100 ms" })), "limits.guestTime 100 ms is not a duration"),
        ("no guest time", limit(json!({ "guestTime": "0s" })), "limits.guestTime 0s is below 1ms"),
        (
            "guest time above message time",
            limit(json!({ "guestTime": "6s" })),
            "limits.guestTime 6s is above limits.messageTime 5s",
        ),
        ("message time in words", limit(json!({ "messageTime": "long" })), "limits.messageTime long is not a duration"),
        (
            "a message time of days",
            limit(json!({ "messageTime": "48h" })),
            "limits.messageTime 48h is out of bounds: choose between 1ms and 1h",
        ),
        (
            "message time above ack wait",
            limit(json!({ "messageTime": "30s" })),
            "limits.messageTime 30s is not below input.ackWait 30s",
        ),
        ("output size without number", limit(json!({ "outputSize": "Mi" })), "limits.outputSize Mi is not a size"),
        ("too large outputs", limit(json!({ "outputSize": "1Gi" })), "limits.outputSize 1Gi is out of bounds"),
        ("log size without number", limit(json!({ "logSize": "few" })), "limits.logSize few is not a size"),
        ("too long logs", limit(json!({ "logSize": "1Gi" })), "limits.logSize 1Gi is out of bounds"),
        ("kvCalls", limit(json!({ "kvCalls": 3 })), "spec.limits.kvCalls is not available in this release: remove it"),
        (
            "httpCalls",
            limit(json!({ "httpCalls": 3 })),
            "spec.limits.httpCalls is not available in this release: remove it",
        ),
        (
            "no records",
            limit(json!({ "outputMessages": 0 })),
            "spec.limits.outputMessages in body should be greater than or equal to 1",
        ),
    ]
}

fn stream() -> Vec<(&'static str, Value, &'static str)> {
    let input = |fields: Value| spec(json!({ "input": fields }));
    let subjects = |list: Value| json!({ "rack": null, "gear": null, "subjects": list });
    vec![
        ("an upper-case rack", input(json!({ "rack": "Edge" })), "input.rack Edge is not a name of fluxrig"),
        ("a gear with a dot", input(json!({ "gear": "line.in" })), "input.gear line.in is not a name of fluxrig"),
        ("an empty port", input(json!({ "port": "" })), "input.port"),
        ("no source", input(json!({ "rack": null, "gear": null })), "input names no source"),
        (
            "two sources",
            input(json!({ "subjects": ["flux.msg.a.b.out"] })),
            "input.subjects does not go with input.rack",
        ),
        ("a rack without gear", input(json!({ "gear": null })), "input.rack and input.gear go together"),
        (
            "a port with subjects",
            json!({ "spec": { "input": { "rack": null, "gear": null, "subjects": ["a"], "port": "out" }, "output": { "rack": "a" } } }),
            "input.port out does not go with input.subjects",
        ),
        ("a subject with an empty token", input(subjects(json!(["a..b"]))), "input.subjects has a..b"),
        ("a subject with half a wildcard", input(subjects(json!(["ok", "a.b*"]))), "input.subjects has a.b*"),
        ("subjects without output rack", input(subjects(json!(["a.b"]))), "output.rack is missing"),
        ("a stream with a dot", input(json!({ "stream": "flux.msg" })), "input.stream flux.msg is not a stream name"),
        ("an ack wait without unit", input(json!({ "ackWait": "30" })), "input.ackWait 30 is not a duration"),
        (
            "an ack wait of hours",
            input(json!({ "ackWait": "2h" })),
            "input.ackWait 2h is out of bounds: choose between 1s and 1h",
        ),
        ("forgetAfter in days", input(json!({ "forgetAfter": "7d" })), "input.forgetAfter 7d is not a duration"),
        ("forgetAfter of seconds", input(json!({ "forgetAfter": "5s" })), "input.forgetAfter 5s is out of bounds"),
        (
            "two ordered pods",
            json!({ "spec": { "input": { "ordered": true }, "replicas": 2 } }),
            "replicas above 1 does not go with input.ordered",
        ),
        (
            "an output rack with a blank",
            spec(json!({ "output": { "rack": "a b" } })),
            "output.rack a b is not a name of fluxrig",
        ),
        (
            "an output gear with a dot",
            spec(json!({ "output": { "gear": "a.b" } })),
            "output.gear a.b is not a name of fluxrig",
        ),
        ("an output port with a dot", spec(json!({ "output": { "ports": ["ok", "a.b"] } })), "output.ports has a.b"),
        ("an unknown onReject", spec(json!({ "onReject": "Drop" })), "supported values: \"DeadLetter\", \"ErrorPort\""),
    ]
}

fn retry_and_rollout() -> Vec<(&'static str, Value, &'static str)> {
    let retry = |fields: Value| spec(json!({ "retry": fields }));
    let rollout = |fields: Value| spec(json!({ "rollout": fields }));
    vec![
        (
            "no attempts",
            retry(json!({ "attempts": 0 })),
            "spec.retry.attempts in body should be greater than or equal to 1",
        ),
        ("a backoff in words", retry(json!({ "backoff": "soon" })), "retry.backoff soon is not a duration"),
        ("no backoff", retry(json!({ "backoff": "0s" })), "retry.backoff 0s is out of bounds"),
        (
            "a longest backoff in words",
            retry(json!({ "maxBackoff": "late" })),
            "retry.maxBackoff late is not a duration",
        ),
        ("a longest backoff of days", retry(json!({ "maxBackoff": "48h" })), "retry.maxBackoff 48h is out of bounds"),
        (
            "a backoff above the longest",
            retry(json!({ "backoff": "1m" })),
            "retry.backoff 1m is above retry.maxBackoff 30s",
        ),
        (
            "deadLetter",
            spec(json!({ "deadLetter": { "encryptTo": "age1x" } })),
            "spec.deadLetter is not available in this release: remove it",
        ),
        (
            "a canary",
            rollout(json!({ "strategy": "Canary" })),
            "rollout.strategy Canary is not available in this release",
        ),
        (
            "a deadline in words",
            rollout(json!({ "progressDeadline": "never" })),
            "rollout.progressDeadline never is not a duration",
        ),
        (
            "a deadline of a second",
            rollout(json!({ "progressDeadline": "1s" })),
            "rollout.progressDeadline 1s is out of bounds",
        ),
        (
            "steps",
            rollout(json!({ "steps": [{ "percent": 5 }] })),
            "spec.rollout.steps is not available in this release: remove it",
        ),
        ("bake", rollout(json!({ "bake": "5m" })), "spec.rollout.bake is not available in this release: remove it"),
        ("maxErrorPercent", rollout(json!({ "maxErrorPercent": 5 })), "spec.rollout.maxErrorPercent is not available"),
        ("minMessages", rollout(json!({ "minMessages": 5 })), "spec.rollout.minMessages is not available"),
        ("paused", rollout(json!({ "paused": true })), "spec.rollout.paused is not available"),
        ("historyLimit", rollout(json!({ "historyLimit": 5 })), "spec.rollout.historyLimit is not available"),
    ]
}

fn connection() -> Vec<(&'static str, Value, &'static str)> {
    let nats = |fields: Value| spec(json!({ "nats": fields }));
    let secret = json!({ "name": "mine" });
    vec![
        (
            "an own server without credentials",
            nats(json!({ "url": "nats://n:4222" })),
            "nats.url of a gear's own needs",
        ),
        (
            "a password in a url",
            nats(json!({ "url": "nats://u:secret-word@n:4222", "credentialsSecretRef": secret })),
            "without user and password: credentials belong into nats.credentialsSecretRef",
        ),
        ("a server name with a slash", nats(json!({ "serverName": "a/b" })), "nats.serverName a/b is not a host name"),
        ("a domain with a dot", nats(json!({ "jsDomain": "a.b" })), "nats.jsDomain a.b is not a JetStream domain"),
        (
            "an upper-case credentials Secret",
            nats(json!({ "credentialsSecretRef": { "name": "Mine" } })),
            "nats.credentialsSecretRef.name Mine is not the name of a Secret",
        ),
        (
            "a key with a slash",
            nats(json!({ "credentialsSecretRef": { "name": "mine", "key": "a/b" } })),
            "nats.credentialsSecretRef.key a/b is not a key of a Secret",
        ),
        (
            "an upper-case TLS Secret",
            nats(json!({ "tlsSecretRef": { "name": "Mine" } })),
            "nats.tlsSecretRef.name Mine is not the name of a Secret",
        ),
    ]
}

fn pods() -> Vec<(&'static str, Value, &'static str)> {
    let template = |fields: Value| spec(json!({ "template": fields }));
    vec![
        (
            "a label of the operator",
            template(json!({ "metadata": { "labels": { "app.kubernetes.io/name": "x" } } })),
            "template.metadata.labels has app.kubernetes.io/name: labels under",
        ),
        (
            "a label value with a blank",
            template(json!({ "metadata": { "labels": { "team": "a b" } } })),
            "template.metadata.labels has team: a key is a qualified name",
        ),
        (
            "an annotation of the operator",
            template(json!({ "metadata": { "annotations": { "gears.fluxrig.org/revision": "x" } } })),
            "template.metadata.annotations has gears.fluxrig.org/revision",
        ),
        (
            "a node label with a blank",
            template(json!({ "nodeSelector": { "a b": "c" } })),
            "template.nodeSelector has a b",
        ),
        (
            "a request that is no quantity",
            template(json!({ "resources": { "requests": { "cpu": "half" } } })),
            "template.resources.requests has cpu with a value that is no quantity",
        ),
        (
            "a limit that is no quantity",
            template(json!({ "resources": { "limits": { "cpu": "half" } } })),
            "template.resources.limits has cpu with a value that is no quantity",
        ),
        (
            "a container smaller than its guests",
            template(json!({ "resources": { "limits": { "memory": "128Mi" } } })),
            "template.resources.limits.memory 128Mi is too small for limits.memory 64Mi",
        ),
        (
            "a grace period shorter than a message",
            template(json!({ "terminationGracePeriodSeconds": 10 })),
            "template.terminationGracePeriodSeconds is too short for limits.messageTime 5s",
        ),
        (
            "too many pods",
            spec(json!({ "replicas": 1001 })),
            "spec.replicas in body should be less than or equal to 1000",
        ),
        (
            "an affinity of another shape",
            template(json!({ "affinity": { "nodeAffinity": "zone-a" } })),
            "spec.template.affinity.nodeAffinity in body must be of type object",
        ),
    ]
}

/// What changes, from, to, and a part of the sentence.
pub(crate) fn transitions() -> Vec<(&'static str, Value, Value, &'static str)> {
    let input = |fields: Value| spec(json!({ "input": fields }));
    vec![
        (
            "stream",
            json!({}),
            input(json!({ "stream": "other" })),
            "input.stream can't be changed from flux-msg to other",
        ),
        ("deliver", json!({}), input(json!({ "deliver": "All" })), "input.deliver can't be changed from New to All"),
        ("ordered", json!({}), input(json!({ "ordered": true })), "input.ordered can't be changed from false to true"),
    ]
}

/// What is shown, and the patch.
pub(crate) fn good() -> Vec<(&'static str, Value)> {
    let digest = format!("urn:wasm:team/fraud-scorer:v2.1.0-rc.1@sha256:{}", "0a".repeat(32));
    vec![
        ("the smallest", json!({})),
        ("a pinned digest", spec(json!({ "module": digest }))),
        ("a major version alone", spec(json!({ "module": "urn:wasm:x:v2", "entrypoint": "process" }))),
        (
            "switches and parameters",
            spec(json!({ "allowHttp": true, "allowKv": true, "config": { "keep.last": "4" } })),
        ),
        (
            "limits at their bounds",
            spec(json!({
                "limits": { "memory": "1Gi", "guestTime": "1ms", "messageTime": "29s999ms", "outputMessages": 4096,
                            "outputSize": 67_108_864, "logSize": 0 },
            })),
        ),
        (
            "a persistent instance",
            spec(json!({ "instance": { "mode": "Persistent", "maxMessages": 10 }, "concurrency": 1024 })),
        ),
        (
            "subjects",
            spec(json!({
                "input": { "rack": null, "gear": null, "subjects": ["flux.msg.*.in.out", "flux.msg.b.>", ">"],
                           "stream": "my_stream", "deliver": "All", "ackWait": "1h", "forgetAfter": "1m" },
                "output": { "rack": "edge-b", "gear": "x_1", "ports": ["review", "audit"] },
            })),
        ),
        (
            "an ordered gear at rest",
            spec(json!({ "input": { "ordered": true }, "replicas": 0, "onReject": "ErrorPort" })),
        ),
        (
            "retry and rollout",
            spec(json!({
                "retry": { "attempts": 100, "backoff": "10ms", "maxBackoff": "1h" },
                "rollout": { "strategy": "Immediate", "progressDeadline": "24h" },
            })),
        ),
        (
            "an own server",
            spec(json!({
                "nats": { "url": "tls://a:4222,tls://b:4222", "credentialsSecretRef": { "name": "mine", "key": "user.nk" },
                          "tlsSecretRef": { "name": "mine-tls" }, "serverName": "nats.example.org", "jsDomain": "hub" },
            })),
        ),
        (
            "a full template",
            spec(json!({
                "template": {
                    "metadata": { "labels": { "team": "payments" }, "annotations": { "example.org/Note": "text with blanks" } },
                    "resources": { "requests": { "cpu": "100m", "memory": 268_435_456 }, "limits": { "memory": "192Mi" } },
                    "nodeSelector": { "kubernetes.io/arch": "amd64" },
                    "tolerations": [{ "key": "a", "operator": "Exists" }],
                    "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{ "matchExpressions": [{ "key": "a", "operator": "In", "values": ["b"] }] }] } } },
                    "topologySpreadConstraints": [{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }],
                    "priorityClassName": "high",
                    "terminationGracePeriodSeconds": 20,
                },
            })),
        ),
        ("null is nothing", spec(json!({ "output": {} }))),
    ]
}
