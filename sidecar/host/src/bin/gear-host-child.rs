//! The compiler's child and nothing else: what the tests of this crate use in place of the sidecar's own program.

use std::process::ExitCode;

fn main() -> ExitCode {
    gear_host::compile::child_main().unwrap_or(ExitCode::FAILURE)
}
