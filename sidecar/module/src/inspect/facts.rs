//! What a valid module has, section by section.

use std::collections::{BTreeMap, HashSet};

use wasmparser::{
    CompositeInnerType, ExternalKind, KnownCustom, Parser, Payload, TypeRef,
    types::{CoreTypeId, EntityType, Types},
};

use crate::{Import, Producer, Refusal, Signature, ValType};

/// Lines of the section `producers` that are kept, and characters of each text.
const PRODUCERS: usize = 32;
const PRODUCER_TEXT: usize = 80;

/// What a valid module has, not judged yet.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) imports: Vec<Import>,
    pub(super) exports: BTreeMap<String, Export>,
    pub(super) memories: u32,
    pub(super) tables: u32,
    pub(super) functions: u32,
    pub(super) start: bool,
    pub(super) producers: Vec<Producer>,
    pub(super) memory: Option<crate::Memory>,
    pub(super) table: Option<crate::Table>,
}

/// What an export is.
pub(super) enum Export {
    Function(Signature),
    Memory,
    Table,
    Global,
    Tag,
}

impl Export {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Function(_) => "function",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Global => "global",
            Self::Tag => "tag",
        }
    }
}

/// Collects the facts of a module that was validated as `types`.
pub(super) fn collect(bytes: &[u8], types: &Types) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    let mut seen = HashSet::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| Refusal::Invalid(error.to_string()))? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(|error| Refusal::Invalid(error.to_string()))?;
                    let import = function_import(&import, types)?;
                    if seen.insert(import.clone()) {
                        facts.imports.push(import);
                    }
                }
            }
            Payload::FunctionSection(section) => facts.functions = section.count(),
            Payload::TableSection(section) => facts.tables = section.count(),
            Payload::MemorySection(section) => facts.memories = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(|error| Refusal::Invalid(error.to_string()))?;
                    facts.exports.insert(export.name.to_owned(), self::export(&export, types)?);
                }
            }
            Payload::StartSection { .. } => facts.start = true,
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(section) = section.as_known() {
                    producers(section, &mut facts.producers);
                }
            }
            _ => {}
        }
    }
    facts.memory = (facts.memories == 1).then(|| memory(types));
    facts.table = (facts.tables == 1).then(|| table(types));
    Ok(facts)
}

// === parts ===

fn function_import(import: &wasmparser::Import<'_>, types: &Types) -> Result<Import, Refusal> {
    let kind = match import.ty {
        TypeRef::Func(index) => {
            let signature = signature(types, types.as_ref().core_type_at_in_module(index))?;
            return Ok(Import { module: import.module.to_owned(), name: import.name.to_owned(), signature });
        }
        TypeRef::Memory(_) => "memory",
        TypeRef::Table(_) => "table",
        TypeRef::Global(_) => "global",
        TypeRef::Tag(_) => "tag",
        TypeRef::FuncExact(_) => "exact function",
    };
    Err(Refusal::ImportKind { kind, module: import.module.to_owned(), name: import.name.to_owned() })
}

fn export(export: &wasmparser::Export<'_>, types: &Types) -> Result<Export, Refusal> {
    Ok(match (export.kind, types.as_ref().entity_type_from_export(export)) {
        (ExternalKind::Func, Some(EntityType::Func(id))) => Export::Function(signature(types, id)?),
        (ExternalKind::Memory, _) => Export::Memory,
        (ExternalKind::Table, _) => Export::Table,
        (ExternalKind::Global, _) => Export::Global,
        _ => Export::Tag,
    })
}

fn signature(types: &Types, id: CoreTypeId) -> Result<Signature, Refusal> {
    let foreign = || Refusal::Invalid("a function has a type that gears can't use".to_owned());
    let Some(ty) = types.as_ref().get(id) else { return Err(foreign()) };
    let CompositeInnerType::Func(ty) = &ty.composite_type.inner else { return Err(foreign()) };
    let all = |list: &[wasmparser::ValType]| list.iter().map(|ty| val_type(*ty)).collect::<Option<Vec<_>>>();
    match (all(ty.params()), all(ty.results())) {
        (Some(params), Some(results)) => Ok(Signature { params, results }),
        _ => Err(foreign()),
    }
}

fn val_type(ty: wasmparser::ValType) -> Option<ValType> {
    Some(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::FUNCREF => ValType::Funcref,
        wasmparser::ValType::Ref(_) => return None,
    })
}

fn memory(types: &Types) -> crate::Memory {
    let memory = types.as_ref().memory_at(0);
    let bytes = |pages: u64| pages.saturating_mul(1 << 16);
    crate::Memory { minimum: bytes(memory.initial), maximum: memory.maximum.map(bytes) }
}

fn table(types: &Types) -> crate::Table {
    let table = types.as_ref().table_at(0);
    crate::Table { minimum: table.initial, maximum: table.maximum }
}

/// For people only: what can't be read is left out.
fn producers(section: wasmparser::ProducersSectionReader<'_>, into: &mut Vec<Producer>) {
    let text = |text: &str| text.chars().filter(|c| !c.is_control()).take(PRODUCER_TEXT).collect();
    for field in section.into_iter().map_while(Result::ok) {
        for value in field.values.into_iter().map_while(Result::ok) {
            if into.len() < PRODUCERS {
                into.push(Producer { field: text(field.name), name: text(value.name), version: text(value.version) });
            }
        }
    }
}
