//! Commands and flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gear_module::Reference;

use crate::{connection::NatsArgs, print::Format, run::RunArgs};

/// Build, try and ship wasm gears
#[derive(Debug, Parser)]
#[command(version, subcommand_required = true, arg_required_else_help = true, after_help = EXITS)]
pub struct Cli {
    /// What printed data looks like
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXITS: &str = "\
Exit codes: 0 done, 1 a fault (file, server, network), 2 'run' came to the end and some messages were not OK,
3 the module is refused, 4 the registry has no such module or other bytes under that version, 64 wrong arguments.";

/// What to do
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a gear over records in a file, as a pod would over a stream
    #[command(after_help = RUN)]
    Run(Box<RunArgs>),
    /// Say what a module is: ABI, imports with the grant each needs, exports, memory, digest
    #[command(after_help = INSPECT)]
    Inspect(InspectArgs),
    /// Put a module into a registry under a name and version, once
    #[command(after_help = PUSH)]
    Push(PushArgs),
    /// Get a module from a registry and check its digest
    #[command(after_help = PULL)]
    Pull(PullArgs),
    /// Make the streams and buckets that WasmGear needs on a NATS server
    #[command(after_help = INIT)]
    Init(InitArgs),
    /// Begin a gear: a small project that builds
    #[command(after_help = NEW)]
    New(NewArgs),
}

const RUN: &str = "\
Example:
  wasmgear run --module masker.wasm --input payments.cbor --out masked.cbor --config keep=4
  wasmgear run --module masker.wasm --input in.jsonl --out - --format jsonl | head

IN and OUT are CBOR sequences (RFC 8742) of fluxMsg, or JSON lines with --format jsonl; - is standard input or output.
Exit code 2 says that some messages were not OK; each has a line on standard error.";

const INSPECT: &str = "\
Example:
  wasmgear inspect masker.wasm
  wasmgear inspect masker.wasm --output json | jq .imports";

const PUSH: &str = "\
Example:
  wasmgear push masker.wasm urn:wasm:pan-masker:v1 --nats nats://localhost:4222
  wasmgear push masker.wasm urn:wasm:pan-masker:v1 --folder ./modules

A version is written once: the same bytes again are fine, other bytes are refused (exit code 4).";

const PULL: &str = "\
Example:
  wasmgear pull urn:wasm:pan-masker:v1 masker.wasm --nats nats://localhost:4222";

const INIT: &str = "\
Example:
  wasmgear init --nats nats://localhost:4222 --creds admin.creds

Running it again changes nothing. It never deletes and never narrows what is there.";

const NEW: &str = "\
Example:
  wasmgear new my-gear --lang rust
  wasmgear new my-gear --lang cpp";

/// Arguments of `inspect`
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The module
    #[arg(value_name = "MODULE.wasm")]
    pub module: PathBuf,

    /// Export to call for each message.
    #[arg(long, value_name = "NAME", help = "Export to call for each message [default: flux_process, else process]")]
    pub entrypoint: Option<String>,
}

/// Where the registry is
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// Use this folder as the registry, in place of NATS
    #[arg(long, value_name = "DIR", conflicts_with = "nats")]
    pub folder: Option<PathBuf>,

    /// The server
    #[command(flatten)]
    pub nats: NatsArgs,
}

/// Arguments of `push`
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The module
    #[arg(value_name = "MODULE.wasm")]
    pub module: PathBuf,

    /// Name and version, as in urn:wasm:pan-masker:v1
    #[arg(value_name = "REFERENCE")]
    pub reference: Reference,

    /// Where to
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// Arguments of `pull`
#[derive(Debug, Args)]
pub struct PullArgs {
    /// Name and version, as in urn:wasm:pan-masker:v1
    #[arg(value_name = "REFERENCE")]
    pub reference: Reference,

    /// File to write; an existing one is replaced
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where from
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// Arguments of `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The server
    #[command(flatten)]
    pub nats: NatsArgs,

    /// Copies of each stream in a cluster of servers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
}

/// Arguments of `new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Folder to make; its last part is the gear's name
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,

    /// Language
    #[arg(long, value_enum)]
    pub lang: Language,
}

/// A language that `new` has a template for
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, wasm32-unknown-unknown
    Rust,
    /// C++, clang with wasi-libc as a reactor
    Cpp,
}
