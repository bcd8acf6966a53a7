//! The pod: one container, nothing that the restricted profile forbids, no token, no path to the node.

use gear_config::ByteSize;
use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource,
        HTTPGetAction, KeyToPath, ObjectFieldSelector, PodSecurityContext, PodSpec, Probe, SeccompProfile,
        SecretVolumeSource, SecurityContext, TopologySpreadConstraint, Volume, VolumeMount,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use wasmgear_crds::words;

use super::meta;
use crate::{
    observe::PORT_NAME,
    reconcile::validate::{CONFIG, MOUNT, Mount, ValidGear},
    settings::Sidecar,
};

/// Probes and metrics.
pub(super) const ADMIN_PORT: i32 = 8081;
/// `/status`.
pub(super) const STATUS_PORT: i32 = 8082;
/// Nobody, as images without users have it.
const USER: i64 = 65532;
const CACHE: &str = "/var/cache/wasmgear";
const CACHE_SIZE: u64 = 256 << 20;
/// Files of Secrets: for the container's group alone.
const SECRET_MODE: i32 = 0o440;

/// The pod of a gear.
pub(super) fn spec(gear: &ValidGear, sidecar: &Sidecar) -> PodSpec {
    let (placement, mounts) = (&gear.placement, &gear.connection.mounts);
    let selector =
        LabelSelector { match_labels: Some(meta::selector_labels(&gear.identity.name)), match_expressions: None };
    PodSpec {
        service_account_name: Some(words::child_name(&gear.identity.name)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(pod_security()),
        containers: vec![container(gear, sidecar)],
        volumes: Some(volumes(gear, mounts)),
        termination_grace_period_seconds: Some(placement.grace),
        node_selector: Some(placement.node_selector.clone()).filter(|labels| !labels.is_empty()),
        tolerations: Some(placement.tolerations.clone()).filter(|list| !list.is_empty()),
        affinity: placement.affinity.clone(),
        topology_spread_constraints: Some(placement.spread.clone().unwrap_or_else(|| spread(&selector))),
        priority_class_name: placement.priority_class.clone(),
        ..PodSpec::default()
    }
}

fn container(gear: &ValidGear, sidecar: &Sidecar) -> Container {
    let port = |name: &str, number| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    Container {
        name: "sidecar".to_owned(),
        image: Some(sidecar.image.clone()),
        image_pull_policy: Some(sidecar.pull_policy.clone()),
        args: Some(["--config", CONFIG, "--cache", CACHE].map(ToOwned::to_owned).to_vec()),
        env: Some(env(sidecar)),
        ports: Some(vec![port("admin", ADMIN_PORT), port(PORT_NAME, STATUS_PORT)]),
        resources: Some(gear.placement.resources.clone()),
        volume_mounts: Some(volume_mounts(&gear.connection.mounts)),
        // None of them asks NATS or waits for the compiler: a server that is away must not restart pods.
        startup_probe: Some(probe("/livez", 1, 60)),
        liveness_probe: Some(probe("/livez", 10, 3)),
        readiness_probe: Some(probe("/readyz", 2, 2)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            seccomp_profile: Some(seccomp()),
            ..SecurityContext::default()
        }),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn env(sidecar: &Sidecar) -> Vec<EnvVar> {
    let field = |name: &str, path: &str| EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: path.to_owned() }),
            ..EnvVarSource::default()
        }),
    };
    let text = |name: &str, value: &Option<String>| {
        value.clone().map(|value| EnvVar { name: name.to_owned(), value: Some(value), value_from: None })
    };
    let mut env = vec![field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")];
    env.extend(text("OTEL_EXPORTER_OTLP_ENDPOINT", &sidecar.otlp_endpoint));
    env.extend(text("WASMGEAR_LOG", &sidecar.log));
    env
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("admin".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn volumes(gear: &ValidGear, mounts: &[Mount]) -> Vec<Volume> {
    let mut volumes = vec![
        Volume {
            name: "config".to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: words::child_name(&gear.identity.name),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        Volume {
            name: "cache".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource {
                size_limit: Some(Quantity(ByteSize::new(CACHE_SIZE).to_string())),
                medium: None,
            }),
            ..Volume::default()
        },
    ];
    volumes.extend(mounts.iter().map(|mount| Volume {
        name: format!("nats-{}", mount.folder),
        secret: Some(SecretVolumeSource {
            secret_name: Some(mount.secret.clone()),
            default_mode: Some(SECRET_MODE),
            items: mount.key.as_ref().map(|key| vec![KeyToPath { key: key.clone(), path: key.clone(), mode: None }]),
            optional: None,
        }),
        ..Volume::default()
    }));
    volumes
}

fn volume_mounts(mounts: &[Mount]) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str, read_only: Option<bool>| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only,
        ..VolumeMount::default()
    };
    // The whole directory: a single file of a ConfigMap (subPath) is never updated.
    let mut all = vec![mount("config", CONFIG, Some(true)), mount("cache", CACHE, None)];
    all.extend(
        mounts.iter().map(|m| mount(&format!("nats-{}", m.folder), &format!("{MOUNT}/{}", m.folder), Some(true))),
    );
    all
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        fs_group: Some(USER),
        seccomp_profile: Some(seccomp()),
        ..PodSecurityContext::default()
    }
}

fn seccomp() -> SeccompProfile {
    SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }
}

/// Over hosts and zones, as far as that is possible. Each revision is spread for itself.
fn spread(selector: &LabelSelector) -> Vec<TopologySpreadConstraint> {
    ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        .map(|key| TopologySpreadConstraint {
            max_skew: 1,
            topology_key: key.to_owned(),
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(selector.clone()),
            match_label_keys: Some(vec!["pod-template-hash".to_owned()]),
            ..TopologySpreadConstraint::default()
        })
        .to_vec()
}
