//! `run`: the sidecar's pipeline over a file, with the stream's twin in memory. What becomes of each message is decided by
//! the code that decides it in a pod.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use gear_config::{Identity, OnReject, Output, Retry, Revision, Span, names};
use gear_host::log::{Line, Masking, Sink, printable};
use gear_module::{Grants, StaticLimits, inspect};
use gear_stream::memory::{self, Options};
use gear_supply::Verified;
use tokio_util::sync::CancellationToken;
use wasmgear_sidecar::{
    identity::Wire,
    load::{Loaded, Loader},
    metrics::{GearLabels, Process},
    pipeline::{Pipeline, PipelineParts},
};

use crate::{
    exit::{Exit, Failed},
    print::{Format, print_to},
    progress,
    registry::read,
};

mod json;
mod limits;
mod reader;
mod report;
mod writer;

use limits::{Life, Reject, pair};
use reader::{Progress, Reader};
use writer::Writer;

/// Where inputs seem to come from and outputs seem to go.
const RACK: &str = "local";
const GEAR: &str = "run";

const LIMIT: &str = "A limit: memory, guestTime, messageTime, outputMessages, outputSize or logSize; may be repeated";

/// Arguments of `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The module
    #[arg(long, value_name = "MODULE.wasm")]
    pub module: PathBuf,

    /// Records to read
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,

    /// Records to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// What records look like, in both files
    #[arg(long, value_enum, default_value_t = Records::Cbor)]
    pub format: Records,

    /// Export to call for each message.
    #[arg(long, value_name = "NAME", help = "Export to call for each message [default: flux_process, else process]")]
    pub entrypoint: Option<String>,

    /// A parameter of the gear.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help = "A parameter of the gear, read by flux_config_get; may be repeated")]
    pub config: Vec<(String, String)>,

    /// A limit.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, help = LIMIT)]
    pub limit: Vec<(String, String)>,

    /// Grant HTTP (a module that imports it is refused in this release all the same)
    #[arg(long)]
    pub allow_http: bool,

    /// Grant KV (a module that imports it is refused in this release all the same)
    #[arg(long)]
    pub allow_kv: bool,

    /// Life of an instance [default: fresh for flux1 modules, persistent for rack modules]
    #[arg(long, value_enum)]
    pub instance: Option<Life>,

    /// A port beyond out, and the file for its records; may be repeated
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    pub port: Vec<(String, String)>,

    /// What becomes of rejected messages
    #[arg(long, value_enum, default_value_t = Reject::DeadLetter)]
    pub on_reject: Reject,

    /// Failures after which a message becomes a dead letter
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,

    /// File for the original bytes of dead letters, as a CBOR sequence where they are CBOR
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
}

/// What records look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Records {
    /// A CBOR sequence (RFC 8742)
    Cbor,
    /// One JSON object a line
    Jsonl,
}

pub(crate) async fn run(args: &RunArgs, format: Format) -> Result<Exit, Failed> {
    let module = read(&args.module)?;
    let revision = revision(args, &module)?;
    let cache = tempfile::tempdir().map_err(|error| Failed::fault(format!("a folder for compiled code: {error}")))?;
    let program =
        std::env::current_exe().map_err(|error| Failed::fault(format!("the path of this program: {error}")))?;
    let loader = Loader::new(&program, cache.path(), 1, None)?;
    let log: Arc<dyn Sink> = Arc::new(ToTerminal);
    let compiling = loader.load(&revision, module, 1, log);
    let tested = progress::spinner("compiling", compiling).await?;
    let gear = pipeline(&revision, &loader, tested)?;
    let report = feed(args, gear).await?.of(&revision);
    // The records have standard output for themselves when they go there.
    if args.out.as_os_str() == "-" {
        print_to(&mut io::stderr().lock(), &report, format)?;
    } else {
        print_to(&mut io::stdout().lock(), &report, format)?;
    }
    Ok(if report.all_ok() { Exit::Done } else { Exit::NotOk })
}

