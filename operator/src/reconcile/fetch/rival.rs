//! Other gears, as far as they matter to this one.

use std::{collections::BTreeSet, sync::Arc};

use kube::ResourceExt as _;
use wasmgear_crds::{Nats, WasmGear};

use crate::context::Gear;

/// An older gear with the same output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rival {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Rack and gear that outputs leave under. `None` when the resource names no rack, which its rules forbid.
pub(crate) fn output(gear: &WasmGear) -> Option<(String, String)> {
    let output = gear.spec.output.clone().unwrap_or_default();
    let rack = output.rack.or_else(|| gear.spec.input.rack.clone())?;
    Some((rack, output.gear.unwrap_or_else(|| gear.name_any())))
}

/// The oldest gear that emits what this one emits, if that is not this one. Servers are told apart by their urls.
pub(super) fn oldest(gear: &WasmGear, all: &[Arc<Gear>]) -> Option<Rival> {
    let (emits, server) = (output(gear)?, server(gear));
    let age = |gear: &WasmGear| (gear.creation_timestamp(), gear.uid());
    let older = all
        .iter()
        .filter_map(|other| other.0.as_ref().ok())
        .filter(|other| other.uid() != gear.uid() && other.metadata.deletion_timestamp.is_none())
        .filter(|other| output(other).as_ref() == Some(&emits) && self::server(other) == server)
        .min_by_key(|other| age(other))?;
    (age(older) < age(gear)).then(|| Rival { namespace: older.namespace().unwrap_or_default(), name: older.name_any() })
}

fn server(gear: &WasmGear) -> Option<&str> {
    gear.spec.nats.as_ref()?.url.as_deref()
}

/// Ports of the NATS servers that gears of a namespace connect to.
pub(super) fn nats_ports(namespace: &str, all: &[Arc<Gear>], default_url: &str) -> BTreeSet<u16> {
    let own = all
        .iter()
        .filter_map(|gear| gear.0.as_ref().ok())
        .filter(|gear| gear.namespace().as_deref() == Some(namespace))
        .filter_map(|gear| gear.spec.nats.as_ref().and_then(|nats: &Nats| nats.url.clone()));
    own.chain([default_url.to_owned()]).flat_map(|url| ports(&url).collect::<Vec<_>>()).collect()
}

/// `nats://a:4222,tls://b` → 4222, 4222.
fn ports(url: &str) -> impl Iterator<Item = u16> {
    url.split(',').map(|server| {
        let host = server.trim().trim_end_matches('/');
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.unwrap_or(4222)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gear(namespace: &str, name: &str, second: u8, spec: &serde_json::Value) -> WasmGear {
        let mut gear = json!({
            "apiVersion": "gears.fluxrig.org/v1alpha1", "kind": "WasmGear",
            "metadata": { "namespace": namespace, "name": name, "uid": format!("{namespace}-{name}"),
                          "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z") },
            "spec": { "module": "urn:wasm:x:v1", "input": { "rack": "r", "gear": "g" } },
        });
        for (key, value) in spec.as_object().unwrap() {
            gear["spec"][key] = value.clone();
        }
        serde_json::from_value(gear).unwrap()
    }

    fn watched(gears: &[&WasmGear]) -> Vec<Arc<Gear>> {
        gears.iter().map(|gear| Arc::new(kube::core::DeserializeGuard(Ok((*gear).clone())))).collect()
    }

    #[test]
    fn of_two_gears_with_one_output_the_younger_has_a_rival() {
        let older = gear("a", "x", 1, &json!({ "output": { "gear": "same" } }));
        let younger = gear("b", "y", 2, &json!({ "output": { "gear": "same" } }));
        let other = gear("b", "same2", 0, &json!({}));
        let all = watched(&[&older, &younger, &other]);
        assert_eq!(oldest(&older, &all), None);
        assert_eq!(oldest(&younger, &all), Some(Rival { namespace: "a".into(), name: "x".into() }));
    }

    #[test]
    fn another_server_or_another_rack_is_another_output() {
        let older = gear("a", "x", 1, &json!({ "output": { "gear": "same" } }));
        let rack = gear("a", "y", 2, &json!({ "output": { "gear": "same", "rack": "other" } }));
        let server = gear(
            "a",
            "z",
            3,
            &json!({ "output": { "gear": "same" },
            "nats": { "url": "nats://mine:4222", "credentialsSecretRef": { "name": "s" } } }),
        );
        let all = watched(&[&older, &rack, &server]);
        assert_eq!((oldest(&rack, &all), oldest(&server, &all)), (None, None));
    }

    #[test]
    fn ports_of_a_namespace_are_those_of_all_its_gears() {
        let own = gear("a", "x", 1, &json!({ "nats": { "url": "tls://b:4333,tls://c" } }));
        let foreign = gear("b", "x", 1, &json!({ "nats": { "url": "tls://d:4444" } }));
        let ports = nats_ports("a", &watched(&[&own, &foreign]), "nats://n:4555");
        assert_eq!(ports.into_iter().collect::<Vec<_>>(), [4222, 4333, 4555]);
    }
}
