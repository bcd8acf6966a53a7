//! Modules of the wrong shape: no wasm, exports missing or of another type, more than a gear may have.

use super::{
    Answer,
    Expect::{Answers, CompileLimit, Refused},
    Fixture,
    Source::{Bytes, Echo, Gear, Made, Wat},
};
use crate::generated;

pub(super) const FIXTURES: &[Fixture] = &[
    // --- not wasm
    Fixture::new("bytes-empty", Refused("wasm"), Bytes(b"")),
    Fixture::new("bytes-text", Refused("wasm"), Bytes(b"#!/bin/sh\necho hello\n")),
    Fixture::new("bytes-elf", Refused("wasm"), Bytes(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0")),
    Fixture::new("bytes-gzip", Refused("wasm"), Bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\0")),
    Fixture::new("bytes-version-2", Refused(""), Bytes(b"\0asm\x02\0\0\0")),
    Fixture::new("bytes-cut", Refused(""), Made(generated::cut)),
    Fixture::new("bytes-header", Refused("memory"), Bytes(b"\0asm\x01\0\0\0")),
    Fixture::new("component", Refused("component"), Wat("(component)")),
    // --- exports
    Fixture::new("no-memory", Refused("memory"), Wat(NO_MEMORY)),
    Fixture::new("memory-not-exported", Refused("memory"), Wat(MEMORY_NOT_EXPORTED)),
    Fixture::new("memory-is-a-function", Refused("memory"), Wat(MEMORY_IS_A_FUNCTION)),
    Fixture::new("no-alloc", Refused("flux_alloc"), Wat(NO_ALLOC)),
    Fixture::new("no-free", Refused("flux_free"), Wat(NO_FREE)),
    Fixture::new("no-entrypoint", Refused("flux_process"), Gear { imports: "", fields: "" }),
    Fixture::new("alloc-type", Refused("flux_alloc"), Wat(ALLOC_TYPE)),
    Fixture::new("alloc-is-a-global", Refused("flux_alloc"), Wat(ALLOC_IS_A_GLOBAL)),
    Fixture::new("free-type", Refused("flux_free"), Wat(FREE_TYPE)),
    Fixture::new("free-one-argument", Answers(Answer::Echo), Wat(FREE_ONE_ARGUMENT)),
    Fixture::new("entrypoint-type", Refused("flux_process"), Wat(ENTRYPOINT_TYPE)),
    Fixture::new("entrypoint-result", Refused("flux_process"), Wat(ENTRYPOINT_RESULT)),
    // --- one memory, one table
    Fixture::new("table", Answers(Answer::Echo), Echo("(table 20000 funcref)")),
    Fixture::new("table-20001", Refused("20001"), Echo("(table 20001 funcref)")),
    Fixture::new("two-tables", Refused("table"), Echo("(table 1 funcref) (table 1 funcref)")),
    // --- what would cost the compiler all memory or all time
    Fixture::new("bomb-locals", Refused("CompileLimit: function 3 has 20000 locals"), Made(generated::bomb_locals)),
    Fixture::new("bomb-loops", Refused("CompileLimit: function 3 has 257 loops"), Made(generated::bomb_loops)),
    Fixture::new("bomb-within-bounds", CompileLimit, Made(generated::bomb_within_bounds)),
];

const NO_MEMORY: &str = r#"(module
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const MEMORY_NOT_EXPORTED: &str = r#"(module (memory 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const MEMORY_IS_A_FUNCTION: &str = r#"(module (memory 1)
    (func (export "memory"))
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const NO_ALLOC: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const NO_FREE: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const ALLOC_TYPE: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_alloc") (param i64) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const ALLOC_IS_A_GLOBAL: &str = r#"(module (memory (export "memory") 1)
    (global (export "flux_alloc") i32 (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const FREE_TYPE: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;

const FREE_ONE_ARGUMENT: &str = r#"(module (memory (export "memory") 2)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
    (func (export "flux_free") (param i32))
    (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
        (i32.store (i32.const 20) (local.get $ptr)) (i32.store (i32.const 24) (local.get $len)) (i32.const 16)))"#;

const ENTRYPOINT_TYPE: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32) (result i32) (i32.const 16)))"#;

const ENTRYPOINT_RESULT: &str = r#"(module (memory (export "memory") 1)
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 16))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32)))"#;
