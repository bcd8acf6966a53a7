//! Guests that do wrong while they process a message.

use super::{
    Answer, Expect,
    Expect::Fails,
    Failure::{Abi, GuestTime, Memory, Output, Trap},
    Fixture,
    Source::{self, Gear, Process, Text},
};
use crate::parametric::fixed;

/// A gear whose allocator is `alloc`.
const fn with_alloc(name: &'static str, expect: Expect, wat: &'static str) -> Fixture {
    Fixture::new(name, expect, Source::Wat(wat))
}

pub(super) const FIXTURES: &[Fixture] = &[
    // --- traps
    Fixture::new("trap", Fails(Trap), Process("(unreachable)")),
    Fixture::new("trap-division", Fails(Trap), Process("(i32.div_u (local.get $len) (i32.const 0))")),
    Fixture::new("trap-load", Fails(Trap), Process("(i32.load (i32.const -4))")),
    Fixture::new(
        "trap-deep",
        Fails(Trap),
        Gear {
            imports: "",
            fields: r#"(func $settle_batch (param i32) (unreachable))
                (func $score_card (param i32) (call $settle_batch (local.get 0)))
                (func (export "flux_process") (param i32 i32) (result i32) (call $score_card (local.get 0)) (i32.const 16))"#,
        },
    ),
    Fixture::new(
        "trap-stack",
        Fails(Trap),
        Gear {
            imports: "",
            fields: r#"(func $again (param i32) (result i32) (i32.add (call $again (local.get 0)) (i32.const 1)))
                (func (export "flux_process") (param i32 i32) (result i32) (call $again (local.get 0)))"#,
        },
    ),
    with_alloc("trap-in-alloc", Fails(Trap), include_str!("../../wat/trap-in-alloc.wat")),
    // The result counts, the instance does not.
    with_alloc("trap-in-free", Expect::Answers(Answer::Echo), include_str!("../../wat/trap-in-free.wat")),
    // --- endless
    Fixture::new("spin", Fails(GuestTime), Process("(loop $forever (br $forever)) (i32.const 16)")),
    // Few instructions, each of them long: 64 MiB are filled again and again.
    Fixture::new(
        "spin-fill",
        Fails(GuestTime),
        Process(
            "(drop (memory.grow (i32.const 900)))
             (loop $forever
                (memory.fill (i32.const 4096) (i32.const 1) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4096)))
                (br $forever))
             (i32.const 16)",
        ),
    ),
    with_alloc("spin-in-alloc", Fails(GuestTime), include_str!("../../wat/spin-in-alloc.wat")),
    with_alloc("spin-in-free", Expect::Answers(Answer::Echo), include_str!("../../wat/spin-in-free.wat")),
    // --- memory
    Fixture::new(
        "grow-trap",
        Fails(Memory),
        Process("(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)"),
    ),
    // Takes the refusal as an answer.
    Fixture::new(
        "grow-echo",
        Expect::Answers(Answer::Echo),
        Process(
            "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
             (call $answer (i32.const 0) (local.get $ptr) (local.get $len))",
        ),
    ),
    // --- where the result is
    Fixture::new("record-outside", Fails(Abi), Process("(i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 11))")),
    Fixture::new("record-wraps", Fails(Abi), Process("(i32.const -1)")),
    Fixture::new(
        "output-outside",
        Fails(Abi),
        Process(
            "(call $answer (i32.const 0)
                (i32.sub (i32.shl (memory.size) (i32.const 16)) (local.get $len)) (i32.add (local.get $len) (i32.const 1)))",
        ),
    ),
    Fixture::new("output-wraps", Fails(Abi), Process("(call $answer (i32.const 0) (i32.const -16) (i32.const 32))")),
    Fixture::new("output-4-gib", Fails(Abi), Process("(call $answer (i32.const 0) (i32.const 0) (i32.const -1))")),
    Fixture::new("output-4-gib-rack", Fails(Abi), Source::Wat(include_str!("../../wat/output-4-gib-rack.wat"))),
    Fixture::new("output-empty", Fails(Abi), Process("(call $answer (i32.const 0) (local.get $ptr) (i32.const 0))")),
    Fixture::new("reason-outside", Fails(Abi), Process("(call $answer (i32.const 1) (i32.const -16) (i32.const 32))")),
    Fixture::new(
        "reason-not-utf8",
        Fails(Abi),
        Gear {
            imports: "",
            fields: r#"(data (i32.const 64) "\ff\fe")
                (func (export "flux_process") (param i32 i32) (result i32)
                    (call $answer (i32.const 1) (i32.const 64) (i32.const 2)))"#,
        },
    ),
    Fixture::new("code-256", Fails(Abi), Process("(call $answer (i32.const 256) (local.get $ptr) (local.get $len))")),
    Fixture::new("code-negative", Fails(Abi), Process("(call $answer (i32.const -1) (local.get $ptr) (local.get $len))")),
    // --- where the input goes
    with_alloc("alloc-zero", Fails(Abi), include_str!("../../wat/alloc-zero.wat")),
    with_alloc("alloc-outside", Fails(Abi), include_str!("../../wat/alloc-outside.wat")),
    with_alloc("alloc-wraps", Fails(Abi), include_str!("../../wat/alloc-wraps.wat")),
    // --- what the result holds
    Fixture::new("cbor-break", Fails(Output), Text(|| fixed(b"\xff"))),
    Fixture::new("cbor-cut", Fails(Output), Text(|| fixed(b"\xaa\x62id\x50\x00"))),
    Fixture::new("cbor-text", Fails(Output), Text(|| fixed(b"\x65hello"))),
    Fixture::new("cbor-trailing", Fails(Output), Text(|| fixed(b"\xa0\xa0"))),
    Fixture::new("cbor-not-utf8", Fails(Output), Text(|| fixed(b"\xa1\x64data\xa1\x61k\x62\xff\xfe"))),
    Fixture::new("cbor-wrong-type", Fails(Output), Text(|| fixed(b"\xa1\x65flags\x61x"))),
    Fixture::new("cbor-huge-length", Fails(Output), Text(|| fixed(b"\xa1\x64data\xbb\x7f\xff\xff\xff\xff\xff\xff\xff"))),
    Fixture::new("cbor-array-of-junk", Fails(Output), Text(|| fixed(b"\x82\xa0\x01"))),
    Fixture::new("cbor-deep", Fails(Output), Text(|| fixed(&deep(40)))),
];

/// A record whose `data` holds `levels` arrays in each other.
fn deep(levels: usize) -> Vec<u8> {
    let mut bytes = b"\xa1\x64data\xa1\x61k".to_vec();
    bytes.extend(std::iter::repeat_n(0x81, levels));
    bytes.push(0);
    bytes
}
