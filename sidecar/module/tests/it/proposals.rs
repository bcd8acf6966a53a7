//! Every proposal outside the contract is refused by its name.

use crate::{ALLOC, FREE, MEMORY, PROCESS, gear, look, module, refused};

#[test]
fn every_refused_proposal_is_named() {
    for (name, bytes) in [
        ("threads", gear("", "(func (drop (i32.atomic.load (i32.const 0))))")),
        ("threads", module(&[r#"(memory (export "memory") 1 2 shared)"#, ALLOC, FREE, PROCESS])),
        ("memory64", module(&[r#"(memory (export "memory") i64 1)"#, ALLOC, FREE, PROCESS])),
        ("multi-memory", gear("", "(memory 1)")),
        ("exception handling", gear("", "(tag (param i32)) (func (throw 0 (i32.const 1)))")),
        ("legacy exception handling", gear("", "(func try catch_all end)")),
        ("garbage collection", gear("", "(type (struct (field i32)))")),
        ("externref", gear("", "(func (param externref))")),
        ("externref", gear("", "(table 1 externref)")),
        ("externref", gear("", "(func (param anyref))")),
        ("typed function references", gear("(type $t (func))", "(func (param (ref $t)) (call_ref $t (local.get 0)))")),
        ("tail calls", gear("", "(func $f (return_call $f))")),
        ("extended constant", gear("", "(global i32 (i32.add (i32.const 1) (i32.const 2)))")),
        ("relaxed SIMD", gear("", "(func (param v128) (drop (f32x4.relaxed_min (local.get 0) (local.get 0))))")),
        ("custom page sizes", module(&[r#"(memory (export "memory") 1 (pagesize 1))"#, ALLOC, FREE, PROCESS])),
        ("stack switching", gear("", "(type $f (func)) (type $c (cont $f))")),
        (
            "wide arithmetic",
            gear("", "(func (param i64) local.get 0 local.get 0 local.get 0 local.get 0 i64.add128 drop drop)"),
        ),
        ("shared-everything threads", gear("", "(global (shared mut i32) (i32.const 0))")),
        ("memory control", gear("", "(func (memory.discard (i32.const 0) (i32.const 0)))")),
        ("custom descriptors", gear("", "(type $t (func)) (func (param (ref null (exact $t))))")),
        ("compact import", compact_imports()),
    ] {
        let (reason, sentence) = refused(&bytes);
        assert_eq!(reason, "UnsupportedProposal", "{name}: {sentence}");
        assert!(sentence.starts_with(&format!("the module uses {name}")), "{name}: {sentence}");
        assert!(sentence.contains("(at offset 0x"), "{sentence}");
    }
}

/// One module name, then the mark 0x7f and names only.
fn compact_imports() -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend([1, 4, 1, 0x60, 0, 0]);
    bytes.extend([2, 12, 1, 3, b'e', b'n', b'v', 0, 0x7f, 1, 1, b'a', 0, 0]);
    bytes
}

#[test]
fn a_module_that_wants_two_is_told_of_the_first() {
    let bytes = module(&[r#"(memory (export "memory") i64 1)"#, ALLOC, FREE, PROCESS, "(func $f (return_call $f))"]);
    assert!(refused(&bytes).1.starts_with("the module uses memory64"));
}

#[test]
fn everything_of_the_contract_is_accepted() {
    for (name, last) in [
        ("multi-value", "(func (result i32 i64) i32.const 1 i64.const 2)"),
        (
            "multi-value block",
            "(func (param i32) (block (param i32) (local.get 0) (drop) (drop)) (local.get 0) (drop))",
        ),
        ("bulk memory", "(func (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)))"),
        (
            "passive data",
            r#"(data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d))"#,
        ),
        ("reference types", "(table 2 funcref) (func (table.set (i32.const 0) (ref.null func)))"),
        ("table.grow", "(table 2 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))"),
        ("sign extension", "(func (drop (i32.extend8_s (i32.const 200))))"),
        ("saturating floats", "(func (drop (i32.trunc_sat_f32_s (f32.const 1e30))))"),
        ("mutable globals", r#"(global (export "g") (mut i32) (i32.const 0))"#),
        ("SIMD", "(func (drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))))"),
    ] {
        let bytes = if name == "multi-value block" {
            gear("", "(func (param i32) (result i32) local.get 0 (block (param i32) (result i32)))")
        } else {
            gear("", last)
        };
        look(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
}

#[test]
fn an_invalid_module_is_no_proposal() {
    let mut bytes = module(&[MEMORY, ALLOC, FREE, PROCESS]);
    let at = bytes.len() - 3;
    bytes[at] = 0x41;
    let (reason, sentence) = refused(&bytes);
    assert_eq!(reason, "NotAWasmModule", "{sentence}");
    assert!(sentence.starts_with("the module is not valid WebAssembly: "), "{sentence}");
}
