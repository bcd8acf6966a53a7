//! Bounds and validation in one walk over the bytes.

use wasmparser::{
    CompositeInnerType, ElementItems, FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, Payload,
    ValidPayload, Validator, ValidatorResources, WasmFeatures, types::Types,
};

pub(super) use crate::refusal::Place;
use crate::{Refusal, StaticLimits};

/// Why the walk ended early.
pub(super) enum Fault {
    /// A bound of ours.
    Refused(Refusal),
    /// A rule of WebAssembly, or a proposal that is switched off.
    Invalid(wasmparser::Error),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<wasmparser::Error> for Fault {
    fn from(error: wasmparser::Error) -> Self {
        Self::Invalid(error)
    }
}

/// Refuses more than `limit` of `what`.
pub(super) fn bound<N: TryInto<u64>>(place: Place, what: &'static str, found: N, limit: u32) -> Result<(), Refusal> {
    exceeds(found, limit).map_or(Ok(()), |(found, limit)| Err(Refusal::Limit { place, what, found, limit }))
}

/// Refuses more than `limit` of `what`, which the compiler would pay for dearly.
fn affordable<N: TryInto<u64>>(place: Place, what: &'static str, found: N, limit: u32) -> Result<(), Refusal> {
    exceeds(found, limit).map_or(Ok(()), |(found, limit)| Err(Refusal::CompileLimit { place, what, found, limit }))
}

fn exceeds<N: TryInto<u64>>(found: N, limit: u32) -> Option<(u64, u64)> {
    let (found, limit) = (found.try_into().unwrap_or(u64::MAX), u64::from(limit));
    (found > limit).then_some((found, limit))
}

/// Validates `bytes` as a module with `features`, every section after its bounds, function bodies as they come.
pub(super) fn validate(bytes: &[u8], limits: &StaticLimits, features: WasmFeatures) -> Result<Types, Fault> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut validator = Validator::new_with_features(features);
    let mut scratch = FuncValidatorAllocations::default();
    let mut work = Work::new(limits.work);
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        section(&payload, limits, &mut work)?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, code) => scratch = body(function, &code, scratch, (limits, &mut work))?,
            ValidPayload::End(types) => return Ok(types),
            _ => {}
        }
    }
    Err(Refusal::Invalid("it ends before its last section".to_owned()).into())
}

/// The bounds of one section.
fn section(payload: &Payload<'_>, limits: &StaticLimits, work: &mut Work) -> Result<(), Fault> {
    let module = Place::Module;
    match payload {
        Payload::TypeSection(types) => {
            bound(module, "types", types.count(), limits.types)?;
            arities(types.clone(), limits, work)?;
        }
        Payload::ImportSection(imports) => bound(module, "imports", imports.count(), limits.imports)?,
        Payload::FunctionSection(functions) => affordable(module, "functions", functions.count(), limits.functions)?,
        Payload::TableSection(tables) => {
            for table in tables.clone() {
                bound(Place::Table, "elements", table?.ty.initial, limits.table_elements)?;
            }
        }
        Payload::GlobalSection(globals) => bound(module, "globals", globals.count(), limits.globals)?,
        Payload::ExportSection(exports) => bound(module, "exports", exports.count(), limits.exports)?,
        Payload::ElementSection(segments) => {
            bound(module, "element segments", segments.count(), limits.element_segments)?;
            elements(segments.clone(), limits)?;
        }
        Payload::DataCountSection { count, .. } => bound(module, "data segments", *count, limits.data_segments)?,
        Payload::DataSection(segments) => bound(module, "data segments", segments.count(), limits.data_segments)?,
        _ => {}
    }
    Ok(())
}

fn arities(types: wasmparser::TypeSectionReader<'_>, limits: &StaticLimits, work: &mut Work) -> Result<(), Fault> {
    let mut index = 0;
    for group in types {
        for ty in group?.types() {
            if let CompositeInnerType::Func(ty) = &ty.composite_type.inner {
                bound(Place::Type(index), "parameters", ty.params().len(), limits.arity)?;
                bound(Place::Type(index), "results", ty.results().len(), limits.arity)?;
                work.widen(ty.params().len(), ty.results().len());
            }
            index += 1;
        }
    }
    Ok(())
}

