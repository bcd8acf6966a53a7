//! Guests whose name carries a number, for limits that must hold at their value and fire one above.

use crate::{
    FixtureError,
    catalog::assemble,
    generated,
    skeleton::{data, entrypoint, gear, process},
};

/// A kind of guest whose name ends with a number.
#[derive(Debug)]
pub struct Parametric {
    /// The name, with `<what>` for the number.
    pub pattern: &'static str,
    /// What the guest does.
    pub about: &'static str,
    make: Make,
}

#[derive(Debug)]
enum Make {
    Text(fn(u32) -> String),
    Bytes(fn(u32) -> Vec<u8>),
}

/// Guests whose name ends with a number: `wasm("fan-out-64")`.
pub const PARAMETRIC: &[Parametric] = &[
    text("fan-out-<n>", "returns the message n times, as an array", fan_out),
    text("output-bytes-<n>", "returns a record of exactly n bytes (n ≥ 14)", output_bytes),
    text("grow-to-<pages>", "grows its memory to that many pages, then echoes; traps when it is refused", grow_to),
    text("memory-minimum-<pages>", "declares that much memory from the start, and echoes", memory_minimum),
    text("log-bytes-<n>", "logs one line of n bytes, then echoes", log_bytes),
    text("log-lines-<n>", "logs n lines of four bytes, then echoes", log_lines),
    text("spin-after-<n>", "echoes n messages of an instance, then never returns", spin_after),
    text("trap-after-<n>", "echoes n messages of an instance, then traps", trap_after),
    text("work-<n>", "runs n million rounds of a loop, then echoes", work),
    bytes("functions-<n>", "has n functions", generated::functions),
    bytes("locals-<n>", "has a function of n locals", generated::locals),
    bytes("nesting-<n>", "has a function with n blocks inside each other, its own included", generated::nesting),
    bytes("loops-<n>", "has a function with n loops inside each other", generated::loops),
    bytes("body-<bytes>", "has a function whose body is that long", generated::body),
    bytes("size-<bytes>", "is that long", generated::size),
];

const fn text(pattern: &'static str, about: &'static str, make: fn(u32) -> String) -> Parametric {
    Parametric { pattern, about, make: Make::Text(make) }
}

const fn bytes(pattern: &'static str, about: &'static str, make: fn(u32) -> Vec<u8>) -> Parametric {
    Parametric { pattern, about, make: Make::Bytes(make) }
}

/// The guest called `name`, if it is one of a kind.
pub(crate) fn make(name: &str) -> Option<Result<Vec<u8>, FixtureError>> {
    let (kind, number) = name.rsplit_once('-')?;
    let number = number.parse().ok()?;
    let found =
        PARAMETRIC.iter().find(|entry| entry.pattern.split_once("-<").is_some_and(|(start, _)| start == kind))?;
    Some(match found.make {
        Make::Text(make) => assemble(name, &make(number)),
        Make::Bytes(make) => Ok(make(number)),
    })
}

/// A gear that returns `content`, whatever comes in. Each output is a copy of its own, since the host frees what it gets.
pub(crate) fn fixed(content: &[u8]) -> String {
    let len = content.len();
    let body = format!(
        "(local.set $a (call $alloc (i32.const {len})))
         (memory.copy (local.get $a) (i32.const 64) (i32.const {len}))
         (call $answer (i32.const 0) (local.get $a) (i32.const {len}))"
    );
    gear("", &(data(64, content) + &entrypoint(&body)))
}

pub(crate) fn fan_out(copies: u32) -> String {
    // The length of the array is written in four bytes, which is valid for every number.
    process(&format!(
        "(local.set $a (call $alloc (i32.add (i32.mul (local.get $len) (i32.const {copies})) (i32.const 5))))
         (i32.store8 (local.get $a) (i32.const 0x9a))
         (i32.store8 offset=1 (local.get $a) (i32.const {}))
         (i32.store8 offset=2 (local.get $a) (i32.const {}))
         (i32.store8 offset=3 (local.get $a) (i32.const {}))
         (i32.store8 offset=4 (local.get $a) (i32.const {}))
         (local.set $b (i32.add (local.get $a) (i32.const 5)))
         (block $done (loop $next
            (br_if $done (i32.eq (local.get $c) (i32.const {copies})))
            (memory.copy (local.get $b) (local.get $ptr) (local.get $len))
            (local.set $b (i32.add (local.get $b) (local.get $len)))
            (local.set $c (i32.add (local.get $c) (i32.const 1)))
            (br $next)))
         (call $answer (i32.const 0) (local.get $a) (i32.sub (local.get $b) (local.get $a)))",
        copies >> 24,
        copies >> 16 & 255,
        copies >> 8 & 255,
        copies & 255
    ))
}

