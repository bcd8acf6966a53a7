//! What the pods of a namespace may reach and be reached by.
//!
//! Out: DNS, the NATS servers' ports, the operator's modules, the collector of spans. In: probes and metrics (8081) from
//! anywhere, `/status` (8082) from the operator alone.

use std::collections::{BTreeMap, BTreeSet};

use gear_config::RegistrySource;
use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
        NetworkPolicySpec,
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use wasmgear_crds::words;

use super::{meta, pod};
use crate::settings::Sidecar;

/// The policy of a namespace.
pub(super) fn policy(namespace: &str, nats_ports: &BTreeSet<u16>, sidecar: &Sidecar) -> NetworkPolicy {
    NetworkPolicy {
        metadata: ObjectMeta {
            name: Some(words::NETWORK_POLICY.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(meta::base_labels()),
            ..ObjectMeta::default()
        },
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(select([("app.kubernetes.io/name", words::POD_APP)])),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(ingress(sidecar)),
            egress: Some(egress(nats_ports, sidecar)),
        }),
    }
}

fn ingress(sidecar: &Sidecar) -> Vec<NetworkPolicyIngressRule> {
    vec![
        NetworkPolicyIngressRule { ports: Some(vec![tcp(pod::ADMIN_PORT)]), from: None },
        NetworkPolicyIngressRule { ports: Some(vec![tcp(pod::STATUS_PORT)]), from: Some(vec![operator(sidecar)]) },
    ]
}

fn egress(nats_ports: &BTreeSet<u16>, sidecar: &Sidecar) -> Vec<NetworkPolicyEgressRule> {
    let to_anywhere = |ports: Vec<NetworkPolicyPort>| NetworkPolicyEgressRule { ports: Some(ports), to: None };
    let mut rules = vec![
        to_anywhere(vec![port("UDP", 53), tcp(53)]),
        to_anywhere(nats_ports.iter().map(|port| tcp(i32::from(*port))).collect()),
    ];
    let modules: BTreeSet<u16> = sidecar
        .registries
        .iter()
        .filter_map(|registry| match &registry.source {
            RegistrySource::Operator { url } => url_port(url),
            _ => None,
        })
        .collect();
    if !modules.is_empty() {
        rules.push(NetworkPolicyEgressRule {
            ports: Some(modules.into_iter().map(|port| tcp(i32::from(port))).collect()),
            to: Some(vec![operator(sidecar)]),
        });
    }
    rules.extend(
        sidecar.otlp_endpoint.as_deref().and_then(url_port).map(|port| to_anywhere(vec![tcp(i32::from(port))])),
    );
    rules
}

fn operator(sidecar: &Sidecar) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        namespace_selector: Some(select([("kubernetes.io/metadata.name", sidecar.operator_namespace.as_str())])),
        pod_selector: Some(select([("app.kubernetes.io/name", words::MANAGER)])),
        ip_block: None,
    }
}

fn select<const N: usize>(labels: [(&str, &str); N]) -> LabelSelector {
    let labels: BTreeMap<String, String> =
        labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    LabelSelector { match_labels: Some(labels), match_expressions: None }
}

fn tcp(number: i32) -> NetworkPolicyPort {
    port("TCP", number)
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort { protocol: Some(protocol.to_owned()), port: Some(IntOrString::Int(number)), end_port: None }
}

/// The port of `http://host:port/path`.
fn url_port(url: &str) -> Option<u16> {
    let uri: hyper::Uri = url.parse().ok()?;
    uri.port_u16().or(match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    })
}
