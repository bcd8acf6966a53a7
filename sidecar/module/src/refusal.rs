//! Why a module can't be a gear.

use crate::{Signature, text::shown};

/// Why a module can't be a gear, whatever it is granted. Every sentence names the part, what was found and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The first bytes are those of something else.
    #[error("the bytes are no wasm module: {0}")]
    NotWasm(&'static str),
    /// A component in place of a core module.
    #[error(
        "the module is a WebAssembly component; a core module is expected (Rust: build for wasm32-unknown-unknown)"
    )]
    Component,
    /// One of [`crate::StaticLimits`]: the module is too large.
    #[error("{place} has {found} {what}, at most {limit} are accepted")]
    Limit {
        /// `the module` or `function <index>`.
        place: Place,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// One of [`crate::StaticLimits`]: compiling the module would cost too much, however small it is.
    #[error("{place} has {found} {what}, at most {limit} are accepted; compiling more would cost too much")]
    CompileLimit {
        /// `the module` or `function <index>`.
        place: Place,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A proposal of WebAssembly that gears can't use.
    #[error("the module uses {name}, which gears can't use; build it without ({detail})")]
    Proposal {
        /// Name of the proposal.
        name: &'static str,
        /// What the validator said, with the offset.
        detail: String,
    },
    /// No valid module under any proposal.
    #[error("the module is not valid WebAssembly: {0}")]
    Invalid(String),
    /// A memory, table, global or tag from outside.
    #[error("the module imports the {kind} {}.{}; a gear has its own and imports functions only", shown(.module), shown(.name))]
    ImportKind {
        /// `memory`, `table`, `global` or `tag`.
        kind: &'static str,
        /// First half of the import's name.
        module: String,
        /// Second half of the import's name.
        name: String,
    },
    /// More or fewer memories or tables than a gear has.
    #[error("the module has {found} {what}, {expected} is expected")]
    Count {
        /// `memories` or `tables`.
        what: &'static str,
        /// How many there are.
        found: u32,
        /// How many there may be, in words.
        expected: &'static str,
    },
    /// An export that a gear needs is not there.
    #[error("the module exports no {wanted}; {hint}")]
    MissingExport {
        /// The names that would do.
        wanted: String,
        /// How toolchains export it.
        hint: &'static str,
    },
    /// An export that a gear needs is a function of another type.
    #[error("export {} is a function {found}, {expected} is expected", shown(.name))]
    ExportType {
        /// Name of the export.
        name: String,
        /// The type that it has.
        found: Signature,
        /// The types that would do.
        expected: &'static str,
    },
    /// An export that a gear needs is no function, or no memory.
    #[error("export {} is a {found}, a {expected} is expected", shown(.name))]
    ExportKind {
        /// Name of the export.
        name: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A program with `main` in place of a library.
    #[error(
        "the module exports _start and no _initialize: it is a program, not a library; build a reactor \
         (C and C++: -mexec-model=reactor, Go: -buildmode=c-shared, Zig: -fno-entry, Rust: crate-type cdylib)"
    )]
    Program,
    /// The memory that the module starts with is larger than what the gear may have.
    #[error(
        "the module's memory starts at {declared} bytes, limits.memory is {limit} bytes; raise the limit or link with a smaller memory"
    )]
    MemoryMinimum {
        /// Bytes that the module declares.
        declared: u64,
        /// Bytes that it may have.
        limit: u64,
    },
}

impl Refusal {
    /// The CamelCase word for conditions, Events and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotWasm(_) | Self::Component | Self::Invalid(_) => "NotAWasmModule",
            Self::Limit { .. } => "ModuleTooLarge",
            Self::CompileLimit { .. } => "CompileLimit",
            Self::Proposal { .. } => "UnsupportedProposal",
            Self::ImportKind { .. } => "ImportRefused",
            Self::Count { .. } | Self::MissingExport { .. } => "MissingExport",
            Self::ExportType { .. } | Self::ExportKind { .. } => "WrongExportType",
            Self::Program => "NotAReactor",
            Self::MemoryMinimum { .. } => "MemoryMinimum",
        }
    }
}

/// Where in the module something was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the module as a whole.
    Module,
    /// In the table.
    Table,
    /// In a type, by index.
    Type(u32),
    /// In a function, by index among all functions, imported ones first.
    Function(u32),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Module => f.write_str("the module"),
            Self::Table => f.write_str("the table"),
            Self::Type(index) => write!(f, "type {index}"),
            Self::Function(index) => write!(f, "function {index}"),
        }
    }
}
