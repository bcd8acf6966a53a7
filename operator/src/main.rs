//! The operator's program: flags, logs, signals, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use gear_telemetry::{Identity, Output, Settings as Telemetry};
use tokio::signal::unix::{SignalKind, signal};
use wasmgear_operator::{Args, Operator, Settings};

const SETTINGS: u8 = 64;

fn main() -> ExitCode {
    let args = Args::parse();
    let telemetry = Telemetry::from_env(|name| std::env::var(name).ok(), Output::Stdout, "info,async_nats=warn");
    let (telemetry, settings) = match (telemetry, Settings::new(&args)) {
        (Ok(telemetry), Ok(settings)) => (telemetry, settings),
        (telemetry, settings) => {
            let problems = [telemetry.err().map(|e| e.to_string()), settings.err().map(|e| e.to_string())];
            problems.into_iter().flatten().for_each(|problem| eprintln!("wasmgear-operator: {problem}"));
            return ExitCode::from(SETTINGS);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&telemetry, settings)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasmgear-operator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(telemetry: &Telemetry, settings: Settings) -> anyhow::Result<()> {
    let identity = Identity {
        service: "wasmgear-operator",
        version: env!("CARGO_PKG_VERSION"),
        id: settings.pod_name.clone(),
        name: settings.pod_name.clone(),
        kind: "OPERATOR",
    };
    let guard = gear_telemetry::init(telemetry, &identity)?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let config = kube::Config::infer().await?;
    let operator = Operator::prepare(settings, config).await?;
    operator
        .run(Some(guard.filter()), async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        })
        .await?;
    Ok(())
}
