//! `wasmgear-bench`: what the sidecar costs, beside a bare loop that does nothing but what has to be done. `make bench`.
//!
//! Every figure is absolute, with its count and its spread; the bars are those of the product. What is compared runs in
//! turns, in this one process, on one server. The run ends with 1 when a bar is missed, and says which.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

mod bare;
mod call;
mod compute;
mod gear;
mod latency;
mod measure;
mod report;
mod sidecar;
mod throughput;
mod world;

use report::Report;

/// The allocator of the sidecar's program.
#[global_allocator]
static ALLOCATOR: wasmgear_sidecar::allocator::Allocator = wasmgear_sidecar::allocator::ALLOCATOR;

/// Measures the sidecar beside a bare loop, and holds the figures to the bars of the product.
#[derive(Debug, Parser)]
#[command(name = "wasmgear-bench", after_help = "Exit codes: 0 every bar is met, 1 a bar is missed, 2 no result.")]
struct Args {
    /// table for people, json for programs
    #[arg(long, default_value = "table")]
    output: Output,
    /// A smaller run: figures to look at while working, not to be quoted
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Of the part throughput only these loops, without a comparison: plain, bare, headers, kept, fresh, masker
    #[arg(long, value_delimiter = ',')]
    loops: Vec<String>,
    /// Messages of each run of a loop [300000, quick 60000]
    #[arg(long, value_name = "COUNT")]
    messages: Option<u32>,
    /// Rounds in which everything that is compared has its turn [5, quick 2]
    #[arg(long, value_name = "COUNT")]
    pairs: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Call,
    Compute,
    Latency,
    Throughput,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    pairs: u32,
    messages: u32,
    calls: u32,
    latency_pairs: u32,
    latency_seconds: u32,
}

fn main() -> ExitCode {
    // First of all: this process may be the compiler's child.
    gear_host::compile::child_main().unwrap_or_else(|| {
        let args = Args::parse();
        match measured(&args) {
            Ok(report) => {
                print!("{}", if args.output == Output::Json { report.json() } else { report.table() });
                for bar in report.missed() {
                    eprintln!("bench: missed: {bar}");
                }
                if report.missed().next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
            }
            Err(error) => {
                eprintln!("bench: {error:#}");
                ExitCode::from(2)
            }
        }
    })
}

fn measured(args: &Args) -> Result<Report> {
    let full = Size { pairs: 5, messages: 300_000, calls: 200_000, latency_pairs: 5, latency_seconds: 12 };
    let quick = Size { pairs: 2, messages: 60_000, calls: 50_000, latency_pairs: 2, latency_seconds: 5 };
    let base = if args.quick { quick } else { full };
    let size = Size {
        pairs: args.pairs.unwrap_or(base.pairs).max(1),
        messages: args.messages.unwrap_or(base.messages).max(1_000),
        ..base
    };
    let all = args.only.is_empty() && args.loops.is_empty();
    let complete = all && size.pairs >= full.pairs && size.messages >= full.messages && !args.quick;
    let mut report = Report::begin(complete);
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    // As the sidecar has it: spans go nowhere, lines of the level `info` are looked at.
    let environment = |name: &str| std::env::var(name).ok().filter(|_| name == "WASMGEAR_LOG");
    let settings = gear_telemetry::Settings::from_env(environment, gear_telemetry::Output::Stderr, "warn")?;
    let identity = gear_telemetry::Identity {
        service: "wasmgear-bench",
        version: env!("CARGO_PKG_VERSION"),
        id: "bench".into(),
        name: "bench".into(),
        kind: "GEAR",
    };
    let _telemetry = gear_telemetry::init(&settings, &identity)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if wanted(Part::Call) || wanted(Part::Compute) {
            let bench = gear::Bench::new()?;
            if wanted(Part::Call) {
                Box::pin(call::measure(&bench, size, &mut report)).await.context("call overhead")?;
            }
            if wanted(Part::Compute) {
                Box::pin(compute::measure(&bench, size, &mut report)).await.context("compute")?;
            }
        }
        if wanted(Part::Latency) {
            Box::pin(latency::measure(size, &mut report)).await.context("latency")?;
        }
        if wanted(Part::Throughput) {
            Box::pin(throughput::measure(size, &args.loops, &mut report)).await.context("throughput")?;
        }
        report.end();
        Ok(report)
    })
}

/// Says what goes on, beside the result.
fn say(text: &str) {
    eprintln!("bench: {text}");
}
