//! Tasks of the repository: `cargo xtask <task>`.

mod borders;
mod generate;
mod guests;
mod tally;
mod teeth;

use std::path::PathBuf;

use std::process::ExitCode;

use clap::Parser;

/// Tasks of the repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Builds the example gears and the compiled fixture guests into target/guests; only what changed.
    Guests,
    /// Writes what is generated from the types: the resource definition, the chart's copy, reference pages.
    Generate,
    /// Checks that no crate knows what its border forbids.
    Borders,
    /// Counts what a test runner ran, from its output on standard input; anything left out is a failure.
    Tally {
        /// Whose output it is.
        #[arg(long)]
        runner: tally::Runner,
        /// Name of the level of tests.
        #[arg(long)]
        level: String,
        /// Folder for the log and the counts.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Switches off one control at a time, in a copy of the tree, and shows that the test that guards it goes red.
    Teeth(teeth::Options),
    /// Prints the counts of several levels and their total.
    Total {
        /// Folder that `tally` wrote to.
        #[arg(long)]
        folder: PathBuf,
        /// The levels, in order.
        levels: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Guests => guests::run(),
        Task::Generate => generate::run(),
        Task::Borders => borders::run(),
        Task::Tally { runner, level, folder } => tally::read(runner, &level, &folder),
        Task::Teeth(options) => teeth::run(&options),
        Task::Total { folder, levels } => tally::total(&folder, &levels),
    };
    if let Err(error) = result {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
