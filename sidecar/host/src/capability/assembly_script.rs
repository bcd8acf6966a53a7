//! What AssemblyScript's runtime imports: `env.abort`, `env.trace`, `env.console.log`.
//!
//! Texts are UTF-16 with their length before them. `abort` ends the call with the text as detail; the others are log lines.

use std::fmt::Write as _;

use wasmtime::{Caller, Linker, Result};

use crate::{
    context::Context,
    error::Stop,
    log::{Level, Masking, printable},
    memory::assembly_script_text,
};

/// Code units of an abort's message, and of its file name.
const ABORT_TEXT: usize = 500;
/// Numbers that `trace` can have.
const TRACE_NUMBERS: usize = 5;

pub(super) fn link(linker: &mut Linker<Context>) -> Result<()> {
    linker.func_wrap("env", "abort", abort)?;
    linker.func_wrap("env", "trace", trace)?;
    linker.func_wrap("env", "console.log", |mut caller: Caller<'_, Context>, message: u32| {
        write(&mut caller, message, "");
    })?;
    Ok(())
}

fn abort(mut caller: Caller<'_, Context>, message: u32, file: u32, line: u32, column: u32) -> Result<()> {
    let text = match Context::split(&mut caller) {
        Some((memory, _)) => {
            let text = |ptr| assembly_script_text(memory, ptr, ABORT_TEXT).unwrap_or_else(|| "(unreadable)".to_owned());
            format!("{} in {}:{line}:{column}", text(message), text(file))
        }
        None => "(unreadable)".to_owned(),
    };
    Err(Stop::Abort(printable(&text, Masking::On).into_owned()).into())
}

#[expect(clippy::too_many_arguments, reason = "AssemblyScript's compiler fixes the type")]
fn trace(mut caller: Caller<'_, Context>, message: u32, count: u32, n0: f64, n1: f64, n2: f64, n3: f64, n4: f64) {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(TRACE_NUMBERS);
    let mut numbers = String::new();
    for (n, number) in [n0, n1, n2, n3, n4].into_iter().take(count).enumerate() {
        // Writing to a String does not fail.
        write!(numbers, "{}{number}", if n == 0 { " " } else { ", " }).ok();
    }
    write(&mut caller, message, &numbers);
}

fn write(caller: &mut Caller<'_, Context>, message: u32, tail: &str) {
    let Some((memory, context)) = Context::split(caller) else { return };
    // A code unit is a byte of UTF-8 at least: more than this would not fit anyhow.
    match assembly_script_text(memory, message, context.log.left().saturating_add(1)) {
        Some(mut text) => {
            text.push_str(tail);
            context.log(Level::Info, text.as_bytes());
        }
        None => context.log.ignore(),
    }
}
