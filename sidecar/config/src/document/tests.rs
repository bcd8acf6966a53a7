use super::*;
use crate::{Deliver, Limits, OnReject, Output, Retry, Span};

fn sample() -> Document {
    Document {
        version: VERSION,
        gear: Identity {
            cluster_id: "0a1b2c3d".into(),
            namespace: "payments".into(),
            name: "pan-masker".into(),
            uid: "7f6c".into(),
        },
        epoch: 1,
        stable: Revision {
            name: "r1-01020304".into(),
            module: "urn:wasm:pan-masker:v1".into(),
            digest: gear_module::Digest::of(b"module"),
            size: 6,
            entrypoint: "flux_process".into(),
            grants: gear_module::Grants::default(),
            limits: Limits::default(),
            instance: Instance::Fresh,
            config: [("keep".to_owned(), "4".to_owned())].into(),
            output: Output { prefix: "flux.msg.edge-a.pan-masker".into(), ports: vec![] },
            on_reject: OnReject::DeadLetter,
            retry: Retry::default(),
        },
        candidate: None,
        concurrency: 16,
        input: Input {
            stream: "flux-msg".into(),
            subjects: vec!["flux.msg.edge-a.line-in.out".into()],
            deliver: Deliver::Time { start: "2026-01-01T00:00:00Z".into() },
            ack_wait: Span::from_secs(30),
            ordered: false,
            forget_after: Span::from_secs(168 * 3600),
            max_ack_pending: 4096,
            generation: 1,
        },
        nats: Nats { url: "nats://nats:4222".into(), ..Nats::default() },
        registries: vec![Registry { name: "nats".into(), source: RegistrySource::Nats }],
    }
}

#[test]
fn a_document_survives_its_own_text() {
    let text = sample().render().unwrap();
    assert_eq!(Document::parse(text.as_bytes()).unwrap(), sample());
}

#[test]
fn unknown_fields_are_refused_by_name() {
    let mut other = sample();
    other.stable.instance = Instance::persistent();
    other.input.deliver = Deliver::All;
    other.registries = ["one", "two"].map(|name| Registry { name: name.into(), source: RegistrySource::Nats }).into();
    other.registries[1].source = RegistrySource::Operator { url: "http://operator:8083".into() };
    other.candidate = Some(Candidate { revision: sample().stable, percent: 10 });
    for document in [sample(), other] {
        let plain = serde_json::to_value(document).unwrap();
        let objects = objects("", &plain);
        assert!(objects.len() > 8, "{objects:?}");
        // A gear's own parameters have any names.
        for place in objects.iter().filter(|place| !place.ends_with("/config")) {
            let mut json = plain.clone();
            json.pointer_mut(place).unwrap()["allowEverything"] = true.into();
            let error = Document::parse(json.to_string().as_bytes()).map(|_| ()).expect_err(place);
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("allowEverything"), "{place}: {source}");
        }
    }
}

/// Where the objects of a value are, itself included.
fn objects(place: &str, value: &serde_json::Value) -> Vec<String> {
    let inner: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        serde_json::Value::Array(items) => items.iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect(),
        _ => return Vec::new(),
    };
    let itself = value.is_object().then(|| place.to_owned());
    itself
        .into_iter()
        .chain(inner.iter().flat_map(|(name, value)| objects(&format!("{place}/{name}"), value)))
        .collect()
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut document = sample();
    document.version = 9;
    document.concurrency = 0;
    document.input.subjects.clear();
    document.stable.retry.attempts = 0;
    document.stable.limits.message_time = Span::from_secs(30);
    document.stable.limits.guest_time = Span::from_secs(31);
    document.stable.instance = Instance::Persistent { max_messages: 0 };
    document.candidate = Some(Candidate { revision: sample().stable, percent: 101 });
    let DocumentError::Invalid(problems) = Document::parse(document.render().unwrap().as_bytes()).unwrap_err() else {
        panic!("expected Invalid");
    };
    assert_eq!(problems.len(), 8, "{problems:#?}");
}
