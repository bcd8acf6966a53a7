//! The process around [`run()`]: flags, telemetry, runtime, signals, exit codes.

use std::{ffi::OsString, io, process::ExitCode};

use clap::Parser;
use gear_telemetry::{Identity, Output, Settings};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

use crate::{Config, Ended, args::Args, document::DocumentFile, identity::Wire, problem::chain, run, termination};

/// Flags or environment that can't be followed, as in sysexits.h.
const USAGE: u8 = 64;
/// Stopped with work unfinished, which the server delivers again.
const UNFINISHED: u8 = 70;

/// The program, given its arguments and its environment.
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: impl Fn(&str) -> Option<String>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let code = if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
            // Nobody is left to tell when the terminal is gone.
            drop(error.print());
            return code;
        }
    };
    let settings = match Settings::from_env(environment, Output::Stdout, "info") {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("wasmgear-sidecar: {error}");
            return USAGE.into();
        }
    };
    let termination_log = args.termination_log.clone();
    match start(args, &settings) {
        Ok(Ended { clean: true }) => ExitCode::SUCCESS,
        Ok(Ended { clean: false }) => UNFINISHED.into(),
        Err(cause) => {
            eprintln!("wasmgear-sidecar: {cause}");
            termination::write(&termination_log, &cause);
            ExitCode::FAILURE
        }
    }
}

fn start(args: Args, settings: &Settings) -> Result<Ended, String> {
    let telemetry = gear_telemetry::init(settings, &identity(&args)).map_err(|error| chain(&error))?;
    let program = std::env::current_exe().map_err(|error| format!("the path of this program: {error}"))?;
    let runtime = runtime().map_err(|error| format!("the runtime could not be started: {error}"))?;
    let config = Config { args, program, telemetry: Some(&telemetry), guest_threads: None };
    let ended = runtime.block_on(async {
        let shutdown = terminated().map_err(|error| format!("signals: {error}"))?;
        let ended = Box::pin(run(config, shutdown, Box::new(|_, _| ()))).await;
        ended.map_err(|fatal| chain(&fatal))
    });
    if let Err(cause) = &ended {
        tracing::error!("{cause}");
    }
    ended
}

/// One thread for NATS, timers and the admin ports; guests have their own.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(4).build()
}

/// Resolves when the kubelet, or a person, asks the process to end.
fn terminated() -> io::Result<impl Future<Output = ()> + Send> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Who speaks in spans: the gear, where the document says so already; else the pod.
fn identity(args: &Args) -> Identity {
    let document = DocumentFile::new(&args.config).read().ok();
    let wire = document.as_ref().and_then(|d| Wire::new(&d.gear, &d.input.stream, &d.stable.output).ok());
    let (id, name) =
        wire.map_or_else(|| (args.pod_name.clone(), args.pod_name.clone()), |wire| (wire.gear.to_string(), wire.name));
    Identity { service: "wasmgear-sidecar", version: env!("CARGO_PKG_VERSION"), id, name, kind: "GEAR" }
}