/// What a resource with these settings would become.
fn revision(args: &RunArgs, module: &Verified) -> Result<Revision, Failed> {
    let shown = |refusal: gear_module::Refusal| Failed::refused(format!("{}: {refusal}", args.module.display()));
    let inspection = inspect(module.bytes(), &StaticLimits::default()).map_err(shown)?;
    let entrypoint = inspection.entrypoint(args.entrypoint.as_deref()).map_err(shown)?;
    let limits = limits::parse(&args.limit).map_err(Failed::usage)?;
    Ok(Revision {
        name: "local".into(),
        module: args.module.display().to_string(),
        digest: module.digest(),
        size: module.bytes().len() as u64,
        instance: args.instance.unwrap_or_else(|| Life::of(entrypoint.abi)).into(),
        entrypoint: entrypoint.name,
        grants: Grants { allow_http: args.allow_http, allow_kv: args.allow_kv },
        limits,
        config: args.config.iter().cloned().collect(),
        output: Output {
            prefix: names::emission_prefix(RACK, GEAR),
            ports: args.port.iter().map(|(name, _)| name.clone()).collect(),
        },
        on_reject: args.on_reject.into(),
        retry: Retry { attempts: args.attempts, backoff: Span::from_millis(10), max_backoff: Span::from_millis(100) },
    })
}

fn pipeline(revision: &Revision, loader: &Loader, tested: Loaded) -> Result<Pipeline, Failed> {
    let identity = Identity { cluster_id: RACK.into(), namespace: RACK.into(), name: GEAR.into(), uid: String::new() };
    let wire =
        Wire::new(&identity, "memory", &revision.output).map_err(|trouble| Failed::usage(trouble.problem.message))?;
    let labels = GearLabels { gear: GEAR.into(), flux_id: wire.gear.to_string(), flux_name: GEAR.into() };
    let metrics = Process::register(&mut gear_telemetry::metrics::Registry::default()).gear(&labels);
    let parts = PipelineParts {
        wire,
        guest: tested.guest,
        abi: tested.abi,
        threads: loader.engine().threads().clone(),
        tracer: None,
        metrics,
    };
    Ok(Pipeline::new(revision, parts))
}

/// Feeds the file to the gear and collects what comes out.
async fn feed(args: &RunArgs, gear: Pipeline) -> Result<report::Run, Failed> {
    let (input, length) = open(&args.input)?;
    let problem = Problem::default();
    let stop = CancellationToken::new();
    let bar = progress::bar(length, "running");
    let progress: Progress = {
        let bar = bar.clone();
        Box::new(move |done| bar.set_position(done))
    };
    let subject = format!("flux.msg.{RACK}.input.out");
    let reader = Reader::new(input, args.format, subject.as_str().into(), problem.clone(), progress);
    let writer = Writer::open(args, problem.clone(), stop.clone())?;
    let tally = writer.tally();
    let emit = writer.into_emit();
    // One at a time: outputs keep the order of inputs.
    let options = Options { ordered: true, namespace: RACK.into(), name: GEAR.into(), ..Options::default() };
    let ended = {
        let interrupted = tokio::signal::ctrl_c();
        let running = memory::run(reader, Arc::new(gear), options, stop.clone(), emit);
        tokio::pin!(running, interrupted);
        tokio::select! {
            ended = &mut running => ended,
            // What is in hand is finished; the rest of the input is not read.
            _ = &mut interrupted => { stop.cancel(); running.await }
        }
    };
    bar.finish_and_clear();
    tally.finish()?;
    problem.take()?;
    Ok(report::Run { ended, tally: tally.counts() })
}

fn open(file: &Path) -> Result<(Box<dyn io::Read + Send>, u64), Failed> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(io::stdin()), 0));
    }
    let failed = |error: io::Error| Failed::fault(format!("{}: {error}", file.display()));
    let opened = File::open(file).map_err(failed)?;
    let length = opened.metadata().map_err(failed)?.len();
    Ok((Box::new(opened), length))
}

fn create(file: &Path) -> Result<Box<dyn Write + Send>, Failed> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    }
    let created = File::create(file).map_err(|error| Failed::fault(format!("{}: {error}", file.display())))?;
    Ok(Box::new(BufWriter::new(created)))
}

/// The first thing that went wrong outside of the gear: the run ends with it.
#[derive(Debug, Clone, Default)]
struct Problem(Arc<Mutex<Option<Failed>>>);

impl Problem {
    fn set(&self, failed: Failed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failed);
    }

    fn take(&self) -> Result<(), Failed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Log lines of the guest, on standard error.
struct ToTerminal;

impl Sink for ToTerminal {
    fn line(&self, line: Line<'_>) {
        eprintln!("guest {}: {}", line.level.as_str(), printable(&line.text, Masking::On));
    }
}

impl From<Reject> for OnReject {
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::DeadLetter => Self::DeadLetter,
            Reject::ErrorPort => Self::ErrorPort,
        }
    }
}
