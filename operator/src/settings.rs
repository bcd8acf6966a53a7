//! Flags and files, checked once. Every problem is reported, not only the first.

use std::{fs, path::Path, time::Duration};

use gear_config::{Nats, Registry, RegistrySource};
use gear_nats::Endpoint;
use gear_supply::RegistryConfig;

use crate::{Args, tenant::Tenants};

/// What the operator runs by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Namespace of the operator.
    pub namespace: String,
    /// Name of this operator among others.
    pub pod_name: String,
    /// Namespaces to watch; empty is all.
    pub watch: Vec<String>,
    /// Name of this cluster, when it is given.
    pub cluster_id: Option<String>,
    /// What pods are made of.
    pub sidecar: Sidecar,
    /// Module registries, in order.
    pub registries: Vec<RegistryConfig>,
    /// Allow rules.
    pub tenants: Tenants,
    /// The operator's own way to NATS.
    pub nats: Endpoint,
    /// What sidecars are told about NATS: no path of the operator's own, no credential.
    pub gear_nats: Nats,
    /// PEM that sidecars get with it.
    pub gear_ca: Option<String>,
    /// Make streams and buckets, with so many replicas.
    pub init_nats: Option<usize>,
    /// Name of the Lease.
    pub lease: String,
    /// Resources worked on at once.
    pub concurrency: u16,
    /// Port of probes and metrics; 0 is any.
    pub admin_port: u16,
    /// Port of modules; 0 is any.
    pub modules_port: u16,
    /// How fast things are looked at.
    pub pace: Pace,
}

/// What pods are made of.
#[derive(Debug, Clone)]
pub struct Sidecar {
    /// Image.
    pub image: String,
    /// When it is pulled.
    pub pull_policy: String,
    /// Where spans go.
    pub otlp_endpoint: Option<String>,
    /// Log filter.
    pub log: Option<String>,
    /// Where sidecars get modules by digest, in the order of the registries.
    pub registries: Vec<Registry>,
    /// Namespace of the operator, for network policies.
    pub operator_namespace: String,
}

/// How fast things are looked at. Tests make it faster; people can't.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Sidecars of a gear that changes.
    pub busy: Duration,
    /// Sidecars of a gear at rest.
    pub rest: Duration,
    /// A whole gear, when nothing happens.
    pub resync: Duration,
    /// Silence on the input after which people are told.
    pub silence: Duration,
    /// First delay after a failure; doubles.
    pub backoff: Duration,
    /// Longest delay after a failure.
    pub max_backoff: Duration,
    /// Time that a Lease is valid.
    pub lease: Duration,
    /// Time that sidecars of a gear that is gone have before its consumer is deleted.
    pub farewell: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            busy: Duration::from_millis(500),
            rest: Duration::from_mins(1),
            resync: Duration::from_mins(30),
            silence: Duration::from_mins(1),
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_mins(5),
            lease: Duration::from_secs(15),
            farewell: Duration::from_secs(8),
        }
    }
}

/// Settings that can't be followed.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// Checks flags and reads the files that they name.
    pub fn new(args: &Args) -> Result<Self, SettingsError> {
        let mut problems = Problems(Vec::new());
        let registries = problems.take(registries(args)).unwrap_or_default();
        let tenants = problems.take(tenants(args)).unwrap_or_default();
        let nats = problems.take(endpoint(args));
        let gear_ca = problems.take(args.nats_ca.as_deref().map(|path| read("--nats-ca", path)).transpose()).flatten();
        let sidecar = problems.take(sidecar(args, &registries));
        problems.take(cluster_id(args.cluster_id.as_deref()));
        let (Some(nats), Some(sidecar), true) = (nats, sidecar, problems.0.is_empty()) else {
            return Err(SettingsError(problems.0));
        };
        Ok(Self {
            namespace: args.namespace.clone(),
            pod_name: args.pod_name.clone(),
            watch: args.watch_namespaces.iter().filter(|name| !name.is_empty()).cloned().collect(),
            cluster_id: args.cluster_id.clone(),
            sidecar,
            registries,
            tenants,
            nats,
            gear_nats: Nats {
                url: args.nats_url.clone(),
                server_name: args.nats_server_name.clone(),
                js_domain: args.nats_js_domain.clone(),
                ..Nats::default()
            },
            gear_ca,
            init_nats: args.init_nats.then_some(args.init_nats_replicas.into()),
            lease: args.lease.clone(),
            concurrency: args.concurrency,
            admin_port: args.admin_port,
            modules_port: args.modules_port,
            pace: Pace::default(),
        })
    }

    /// Whether sidecars get modules from the operator.
    #[must_use]
    pub fn serves_modules(&self) -> bool {
        self.registries.iter().any(|registry| matches!(registry.source, RegistrySource::Folder { .. }))
    }
}

struct Problems(Vec<String>);

impl Problems {
    fn take<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }
}