/// What the validator does beyond reading each byte once: branches and calls move as many values as their type has, and an
/// entry of a branch table is one byte. Counted from above: by the widest type of the module.
struct Work {
    done: u64,
    limit: u32,
    params: u64,
    results: u64,
    /// A block has a type of the type section, so labels may be as wide as any type.
    wide_labels: bool,
}

impl Work {
    const fn new(limit: u32) -> Self {
        Self { done: 0, limit, params: 0, results: 1, wide_labels: false }
    }

    fn widen(&mut self, params: usize, results: usize) {
        let count = |n| u64::try_from(n).unwrap_or(u64::MAX);
        self.params = self.params.max(count(params));
        self.results = self.results.max(count(results));
    }

    /// Counts one operator, given as its bytes.
    fn charge(&mut self, operator: &[u8]) -> Result<(), Refusal> {
        let label = if self.wide_labels { self.params.max(self.results) } else { self.results };
        let all = self.params + self.results;
        self.done += match operator {
            // block, loop, if: 0x40 and the codes of value types stand for none and one.
            [0x02..=0x04, ty, ..] if !(0x40..0x80).contains(ty) => {
                self.wide_labels = true;
                2 * all
            }
            // br, br_if, return.
            [0x0c | 0x0d | 0x0f, ..] => label,
            // br_table.
            [0x0e, entries @ ..] => label * u64::try_from(entries.len()).unwrap_or(u64::MAX),
            // call, call_indirect.
            [0x10 | 0x11, ..] => all,
            _ => 0,
        };
        bound(Place::Module, "values moved by branches and calls", self.done, self.limit)
    }
}

/// Loops that are open at a place of a function.
#[derive(Default)]
struct Loops {
    /// For each open block whether it is a loop.
    blocks: Vec<bool>,
    open: u32,
}

impl Loops {
    fn see(&mut self, operator: &[u8]) {
        match operator {
            [0x03, ..] => {
                self.blocks.push(true);
                self.open += 1;
            }
            // Everything that has an `end` of its own; the last two are proposals that are refused later on.
            [0x02 | 0x04 | 0x06 | 0x1f, ..] => self.blocks.push(false),
            [0x0b, ..] => self.open -= u32::from(self.blocks.pop().unwrap_or(false)),
            _ => {}
        }
    }
}

fn elements(segments: wasmparser::ElementSectionReader<'_>, limits: &StaticLimits) -> Result<(), Fault> {
    let mut total = 0u64;
    for segment in segments {
        total += u64::from(match segment?.items {
            ElementItems::Functions(items) => items.count(),
            ElementItems::Expressions(_, items) => items.count(),
        });
        bound(Place::Module, "elements in its segments", total, limits.element_items)?;
    }
    Ok(())
}

/// One function: size and locals before anything is read, nesting after each operator.
fn body(
    function: FuncToValidate<ValidatorResources>,
    code: &FunctionBody<'_>,
    scratch: FuncValidatorAllocations,
    (limits, work): (&StaticLimits, &mut Work),
) -> Result<FuncValidatorAllocations, Fault> {
    let place = Place::Function(function.index);
    affordable(place, "bytes", code.as_bytes().len(), limits.body)?;
    let mut validator = function.into_validator(scratch);
    let mut locals = u64::from(validator.len_locals());
    for declared in code.get_locals_reader()? {
        locals += u64::from(declared?.0);
        affordable(place, "locals and parameters", locals, limits.locals)?;
    }
    let mut loops = Loops::default();
    let mut reader = code.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(*validator.features());
    while !reader.eof() {
        let at = reader.original_position();
        reader.visit_operator(&mut validator.visitor(at))??;
        let operator = code.as_bytes().get(at - code.range().start..reader.original_position() - code.range().start);
        work.charge(operator.unwrap_or_default())?;
        loops.see(operator.unwrap_or_default());
        affordable(place, "loops inside each other", loops.open, limits.loops)?;
        affordable(place, "blocks inside each other", validator.control_stack_height(), limits.nesting)?;
    }
    reader.finish_expression(&validator.visitor(reader.original_position()))?;
    Ok(validator.into_allocations())
}
