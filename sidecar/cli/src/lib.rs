//! The command line, as a library so that tests reach it: [`main`] is the whole program but the first line of `main.rs`.
//!
//! What it is: thin rooms over the crates that do the work. `run` drives the sidecar's own pipeline over the stream's twin in
//! memory, so what it says about a gear is what a pod would do.
//! What it is not: a second implementation of anything.
//! How it fails: one sentence on standard error, and an exit code that means something ([`Exit`]).
#![deny(missing_docs)]

mod args;
mod connection;
mod exit;
mod init;
mod inspect;
mod new;
mod print;
mod progress;
mod registry;
mod run;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches};

pub use args::{Cli, Command};
pub use exit::{Exit, Failed};

/// The commands, for the program called `name` (`wasmgear`, or `kubectl gear`), for help and for the page that lists them.
#[must_use]
pub fn command(name: &'static str) -> clap::Command {
    Cli::command().name(name).bin_name(name)
}

/// The program, given its arguments; the first one is its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let as_plugin = arguments.first().is_some_and(|own| own.to_string_lossy().ends_with("kubectl-gear"));
    let name = if as_plugin { "kubectl gear" } else { "wasmgear" };
    let parsed = command(name).try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Nobody is left to tell when the terminal is gone.
            drop(error.print());
            return code.into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(failed) => {
            eprintln!("{name}: {}", failed.message);
            failed.exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failed::fault(format!("the runtime could not be started: {error}")))?;
    match cli.command {
        Command::Run(args) => runtime.block_on(Box::pin(run::run(&args, cli.output))),
        Command::Inspect(args) => inspect::run(&args, cli.output),
        Command::Push(args) => runtime.block_on(registry::push(&args, cli.output)),
        Command::Pull(args) => runtime.block_on(registry::pull(&args, cli.output)),
        Command::Init(args) => runtime.block_on(init::run(&args, cli.output)),
        Command::New(args) => new::run(&args, cli.output),
    }
}
