//! `wasmgear`, also installed as `kubectl-gear`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: this process may be the compiler's child.
    gear_host::compile::child_main().unwrap_or_else(|| wasmgear_cli::main(std::env::args_os()))
}