fn output_bytes(total: u32) -> String {
    // {"data": {"k": h'00…'}} with a length of four bytes in front of the zeros.
    let zeros = total.saturating_sub(14);
    let mut head = b"\xa1\x64data\xa1\x61k\x5a".to_vec();
    head.extend(zeros.to_be_bytes());
    let body = format!(
        "(local.set $a (call $alloc (i32.const {total})))
         (memory.copy (local.get $a) (i32.const 64) (i32.const 14))
         (memory.fill (i32.add (local.get $a) (i32.const 14)) (i32.const 0) (i32.const {zeros}))
         (call $answer (i32.const 0) (local.get $a) (i32.const {total}))"
    );
    gear("", &(data(64, &head) + &entrypoint(&body)))
}

fn grow_to(pages: u32) -> String {
    process(&format!(
        "(if (i32.lt_u (memory.size) (i32.const {pages})) (then
            (if (i32.eq (memory.grow (i32.sub (i32.const {pages}) (memory.size))) (i32.const -1)) (then (unreachable)))))
         (call $answer (i32.const 0) (local.get $ptr) (local.get $len))"
    ))
}

fn memory_minimum(pages: u32) -> String {
    format!(
        r#"(module (memory (export "memory") {pages})
            (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
            (func (export "flux_free") (param i32 i32))
            (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
                (i32.store (i32.const 20) (local.get $ptr)) (i32.store (i32.const 24) (local.get $len)) (i32.const 16)))"#
    )
}

const LOG: &str = r#"(import "env" "log" (func $log (param i32 i32 i32)))"#;

fn log_bytes(count: u32) -> String {
    let body = format!(
        "(local.set $a (call $alloc (i32.const {count})))
         (memory.fill (local.get $a) (i32.const 0x78) (i32.const {count}))
         (call $log (i32.const 2) (local.get $a) (i32.const {count}))
         (call $free (local.get $a) (i32.const {count}))
         (call $answer (i32.const 0) (local.get $ptr) (local.get $len))"
    );
    gear(LOG, &entrypoint(&body))
}

fn log_lines(count: u32) -> String {
    let body = format!(
        "(block $done (loop $next
            (br_if $done (i32.eq (local.get $a) (i32.const {count})))
            (call $log (i32.const 2) (i32.const 64) (i32.const 4))
            (local.set $a (i32.add (local.get $a) (i32.const 1)))
            (br $next)))
         (call $answer (i32.const 0) (local.get $ptr) (local.get $len))"
    );
    gear(LOG, &(data(64, b"line") + &entrypoint(&body)))
}

fn after(count: u32, then: &str) -> String {
    let body = format!(
        "(if (i32.eq (global.get $seen) (i32.const {count})) (then {then}))
         (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
         (call $answer (i32.const 0) (local.get $ptr) (local.get $len))"
    );
    gear("", &("(global $seen (mut i32) (i32.const 0))".to_owned() + &entrypoint(&body)))
}

fn spin_after(count: u32) -> String {
    after(count, "(loop $forever (br $forever))")
}

fn trap_after(count: u32) -> String {
    after(count, "(unreachable)")
}

fn work(millions: u32) -> String {
    // A multiplication in each round, and the result is stored: no compiler takes the loop away.
    let rounds = u64::from(millions) * 1_000_000;
    gear(
        "",
        &format!(
            r#"(func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
                (local $left i64) (local $x i64)
                (local.set $left (i64.const {rounds})) (local.set $x (i64.const 1))
                (block $done (loop $next
                    (br_if $done (i64.eqz (local.get $left)))
                    (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (local.get $left)))
                    (local.set $left (i64.sub (local.get $left) (i64.const 1)))
                    (br $next)))
                (i64.store (i32.const 2048) (local.get $x))
                (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#
        ),
    )
}
