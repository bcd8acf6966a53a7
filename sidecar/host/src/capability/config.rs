//! `env.flux_config_get(kptr, klen, bptr, blen) -> i32`: the gear's own parameters.
//!
//! Copies as much of the value as the buffer holds and returns its full length, or a negative error. Costs no budget: a
//! guest that was given a larger length calls again with a larger buffer.

use gear_abi::guest::HostError;
use wasmtime::{Caller, Linker, Result};

use crate::{context::Context, memory::GuestSlice};

pub(super) fn link(linker: &mut Linker<Context>) -> Result<()> {
    linker.func_wrap(
        "env",
        "flux_config_get",
        |mut caller: Caller<'_, Context>, kptr: u32, klen: u32, bptr: u32, blen: u32| {
            let (key, buffer) = (GuestSlice::new(kptr, klen), GuestSlice::new(bptr, blen));
            get(&mut caller, key, buffer).unwrap_or_else(HostError::code)
        },
    )?;
    Ok(())
}

fn get(caller: &mut Caller<'_, Context>, key: GuestSlice, buffer: GuestSlice) -> std::result::Result<i32, HostError> {
    let (memory, context) = Context::split(caller).ok_or(HostError::InvalidArgument)?;
    // Both ranges are looked at before anything else, so that a wrong one shows whatever the configuration is.
    buffer.of(memory).ok_or(HostError::InvalidArgument)?;
    let key = key.of(memory).and_then(|key| std::str::from_utf8(key).ok()).ok_or(HostError::InvalidArgument)?;
    let value = context.shared.config.get(key).ok_or(HostError::NotFound)?.as_bytes();
    let length = i32::try_from(value.len()).map_err(|_| HostError::TooLarge)?;
    let into = buffer.of_mut(memory).ok_or(HostError::InvalidArgument)?;
    let count = value.len().min(into.len());
    if let (Some(into), Some(value)) = (into.get_mut(..count), value.get(..count)) {
        into.copy_from_slice(value);
    }
    Ok(length)
}
