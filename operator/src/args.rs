//! Flags, each with an environment variable of its own.

use std::path::PathBuf;

use clap::Parser;

const ABOUT: &str = "Turns WasmGear resources into sidecar Deployments.

The operator resolves each resource's module to a digest, compares what the module imports with what the resource grants,
and only then makes pods. It never changes a resource's spec, and a registry, NATS or API server that is away never makes
it delete or scale down anything. Several operators elect a leader by a Lease; the others wait.";

const AFTER: &str = "Examples:
  # on a developer's machine, with the current kubeconfig, one namespace only
  wasmgear-operator --namespace default --sidecar-image wasmgear-sidecar:dev --nats-url nats://localhost:4222 \\
      --watch-namespace payments

  # make the streams and buckets that the product needs, then run
  wasmgear-operator --namespace wasmgear-system --sidecar-image … --nats-url nats://nats.nats:4222 --init-nats

Ports:
  8081  /livez, /readyz (says why not), /metrics, PUT /log (changes the log filter)
  8083  /modules/<digest>, for sidecars, when a registry of kind folder is configured

Exit codes:
  0   ended by SIGTERM or SIGINT, leadership given back
  1   leadership lost, or a port could not be opened
  64  settings that can't be followed; all of them are named";

/// Flags of the operator.
#[derive(Debug, Clone, Parser)]
#[command(name = "wasmgear-operator", version, about = "Turns WasmGear resources into sidecars", long_about = ABOUT, after_help = AFTER)]
pub struct Args {
    /// Namespace that the operator runs in; its Lease is there
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME")]
    pub namespace: String,

    /// Name of this operator among others; the Lease holds it
    #[arg(long, env = "POD_NAME", default_value = "wasmgear-operator", value_name = "NAME")]
    pub pod_name: String,

    /// Namespace to watch; several times or with commas. Default: all
    #[arg(long = "watch-namespace", env = "WASMGEAR_WATCH_NAMESPACES", value_delimiter = ',', value_name = "NAME")]
    pub watch_namespaces: Vec<String>,

    /// Name of this cluster in consumer names, 1 to 16 lower-case letters and digits. Default: the first 8 hex digits of
    /// the UID of the namespace kube-system
    #[arg(long, env = "WASMGEAR_CLUSTER_ID", value_name = "ID")]
    pub cluster_id: Option<String>,

    /// Image of the sidecar
    #[arg(long, env = "WASMGEAR_SIDECAR_IMAGE", value_name = "IMAGE")]
    pub sidecar_image: String,

    /// When kubelets pull that image
    #[arg(long, env = "WASMGEAR_SIDECAR_PULL_POLICY", default_value = "IfNotPresent", value_name = "POLICY",
          value_parser = ["Always", "IfNotPresent", "Never"])]
    pub sidecar_pull_policy: String,

    /// Where sidecars send their spans (OTLP over HTTP). Default: nowhere
    #[arg(long, env = "WASMGEAR_SIDECAR_OTLP_ENDPOINT", value_name = "URL")]
    pub sidecar_otlp_endpoint: Option<String>,

    /// Log filter of the sidecars, in the syntax of `RUST_LOG`
    #[arg(long, env = "WASMGEAR_SIDECAR_LOG", value_name = "FILTER")]
    pub sidecar_log: Option<String>,

    /// File with the module registries, a JSON list. Default: the NATS server below
    #[arg(long, env = "WASMGEAR_REGISTRIES", value_name = "FILE")]
    pub registries: Option<PathBuf>,

    /// File with allow rules by namespace, a JSON list. Default: one tenant, everything allowed
    #[arg(long, env = "WASMGEAR_TENANTS", value_name = "FILE")]
    pub tenants: Option<PathBuf>,

    /// Where sidecars reach port 8083 of the operator, for registries of kind folder
    #[arg(long, env = "WASMGEAR_MODULES_URL", value_name = "URL")]
    pub modules_url: Option<String>,

    /// NATS servers, nats:// or tls://, joined by commas; for the operator, and for gears that name none of their own
    #[arg(long, env = "WASMGEAR_NATS_URL", value_name = "URL")]
    pub nats_url: String,

    /// PEM file with the authorities that sign the servers' certificates; handed to sidecars too
    #[arg(long, env = "WASMGEAR_NATS_CA", value_name = "FILE")]
    pub nats_ca: Option<PathBuf>,

    /// Credentials file or bare NKey seed of the operator alone
    #[arg(long, env = "WASMGEAR_NATS_CREDENTIALS", value_name = "FILE")]
    pub nats_credentials: Option<PathBuf>,

    /// PEM client certificate of the operator alone
    #[arg(long, env = "WASMGEAR_NATS_CERTIFICATE", requires = "nats_key", value_name = "FILE")]
    pub nats_certificate: Option<PathBuf>,

    /// PEM key of that certificate
    #[arg(long, env = "WASMGEAR_NATS_KEY", requires = "nats_certificate", value_name = "FILE")]
    pub nats_key: Option<PathBuf>,

    /// Name that the servers' certificates must carry
    #[arg(long, env = "WASMGEAR_NATS_SERVER_NAME", value_name = "NAME")]
    pub nats_server_name: Option<String>,

    /// JetStream domain
    #[arg(long, env = "WASMGEAR_NATS_JS_DOMAIN", value_name = "DOMAIN")]
    pub nats_js_domain: Option<String>,

    /// Make the streams and buckets that the product needs (what `wasmgear init` does), then run
    #[arg(long, env = "WASMGEAR_INIT_NATS")]
    pub init_nats: bool,

    /// Replicas of streams and buckets that are made
    #[arg(long, env = "WASMGEAR_INIT_NATS_REPLICAS", default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=5))]
    pub init_nats_replicas: u8,

    /// Name of the Lease
    #[arg(long, env = "WASMGEAR_LEASE", default_value = "wasmgear-operator", value_name = "NAME")]
    pub lease: String,

    /// Resources worked on at once
    #[arg(long, env = "WASMGEAR_CONCURRENCY", default_value_t = 8, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,

    /// Port of probes and metrics
    #[arg(long, env = "WASMGEAR_ADMIN_PORT", default_value_t = 8081, value_name = "PORT")]
    pub admin_port: u16,

    /// Port of /modules
    #[arg(long, env = "WASMGEAR_MODULES_PORT", default_value_t = 8083, value_name = "PORT")]
    pub modules_port: u16,
}
