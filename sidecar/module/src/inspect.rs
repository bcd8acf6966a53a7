//! From bytes to an [`Inspection`], or to the sentence why not.
//!
//! 1. Header: what people upload by mistake is told by name.
//! 2. Bounds and validation in one walk, so that no part is looked at before it is known to be small ([`StaticLimits`]).
//! 3. A proposal that gears can't use is named by validating again with one more feature at a time.
//! 4. Facts are collected from a module that is known to be valid, and judged.
//!
//! Nothing is executed or compiled, nothing is allocated by a number that the module chose without a bound.

use wasmparser::WasmFeatures;

use crate::{Inspection, Refusal, StaticLimits};

mod exports;
mod facts;
mod proposals;
mod validate;

/// The instruction set of gears: Core 2.0 without `externref`. `gear-host` switches its engine to the same set.
const ALLOWED: WasmFeatures = WasmFeatures::WASM2.difference(WasmFeatures::GC_TYPES);

/// Reads a module: whether it can be a gear at all, and what it has and wants.
pub fn inspect(bytes: &[u8], limits: &StaticLimits) -> Result<Inspection, Refusal> {
    header(bytes)?;
    validate::bound(validate::Place::Module, "bytes", bytes.len(), limits.size)?;
    let types = match validate::validate(bytes, limits, ALLOWED) {
        Ok(types) => types,
        Err(validate::Fault::Refused(refusal)) => return Err(refusal),
        Err(validate::Fault::Invalid(error)) => return Err(proposals::name(bytes, limits, &error)),
    };
    facts::collect(bytes, &types)?.conclude(bytes.len())
}

/// Magic number, version and layer; each wrong one has its usual cause.
fn header(bytes: &[u8]) -> Result<(), Refusal> {
    let Some((head, _)) = bytes.split_first_chunk::<8>() else {
        return Err(Refusal::NotWasm("they are fewer than the eight of a header"));
    };
    match head {
        [0, b'a', b's', b'm', 1, 0, 0, 0] => Ok(()),
        [0, b'a', b's', b'm', _, 0, 1, 0] => Err(Refusal::Component),
        [0, b'a', b's', b'm', ..] => Err(Refusal::NotWasm("the header is not that of version 1")),
        [0x7f, b'E', b'L', b'F', ..] => Err(Refusal::NotWasm("they are a native program (ELF); build for wasm32")),
        [0x1f, 0x8b, ..] => Err(Refusal::NotWasm("they are compressed (gzip); unpack them first")),
        [b'(' | b' ' | b'\n' | b';', ..] => {
            Err(Refusal::NotWasm("they look like WebAssembly text; translate it first (wasm-tools parse)"))
        }
        _ => Err(Refusal::NotWasm("they do not begin with \\0asm")),
    }
}
