//! What was found in a module.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Refusal, Signature, ValType};

use ValType::{I32, I64};

/// What was found in a module that can be a gear. Plain data: what `wasmgear inspect` prints, what the operator keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Bytes of the module.
    pub size: u64,
    /// Imported functions, each (module, name, type) once, in the order of the module.
    pub imports: Vec<Import>,
    /// Exported functions by name.
    pub exports: BTreeMap<String, Signature>,
    /// The memory.
    pub memory: Memory,
    /// The table, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// Export that the host calls for the address of an input.
    pub allocator: String,
    /// Export that the host calls to give buffers back.
    pub free: Free,
    /// Whether `_initialize` is exported; it is called once for each instance.
    pub initialize: bool,
    /// Whether there is a wasm start function; it runs once for each instance.
    pub start: bool,
    /// Functions with a body.
    pub functions: u32,
    /// What the section `producers` says, for people; a module can claim anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub producers: Vec<Producer>,
}

/// An imported function.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// First half of the name, for example `env`.
    pub module: String,
    /// Second half of the name, for example `log`.
    pub name: String,
    /// The type that the module expects.
    #[serde(flatten)]
    pub signature: Signature,
}

/// The memory of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Bytes at the start.
    pub minimum: u64,
    /// Bytes that the module itself never wants to exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u64>,
}

/// The table of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Elements at the start.
    pub minimum: u64,
    /// Elements that the module itself never wants to exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u64>,
}

/// The export that takes buffers back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Free {
    /// Name of the export.
    pub name: String,
    /// What it is called with.
    pub takes: FreeTakes,
}

/// What the export that takes buffers back is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FreeTakes {
    /// `(ptr)`.
    Pointer,
    /// `(ptr, len)`.
    PointerAndLength,
}

/// One line of the section `producers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Producer {
    /// `language`, `sdk` or `processed-by`.
    pub field: String,
    /// Name of the tool.
    pub name: String,
    /// Version of the tool.
    pub version: String,
}

/// How a gear's entrypoint is called. Decided by its type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Abi {
    /// `(ptr, len) -> i32`: the address of a result record.
    Flux1,
    /// `(ptr, len) -> i64`: fluxrig's own, pointer and length in one word.
    Rack,
}

impl Abi {
    /// The name, as in status and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flux1 => "flux1",
            Self::Rack => "rack",
        }
    }
}

impl std::fmt::Display for Abi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The export that is called for each message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entrypoint {
    /// Name of the export.
    pub name: String,
    /// How it is called.
    pub abi: Abi,
}

/// Exports that are taken for the entrypoint when the resource names none, in this order.
pub const DEFAULT_ENTRYPOINTS: [&str; 2] = ["flux_process", "process"];

impl Inspection {
    /// The export that is called for each message: `wanted`, or else the first of [`DEFAULT_ENTRYPOINTS`] that is exported.
    pub fn entrypoint(&self, wanted: Option<&str>) -> Result<Entrypoint, Refusal> {
        let names = wanted.as_ref().map_or(&DEFAULT_ENTRYPOINTS[..], std::slice::from_ref);
        let Some((name, signature)) = names.iter().find_map(|name| self.exports.get_key_value(*name)) else {
            return Err(Refusal::MissingExport {
                wanted: format!("function {}", names.join(" or ")),
                hint: "name the entrypoint in the spec (entrypoint) or export it from the module",
            });
        };
        let abi = if signature.is(&[I32, I32], &[I32]) {
            Abi::Flux1
        } else if signature.is(&[I32, I32], &[I64]) {
            Abi::Rack
        } else {
            return Err(Refusal::ExportType {
                name: name.clone(),
                found: signature.clone(),
                expected: "(i32, i32) -> i32 (flux1) or (i32, i32) -> i64 (rack)",
            });
        };
        Ok(Entrypoint { name: name.clone(), abi })
    }

    /// Refuses a module whose memory is larger than `limits.memory` before its first instruction.
    pub fn fits(&self, memory_limit: u64) -> Result<(), Refusal> {
        if self.memory.minimum > memory_limit {
            return Err(Refusal::MemoryMinimum { declared: self.memory.minimum, limit: memory_limit });
        }
        Ok(())
    }
}
