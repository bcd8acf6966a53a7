//! What a module may cost before anything of it is compiled.

/// Bounds that hold for every module, whatever a resource says. They keep the reader, the validator and the compiler
/// within time and memory that can be planned for; no toolchain that was tried comes near them.
///
/// What only the compiler would suffer from (functions, body, locals, loops, nesting) is refused as `CompileLimit`, like a module
/// that its limits end; the rest as `ModuleTooLarge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticLimits {
    /// Bytes of the module.
    pub size: u32,
    /// Types.
    pub types: u32,
    /// Parameters, and results, of one type.
    pub arity: u32,
    /// Values that branches and calls move, counted from above; each costs the validator some nanoseconds.
    pub work: u32,
    /// Imports, duplicates counted.
    pub imports: u32,
    /// Exports.
    pub exports: u32,
    /// Functions with a body.
    pub functions: u32,
    /// Bytes of one function's body.
    pub body: u32,
    /// Parameters and locals of one function together.
    pub locals: u32,
    /// Loops inside each other in one function: the compiler's time grows with a power of them.
    pub loops: u32,
    /// Blocks of any kind inside each other in one function, its own included. They cost the compiler next to nothing, and
    /// ordinary programs have hundreds (each case of a `switch`, each resumption point of a Go function).
    pub nesting: u32,
    /// Globals.
    pub globals: u32,
    /// Elements that the table has at the start.
    pub table_elements: u32,
    /// Element segments.
    pub element_segments: u32,
    /// Elements of all segments together.
    pub element_items: u32,
    /// Data segments.
    pub data_segments: u32,
}

impl Default for StaticLimits {
    fn default() -> Self {
        Self {
            size: 16 << 20,
            types: 10_000,
            arity: 128,
            work: 100_000_000,
            imports: 1_000,
            exports: 10_000,
            functions: 50_000,
            body: 1 << 20,
            locals: 2_000,
            loops: 256,
            nesting: 10_000,
            globals: 10_000,
            table_elements: 20_000,
            element_segments: 10_000,
            element_items: 100_000,
            data_segments: 100_000,
        }
    }
}
