//! One module for each proposal of WebAssembly that gears can't use: a gear that echoes, and one thing too much.

use super::{
    Expect::Refused,
    Fixture,
    Source::{Echo, Wat},
};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture::new("threads", Refused("threads"), Echo("(func (drop (i32.atomic.load (i32.const 0))))")),
    Fixture::new("threads-shared-memory", Refused("threads"), Wat(SHARED_MEMORY)),
    Fixture::new("memory64", Refused("memory64"), Wat(MEMORY64)),
    Fixture::new("multi-memory", Refused("multi-memory"), Echo("(memory $second 1)")),
    Fixture::new("exceptions", Refused("exceptions"), Echo("(tag $oops) (func (throw $oops))")),
    Fixture::new(
        "exceptions-try-table",
        Refused("exceptions"),
        Echo("(func (block $caught (try_table (catch_all $caught))))"),
    ),
    Fixture::new("exceptions-legacy", Refused("exceptions"), Echo("(func try catch_all end)")),
    Fixture::new("gc", Refused("gc"), Echo("(type (struct (field i32))) (func (drop (struct.new 0 (i32.const 1))))")),
    Fixture::new("gc-i31", Refused("gc"), Echo("(func (drop (ref.i31 (i32.const 1))))")),
    Fixture::new("function-references", Refused("typed function references"), Echo(FUNCTION_REFERENCES)),
    Fixture::new("externref", Refused("externref"), Echo("(func (param externref))")),
    Fixture::new("externref-table", Refused("externref"), Echo("(table 1 externref)")),
    Fixture::new("tail-call", Refused("tail calls"), Echo("(func $again (return_call $again))")),
    Fixture::new(
        "extended-const",
        Refused("extended constant expressions"),
        Echo("(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
    ),
    Fixture::new("relaxed-simd", Refused("relaxed SIMD"), Echo(RELAXED_SIMD)),
    Fixture::new("custom-page-sizes", Refused("custom page sizes"), Wat(CUSTOM_PAGE_SIZES)),
    Fixture::new("wide-arithmetic", Refused("wide arithmetic"), Echo(WIDE_ARITHMETIC)),
    Fixture::new("stack-switching", Refused("stack switching"), Echo("(type $f (func)) (type $c (cont $f))")),
];

const SHARED_MEMORY: &str = r#"(module (memory (export "memory") 1 2 shared)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const MEMORY64: &str = r#"(module (memory (export "memory") i64 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const CUSTOM_PAGE_SIZES: &str = r#"(module (memory (export "memory") 65536 (pagesize 1))
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const FUNCTION_REFERENCES: &str = "(type $f (func)) (func $one) (elem declare func $one)
    (func (call_ref $f (ref.func $one)))";

const RELAXED_SIMD: &str = "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))";

const WIDE_ARITHMETIC: &str = "(func (result i64 i64)
    (i64.add128 (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0)))";
