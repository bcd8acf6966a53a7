//! `wasmgear-sidecar`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: wasmgear_sidecar::allocator::Allocator = wasmgear_sidecar::allocator::ALLOCATOR;

fn main() -> ExitCode {
    // First of all: this process may be the compiler's child.
    let environment = |name: &str| std::env::var(name).ok();
    gear_host::compile::child_main()
        .unwrap_or_else(|| wasmgear_sidecar::process::main(std::env::args_os(), environment))
}
