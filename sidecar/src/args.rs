//! Flags of the sidecar. Everything else is the document that the operator writes.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;

/// Runs one gear over one stream. Started by the operator; people use `wasmgear run`.
#[derive(Debug, Clone, Parser)]
#[command(name = "wasmgear-sidecar", version, after_help = AFTER)]
pub struct Args {
    /// Directory that holds gear.json, the document that the operator writes
    #[arg(long, value_name = "DIR", default_value = "/etc/wasmgear")]
    pub config: PathBuf,

    /// Directory for modules and compiled code; needs no content at the start
    #[arg(long, value_name = "DIR", default_value = "/var/cache/wasmgear")]
    pub cache: PathBuf,

    /// Address of /livez, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8081")]
    pub admin: SocketAddr,

    /// Address of /status
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8082")]
    pub status: SocketAddr,

    /// File for the cause of a fatal end
    #[arg(long, value_name = "FILE", default_value = "/dev/termination-log")]
    pub termination_log: PathBuf,

    /// Name of this pod, for the connection to NATS and for logs
    #[arg(long, env = "POD_NAME", value_name = "NAME", default_value = "local")]
    pub pod_name: String,
}

const AFTER: &str = "\
Exit codes: 0 stopped cleanly, 1 a fatal cause (also in the termination log), 64 flags or environment that can't be followed,
70 stopped with work unfinished (NATS delivers it again).

Environment: WASMGEAR_LOG (filter, as in info,async_nats=warn), WASMGEAR_LOG_FORMAT (json or human),
OTEL_EXPORTER_OTLP_ENDPOINT (http:// only), OTEL_TRACES_SAMPLER_ARG (share of traces, 0.1).";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_where_the_operator_mounts_things() {
        let args = Args::try_parse_from(["wasmgear-sidecar"]).unwrap();
        assert_eq!(args.config, PathBuf::from("/etc/wasmgear"));
        assert_eq!((args.admin.port(), args.status.port()), (8081, 8082));
        assert!(args.admin.is_ipv6() && args.status.is_ipv6());
    }

    #[test]
    fn unknown_flags_are_refused() {
        assert!(Args::try_parse_from(["wasmgear-sidecar", "--allow-everything"]).is_err());
    }
}
