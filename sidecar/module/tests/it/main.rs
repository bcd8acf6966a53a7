//! What is read from a module, what is refused, and the sentences about it.
#![cfg(test)]

mod exports;
mod imports;
mod limits;
mod proposals;

use gear_module::{Inspection, Refusal, StaticLimits, inspect};

/// What every gear has, in text form; tests add to it or replace a part.
const MEMORY: &str = r#"(memory (export "memory") 1)"#;
const ALLOC: &str = r#"(func (export "alloc") (param i32) (result i32) i32.const 8)"#;
const FREE: &str = r#"(func (export "free") (param i32 i32))"#;
const PROCESS: &str = r#"(func (export "process") (param i32 i32) (result i64) i64.const 0)"#;

/// A module of the given parts.
fn module(parts: &[&str]) -> Vec<u8> {
    wat::parse_str(format!("(module {})", parts.join("\n"))).expect("the test's own WAT is well-formed")
}

/// A gear, and what is added to it. Imports have to come first.
fn gear(first: &str, last: &str) -> Vec<u8> {
    module(&[first, MEMORY, ALLOC, FREE, PROCESS, last])
}

fn look(bytes: &[u8]) -> Result<Inspection, Refusal> {
    inspect(bytes, &StaticLimits::default())
}

/// Reason and sentence of the refusal.
fn refused(bytes: &[u8]) -> (&'static str, String) {
    let refusal = look(bytes).expect_err("the module is refused");
    (refusal.reason(), refusal.to_string())
}