fn read(flag: &str, path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{flag} {}: can't be read: {error}", path.display()))
}

fn registries(args: &Args) -> Result<Vec<RegistryConfig>, String> {
    let Some(path) = &args.registries else {
        let source = RegistrySource::Nats;
        return Ok(vec![RegistryConfig { name: "nats".into(), prefix: gear_supply::DEFAULT_MATCH.into(), source }]);
    };
    let list: Vec<RegistryConfig> = serde_json::from_str(&read("--registries", path)?)
        .map_err(|error| format!("--registries {}: not a list of registries: {error}", path.display()))?;
    if list.is_empty() {
        return Err(format!("--registries {}: the list is empty, at least one registry is expected", path.display()));
    }
    Ok(list)
}

fn tenants(args: &Args) -> Result<Tenants, String> {
    let Some(path) = &args.tenants else { return Ok(Tenants::default()) };
    Tenants::parse(&read("--tenants", path)?).map_err(|error| format!("--tenants {}: {error}", path.display()))
}

fn endpoint(args: &Args) -> Result<Endpoint, String> {
    Endpoint::new(&Nats {
        url: args.nats_url.clone(),
        credentials: args.nats_credentials.clone(),
        ca: args.nats_ca.clone(),
        certificate: args.nats_certificate.clone(),
        key: args.nats_key.clone(),
        server_name: args.nats_server_name.clone(),
        js_domain: args.nats_js_domain.clone(),
    })
    .map_err(|error| format!("--nats-…: {error}"))
}

fn cluster_id(id: Option<&str>) -> Result<(), String> {
    let good =
        |id: &str| (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match id {
        Some(id) if !good(id) => {
            Err(format!("--cluster-id {id:?}: 1 to 16 lower-case letters and digits are expected"))
        }
        _ => Ok(()),
    }
}

fn sidecar(args: &Args, registries: &[RegistryConfig]) -> Result<Sidecar, String> {
    let source = |registry: &RegistryConfig| match (&registry.source, &args.modules_url) {
        (RegistrySource::Folder { .. }, Some(url)) => Ok(RegistrySource::Operator { url: url.clone() }),
        (RegistrySource::Folder { .. }, None) => Err(format!(
            "--modules-url is missing: registry {} is of kind folder, and sidecars get its modules from the operator",
            registry.name
        )),
        (other, _) => Ok(other.clone()),
    };
    Ok(Sidecar {
        image: args.sidecar_image.clone(),
        pull_policy: args.sidecar_pull_policy.clone(),
        otlp_endpoint: args.sidecar_otlp_endpoint.clone(),
        log: args.sidecar_log.clone(),
        registries: registries
            .iter()
            .map(|registry| Ok(Registry { name: registry.name.clone(), source: source(registry)? }))
            .collect::<Result<_, String>>()?,
        operator_namespace: args.namespace.clone(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn args(more: &[&str]) -> Args {
        let least = ["x", "--namespace", "ns", "--sidecar-image", "i", "--nats-url", "nats://n:4222"];
        Args::parse_from(least.iter().chain(more))
    }

    #[test]
    fn the_least_settings_use_the_nats_registry() {
        let settings = Settings::new(&args(&[])).unwrap();
        assert_eq!(settings.registries.len(), 1);
        assert!(!settings.serves_modules());
        assert!(settings.tenants.is_empty());
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"[{"name":"f","source":{"kind":"folder","path":"/m"}}]"#).unwrap();
        let path = file.path().to_str().unwrap();
        let bad = args(&[
            "--registries",
            path,
            "--tenants",
            "/nowhere",
            "--nats-ca",
            "/no-ca",
            "--cluster-id",
            "Big_Cluster",
        ]);
        let text = Settings::new(&bad).unwrap_err().to_string();
        for part in
            ["--tenants /nowhere", "--nats-ca /no-ca", "--cluster-id \"Big_Cluster\"", "--modules-url is missing"]
        {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }

    #[test]
    fn sidecars_get_the_modules_of_a_folder_from_the_operator() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"[{"name":"f","match":"urn:wasm:a/","source":{"kind":"folder","path":"/m"}},{"name":"n","source":{"kind":"nats"}}]"#).unwrap();
        let settings =
            Settings::new(&args(&["--registries", file.path().to_str().unwrap(), "--modules-url", "http://o:8083"]))
                .unwrap();
        assert!(settings.serves_modules());
        let sources: Vec<_> = settings.sidecar.registries.iter().map(|registry| &registry.source).collect();
        assert_eq!(sources, [&RegistrySource::Operator { url: "http://o:8083".into() }, &RegistrySource::Nats]);
    }

    #[test]
    fn the_help_names_what_runs_where() {
        use clap::CommandFactory as _;
        let help = Args::command().render_long_help().to_string();
        for part in ["/modules/<digest>", "Exit codes:", "Examples:"] {
            assert!(help.contains(part));
        }
    }
}
