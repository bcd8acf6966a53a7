//! Which proposal a refused module wants.

use wasmparser::WasmFeatures;

use super::{ALLOWED, validate};
use crate::{Refusal, StaticLimits};

/// Every proposal that gears can't use and that the validator knows, with the name that people know it by.
const REFUSED: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::THREADS, "threads (shared memory, atomics)"),
    (WasmFeatures::MEMORY64, "memory64 (64-bit addresses)"),
    (WasmFeatures::MULTI_MEMORY, "multi-memory"),
    (WasmFeatures::EXCEPTIONS, "exception handling"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exception handling"),
    (WasmFeatures::GC, "garbage collection (GC)"),
    (WasmFeatures::GC_TYPES, "externref and other garbage-collected references"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::TAIL_CALL, "tail calls"),
    (WasmFeatures::EXTENDED_CONST, "extended constant expressions"),
    (WasmFeatures::RELAXED_SIMD, "relaxed SIMD"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::MEMORY_CONTROL, "memory control"),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors"),
    (WasmFeatures::COMPACT_IMPORTS, "compact import sections"),
];

/// What to say of a module that is not valid with [`ALLOWED`]: the proposal of its first offending part, if there is one.
///
/// The validator names the feature itself in most cases. Where it does not, the module is validated again with one feature
/// more at a time; the one that gets past the offending offset is it (a module may want several).
pub(super) fn name(bytes: &[u8], limits: &StaticLimits, error: &wasmparser::Error) -> Refusal {
    let wanted = error.missing_wasm_feature().and_then(named);
    match wanted.or_else(|| by_trial(bytes, limits, error.offset())) {
        Some(name) => Refusal::Proposal { name, detail: error.to_string() },
        None => Refusal::Invalid(error.to_string()),
    }
}

fn named(feature: WasmFeatures) -> Option<&'static str> {
    REFUSED.iter().find(|(known, _)| *known == feature).map(|(_, name)| *name)
}

fn by_trial(bytes: &[u8], limits: &StaticLimits, offset: usize) -> Option<&'static str> {
    let gets_past = |feature: WasmFeatures| match validate::validate(bytes, limits, ALLOWED.union(feature)) {
        // A bound of ours is looked at before validity: it was not reached before.
        Ok(_) | Err(validate::Fault::Refused(_)) => true,
        Err(validate::Fault::Invalid(error)) => error.offset() > offset,
    };
    REFUSED.iter().find(|(feature, _)| gets_past(*feature)).map(|(_, name)| *name)
}
