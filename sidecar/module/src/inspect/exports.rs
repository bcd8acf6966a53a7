//! Whether a valid module has what a gear needs.

use super::facts::{Export, Facts};
use crate::{Free, FreeTakes, Inspection, Refusal, Signature, ValType::I32};

/// Allocators, the first one that is exported is used. Prefixed names are for toolchains whose libc owns the short ones.
const ALLOCATORS: [&str; 3] = ["flux_alloc", "alloc", "malloc"];
/// What takes buffers back, the first one that is exported is used.
const FREES: [&str; 2] = ["flux_free", "free"];

impl Facts {
    /// Judges the facts of a module of `size` bytes.
    pub(super) fn conclude(self, size: usize) -> Result<Inspection, Refusal> {
        self.program()?;
        let memory = self.own_memory()?;
        self.one_table()?;
        let (allocator, free) = (self.allocator()?, self.free()?);
        let initialize = self.initialize()?;
        let Self { imports, exports, table, functions, start, producers, .. } = self;
        let exports = exports
            .into_iter()
            .filter_map(|(name, export)| match export {
                Export::Function(signature) => Some((name, signature)),
                _ => None,
            })
            .collect();
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        Ok(Inspection {
            size,
            imports,
            exports,
            memory,
            table,
            allocator,
            free,
            initialize,
            start,
            functions,
            producers,
        })
    }

    /// `_start` alone is a program: it would run to its end and leave nothing to call.
    fn program(&self) -> Result<(), Refusal> {
        let program = self.exports.contains_key("_start") && !self.exports.contains_key("_initialize");
        if program { Err(Refusal::Program) } else { Ok(()) }
    }

    /// Exactly one memory, its own, exported as `memory`.
    fn own_memory(&self) -> Result<crate::Memory, Refusal> {
        let Some(memory) = self.memory else {
            let expected = "exactly one, exported as memory,";
            return Err(Refusal::Count { what: "memories", found: self.memories, expected });
        };
        match self.exports.get("memory") {
            Some(Export::Memory) => Ok(memory),
            Some(other) => Err(kind("memory", other, "memory")),
            None => Err(Refusal::MissingExport {
                wanted: "memory named memory".to_owned(),
                hint: "link with --export-memory, or name the export memory",
            }),
        }
    }

    fn one_table(&self) -> Result<(), Refusal> {
        if self.tables > 1 {
            return Err(Refusal::Count { what: "tables", found: self.tables, expected: "at most one" });
        }
        Ok(())
    }

    fn allocator(&self) -> Result<String, Refusal> {
        let (name, found) = self.first(&ALLOCATORS)?;
        if found.is(&[I32], &[I32]) { Ok(name) } else { Err(wrong(name, found, "(i32) -> i32")) }
    }

    fn free(&self) -> Result<Free, Refusal> {
        let (name, found) = self.first(&FREES)?;
        if found.is(&[I32, I32], &[]) {
            Ok(Free { name, takes: FreeTakes::PointerAndLength })
        } else if found.is(&[I32], &[]) {
            Ok(Free { name, takes: FreeTakes::Pointer })
        } else {
            Err(wrong(name, found, "(i32, i32) or (i32)"))
        }
    }

    fn initialize(&self) -> Result<bool, Refusal> {
        match self.exports.get("_initialize") {
            None => Ok(false),
            Some(Export::Function(found)) if found.is(&[], &[]) => Ok(true),
            Some(Export::Function(found)) => Err(wrong("_initialize".to_owned(), found, "()")),
            Some(other) => Err(kind("_initialize", other, "function")),
        }
    }

    /// The first of `names` that is exported. One of the wrong kind is not passed over: the author meant it.
    fn first(&self, names: &[&str]) -> Result<(String, &Signature), Refusal> {
        let found = names.iter().find_map(|name| self.exports.get_key_value(*name));
        match found {
            Some((name, Export::Function(signature))) => Ok((name.clone(), signature)),
            Some((name, other)) => Err(kind(name, other, "function")),
            None => Err(Refusal::MissingExport {
                wanted: format!("function {}", names.join(" or ")),
                hint: "the host needs it to hand over messages; see docs/reference/abi.md",
            }),
        }
    }
}

fn wrong(name: String, found: &Signature, expected: &'static str) -> Refusal {
    Refusal::ExportType { name, found: found.clone(), expected }
}

fn kind(name: &str, found: &Export, expected: &'static str) -> Refusal {
    Refusal::ExportKind { name: name.to_owned(), found: found.kind(), expected }
}
