//! Things that tests of several stages are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clap::Parser as _;
use gear_module::{Digest, StaticLimits};
use serde_json::{Value, json};
use wasmgear_crds::WasmGear;

use super::fetch::{Examined, Found, Observed, Secrets};
use crate::{Args, Settings, modules::Judgement, observe::View, record::Pin};

pub(crate) const FLUX1: &str = r#"(func (export "flux_process") (param i32 i32) (result i32) i32.const 0)"#;
pub(crate) const RACK: &str = r#"(func (export "process") (param i32 i32) (result i64) i64.const 0)"#;
pub(crate) const HTTP: &str = r#"(import "env" "flux_req_http" (func (param i32 i32 i32 i32 i32 i32) (result i32)))"#;

/// A module with what every gear has, and `more`.
pub(crate) fn wasm(more: &str) -> Vec<u8> {
    let imports = if more.contains("(import") { "" } else { r#"(import "env" "log" (func (param i32 i32 i32)))"# };
    let text = format!(
        r#"(module {imports} {more} (memory (export "memory") 1)
             (func (export "alloc") (param i32) (result i32) i32.const 8) (func (export "free") (param i32 i32)))"#
    );
    wat::parse_str(text).unwrap()
}

pub(crate) fn examined(more: &str) -> Examined {
    let bytes = wasm(more);
    let judgement = match gear_module::inspect(&bytes, &StaticLimits::default()) {
        Ok(inspection) => Judgement::Sound(Arc::new(inspection)),
        Err(refusal) => Judgement::Refused(refusal),
    };
    let pin = Pin {
        module: "urn:wasm:fraud-scorer:v2.1".into(),
        // Fixed, so that snapshots do not change with the assembler.
        digest: Digest::of(b"module"),
        size: 1234,
        registry: "nats".into(),
        generation: 1,
    };
    Examined { pin, judgement }
}

/// The smallest useful resource, with `spec` over it, top-level fields only.
pub(crate) fn gear(spec: &Value) -> WasmGear {
    let mut gear = json!({
        "apiVersion": "gears.fluxrig.org/v1alpha1",
        "kind": "WasmGear",
        "metadata": { "name": "fraud-evaluator", "namespace": "payments", "uid": "7f6c-uid", "generation": 1,
                      "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "module": "urn:wasm:fraud-scorer:v2.1", "input": { "rack": "edge-a", "gear": "line-in" } },
    });
    for (field, value) in spec.as_object().unwrap() {
        gear["spec"][field] = value.clone();
    }
    serde_json::from_value(gear).unwrap()
}

pub(crate) fn observed(spec: &Value) -> Observed {
    Observed {
        gear: gear(spec),
        namespace: "payments".into(),
        uid: "7f6c-uid".into(),
        labels: BTreeMap::new(),
        found: Found::default(),
        record: None,
        module: Ok(examined(FLUX1)),
        secrets: Secrets::default(),
        rival: None,
        nats_ports: BTreeSet::from([4222]),
        view: View::default(),
    }
}

pub(crate) fn settings() -> Settings {
    let args = Args::parse_from([
        "x",
        "--namespace",
        "wasmgear-system",
        "--sidecar-image",
        "wasmgear-sidecar:1",
        "--nats-url",
        "nats://nats:4222",
    ]);
    Settings::new(&args).unwrap()
}
