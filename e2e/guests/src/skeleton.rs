//! What the guests written here have in common: a memory, an allocator, a way to write the result record.
//!
//! Memory: the result record at 16, text from 64, messages that the guest keeps from 2048, the heap from 4096. The allocator starts
//! over when nothing is allocated any more, so that a kept instance can take any number of messages.

/// Fields of a flux1 gear without its entrypoint.
const FIELDS: &str = r#"
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    (global $live (mut i32) (i32.const 0))
    (func $alloc (export "flux_alloc") (param $len i32) (result i32)
        (local $at i32) (local $end i32) (local $pages i32)
        (local.set $at (global.get $next))
        (local.set $end (i32.and (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15)) (i32.const -16)))
        (if (i32.lt_u (local.get $end) (local.get $at)) (then (return (i32.const 0))))
        (local.set $pages (i32.shr_u (i32.add (i32.sub (local.get $end) (i32.const 1)) (i32.const 65536)) (i32.const 16)))
        (if (i32.gt_u (local.get $pages) (memory.size)) (then
            (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1))
                (then (return (i32.const 0))))))
        (global.set $next (local.get $end))
        (global.set $live (i32.add (global.get $live) (i32.const 1)))
        (local.get $at))
    (func $free (export "flux_free") (param $ptr i32) (param $len i32)
        ;; A reason that lies in the data segment is no allocation.
        (if (i32.lt_u (local.get $ptr) (i32.const 4096)) (then (return)))
        (global.set $live (i32.sub (global.get $live) (i32.const 1)))
        (if (i32.eqz (global.get $live)) (then (global.set $next (i32.const 4096)))))
    (func $answer (param $code i32) (param $ptr i32) (param $len i32) (result i32)
        (i32.store (i32.const 16) (local.get $code))
        (i32.store (i32.const 20) (local.get $ptr))
        (i32.store (i32.const 24) (local.get $len))
        (i32.const 16))
"#;

/// A flux1 gear: its imports, and fields beyond those that all have.
pub(crate) fn gear(imports: &str, fields: &str) -> String {
    format!("(module {imports} {FIELDS} {fields})")
}

/// A flux1 gear whose entrypoint is `instructions`, with parameters `$ptr` and `$len` and three spare locals.
pub(crate) fn process(instructions: &str) -> String {
    gear("", &entrypoint(instructions))
}

/// An entrypoint made of `instructions`.
pub(crate) fn entrypoint(instructions: &str) -> String {
    format!(
        r#"(func $process (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
            (local $a i32) (local $b i32) (local $c i32)
            {instructions})"#
    )
}

/// Hands the input back, untouched.
pub(crate) const ECHO: &str = "(call $answer (i32.const 0) (local.get $ptr) (local.get $len))";

/// A data segment at `address` that holds `bytes`.
pub(crate) fn data(address: u32, bytes: &[u8]) -> String {
    let escaped: Vec<String> = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {address}) \"{}\")", escaped.concat())
}
