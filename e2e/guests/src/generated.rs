//! Guests that are too large to write: at the limits of what is read and compiled, and far beyond.

use wasm_encoder::{
    BlockType, CodeSection, CustomSection, ExportKind, ExportSection, Function, FunctionSection, Instruction, MemArg,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// Functions that every gear made here has: allocator, free, entrypoint.
const OWN: u32 = 3;

/// A gear that echoes, with further functions of type `() -> ()`, none of which is called.
fn gear(extra: &[Function]) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I32, ValType::I32], []);
    types.ty().function([ValType::I32, ValType::I32], [ValType::I32]);
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(2);
    for _ in extra {
        functions.function(3);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (index, name) in (0..).zip(["flux_alloc", "flux_free", "flux_process"]) {
        exports.export(name, ExportKind::Func, index);
    }
    let mut code = CodeSection::new();
    let mut alloc = Function::new([]);
    alloc.instructions().i32_const(4096).end();
    let mut free = Function::new([]);
    free.instructions().end();
    let mut process = Function::new([]);
    let (pointer, length) = (place(20), place(24));
    process.instructions().i32_const(0).local_get(0).i32_store(pointer).i32_const(0).local_get(1).i32_store(length);
    process.instructions().i32_const(16).end();
    code.function(&alloc).function(&free).function(&process);
    for function in extra {
        code.function(function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module
}

const fn place(offset: u64) -> MemArg {
    MemArg { offset, align: 2, memory_index: 0 }
}

/// `count` functions, those that every gear has included.
pub(crate) fn functions(count: u32) -> Vec<u8> {
    let extra: Vec<Function> = (OWN..count).map(|_| empty()).collect();
    gear(&extra).finish()
}

/// A function with `count` locals.
pub(crate) fn locals(count: u32) -> Vec<u8> {
    let mut function = Function::new([(count, ValType::I32)]);
    function.instructions().end();
    gear(&[function]).finish()
}

/// A function with `depth` blocks inside each other, its own included.
pub(crate) fn nesting(depth: u32) -> Vec<u8> {
    inside_each_other(&Instruction::Block(BlockType::Empty), depth.saturating_sub(1))
}

/// A function with `depth` loops inside each other.
pub(crate) fn loops(depth: u32) -> Vec<u8> {
    inside_each_other(&Instruction::Loop(BlockType::Empty), depth)
}

fn inside_each_other(begin: &Instruction<'_>, depth: u32) -> Vec<u8> {
    let mut function = Function::new([]);
    for _ in 0..depth {
        function.instruction(begin);
    }
    // One more: the function's own.
    for _ in 0..=depth {
        function.instruction(&Instruction::End);
    }
    gear(&[function]).finish()
}

/// A function whose body, as its length field counts it, has `bytes` bytes.
pub(crate) fn body(bytes: u32) -> Vec<u8> {
    let mut function = Function::new([]);
    // One byte says that there are no locals, one ends the body.
    function.raw(std::iter::repeat_n(NOP, (bytes as usize).saturating_sub(2)));
    function.instructions().end();
    gear(&[function]).finish()
}

/// A module of `bytes` bytes; a custom section fills it up.
pub(crate) fn size(bytes: u32) -> Vec<u8> {
    let with_padding = |padding: usize| {
        let mut module = gear(&[]);
        module.section(&CustomSection { name: "padding".into(), data: vec![0; padding].into() });
        module.finish()
    };
    let wanted = bytes as usize;
    let mut padding = wanted.saturating_sub(with_padding(0).len());
    let mut module = with_padding(padding);
    // The length field of the section grows with what it counts.
    padding = padding.saturating_sub(module.len().saturating_sub(wanted));
    module = with_padding(padding);
    module
}

/// The first half of a valid module.
pub(crate) fn cut() -> Vec<u8> {
    let mut module = gear(&[]).finish();
    module.truncate(module.len() / 2);
    module
}

/// 285 KB with 20,000 locals: asks Cranelift for more than ten gigabytes. Every local changes inside one loop, so the
/// head of the loop takes 20,000 values, and each of the 25,000 branches back to it carries all of them.
pub(crate) fn bomb_locals() -> Vec<u8> {
    gear(&[carrying(1, 20_000, 25_000)]).finish()
}

/// 32 KB of loops inside each other: takes the compiler half a minute.
pub(crate) fn bomb_loops() -> Vec<u8> {
    loops(10_900)
}

/// The same idea as [`bomb_locals`] within everything that is counted before compiling: 2,000 locals, 200 loops inside
/// each other, a body below 1 MiB. Only a limit on the compiler itself stops it.
pub(crate) fn bomb_within_bounds() -> Vec<u8> {
    gear(&[carrying(200, 1_990, 90_000)]).finish()
}

/// A function of `loops` loops inside each other, `locals` locals that change in the innermost, and `branches` branches back, which go
/// to each of the loops in turn.
fn carrying(loops: u32, locals: u32, branches: u32) -> Function {
    let mut function = Function::new([(locals, ValType::I32)]);
    let mut instructions = function.instructions();
    for _ in 0..loops {
        instructions.loop_(BlockType::Empty);
    }
    for index in 0..branches {
        let local = index % locals;
        instructions.local_get(local).i32_const(1).i32_add().local_tee(local).br_if(index % loops);
    }
    for _ in 0..=loops {
        instructions.end();
    }
    function
}

fn empty() -> Function {
    let mut function = Function::new([]);
    function.instructions().end();
    function
}

const NOP: u8 = 0x01;
