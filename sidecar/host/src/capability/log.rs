//! `env.log(level, ptr, len)` and `env.flux_log_info(ptr, len)`: lines of text.
//!
//! A range outside of memory is ignored and counted, as fluxrig ignores it. The call's budget is `limits.logSize`.

use wasmtime::{Caller, Linker, Result};

use crate::{context::Context, log::Level, memory::GuestSlice};

pub(super) fn link(linker: &mut Linker<Context>) -> Result<()> {
    linker.func_wrap("env", "log", |caller: Caller<'_, Context>, level: i32, ptr: u32, len: u32| {
        write(caller, Level::from_guest(level), ptr, len);
    })?;
    linker.func_wrap("env", "flux_log_info", |caller: Caller<'_, Context>, ptr: u32, len: u32| {
        write(caller, Level::Info, ptr, len);
    })?;
    Ok(())
}

fn write(mut caller: Caller<'_, Context>, level: Level, ptr: u32, len: u32) {
    let Some((memory, context)) = Context::split(&mut caller) else { return };
    match GuestSlice::new(ptr, len).of(memory) {
        Some(text) => context.log(level, text),
        None => context.log.ignore(),
    }
}
