//! Guests that do right.

use super::{
    Answer::{Copies, Drop, Echo, Nothing, Record, Reject},
    Expect::Answers,
    Fixture,
    Source::{Gear, Process, Text, Wat},
};
use crate::parametric::{fan_out, fixed};

/// fluxrig's own empty message (`fluxrig.md` §3.8): ten fields, a nil id.
const EMPTY: &[u8] = b"\xaa\x62id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x66ref_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
\x65trace\x60\x66src_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x64meta\xa0\x64data\xa0\x65flags\x00\x63raw\xf6\x64path\x80\x62ts\x00";

/// The same with `meta` that asks for the port `review`.
const FOR_REVIEW: &[u8] = b"\xaa\x62id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x66ref_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
\x65trace\x60\x66src_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x64meta\xa1\x69flux.port\x66review\x64data\xa0\x65flags\x00\x63raw\xf6\
\x64path\x80\x62ts\x00";

pub(super) const FIXTURES: &[Fixture] = &[
    // --- the input, in several ways
    Fixture::new("echo", Answers(Echo), Process(ECHO)),
    Fixture::new(
        "echo-copy",
        Answers(Echo),
        Process(
            "(local.set $a (call $alloc (local.get $len)))
             (memory.copy (local.get $a) (local.get $ptr) (local.get $len))
             (call $answer (i32.const 0) (local.get $a) (local.get $len))",
        ),
    ),
    Fixture::new("echo-renamed", Answers(Echo), Gear { imports: "", fields: ECHO_AS_SCORE }),
    Fixture::new("echo-rack", Answers(Echo), Wat(include_str!("../../wat/echo-rack.wat"))),
    Fixture::new("echo-rack-malloc", Answers(Echo), Wat(include_str!("../../wat/echo-rack-malloc.wat"))),
    Fixture::new("echo-both", Answers(Echo), Gear { imports: "", fields: BOTH_ENTRYPOINTS }),
    Fixture::new(
        "record-unaligned",
        Answers(Echo),
        Process(
            "(i32.store (i32.const 33) (i32.const 0)) (i32.store (i32.const 37) (local.get $ptr))
             (i32.store (i32.const 41) (local.get $len)) (i32.const 33)",
        ),
    ),
    Fixture::new(
        "record-at-end",
        Answers(Echo),
        Process(
            "(local.set $a (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 12)))
             (i32.store (local.get $a) (i32.const 0)) (i32.store offset=4 (local.get $a) (local.get $ptr))
             (i32.store offset=8 (local.get $a) (local.get $len)) (local.get $a)",
        ),
    ),
    // --- other outputs
    Fixture::new("emit-empty", Answers(Record(EMPTY)), Text(|| fixed(EMPTY))),
    Fixture::new("emit-review", Answers(Record(FOR_REVIEW)), Text(|| fixed(FOR_REVIEW))),
    Fixture::new("emit-nothing", Answers(Nothing), Text(|| fixed(b"\x80"))),
    Fixture::new("emit-nothing-indefinite", Answers(Nothing), Text(|| fixed(b"\x9f\xff"))),
    Fixture::new("twice", Answers(Copies(2)), Text(|| fan_out(2))),
    // --- no output
    Fixture::new("drop", Answers(Drop), Process("(call $answer (i32.const 2) (i32.const 0) (i32.const 0))")),
    Fixture::new("drop-rack", Answers(Drop), Wat(include_str!("../../wat/drop-rack.wat"))),
    Fixture::new(
        "reject",
        Answers(Reject { code: 1, reason: "amount is above the limit" }),
        Gear {
            imports: "",
            fields: r#"(data (i32.const 64) "amount is above the limit")
                (func (export "flux_process") (param i32 i32) (result i32)
                    (call $answer (i32.const 1) (i32.const 64) (i32.const 25)))"#,
        },
    ),
    Fixture::new(
        "reject-silent",
        Answers(Reject { code: 1, reason: "" }),
        Process("(call $answer (i32.const 1) (i32.const 0) (i32.const 0))"),
    ),
    Fixture::new(
        "reject-with",
        Answers(Reject { code: 42, reason: "zu groß" }),
        Gear {
            imports: "",
            fields: r#"(data (i32.const 64) "zu gro\c3\9f")
                (func (export "flux_process") (param i32 i32) (result i32)
                    (call $answer (i32.const 42) (i32.const 64) (i32.const 8)))"#,
        },
    ),
    Fixture::new(
        "reject-255",
        Answers(Reject { code: 255, reason: "" }),
        Process("(call $answer (i32.const 255) (i32.const 0) (i32.const 0))"),
    ),
    // --- state
    // Rejects message n of an instance with number 2 + n.
    Fixture::new(
        "counter",
        Answers(Reject { code: 3, reason: "" }),
        Gear {
            imports: "",
            fields: r#"(global $seen (mut i32) (i32.const 2))
                (func (export "flux_process") (param i32 i32) (result i32)
                    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
                    (call $answer (global.get $seen) (i32.const 0) (i32.const 0)))"#,
        },
    ),
    // Echoes, and leaves a mark in its memory; rejects with number 7 when the mark of an earlier message is there.
    Fixture::new(
        "footprint",
        Answers(Echo),
        Process(
            "(if (i32.load (i32.const 2048)) (then (return (call $answer (i32.const 7) (i32.const 0) (i32.const 0)))))
             (i32.store (i32.const 2048) (i32.const 1))
             (call $answer (i32.const 0) (local.get $ptr) (local.get $len))",
        ),
    ),
    // Keeps one more page for each message.
    Fixture::new(
        "leak",
        Answers(Echo),
        Process(
            "(drop (memory.grow (i32.const 1)))
             (call $answer (i32.const 0) (local.get $ptr) (local.get $len))",
        ),
    ),
    // Does what the message says: see the file.
    Fixture::new("obedient", Answers(Echo), Gear { imports: "", fields: include_str!("../../wat/obedient.wat") }),
    // All of Core 2.0 that gears may use.
    Fixture::new("core-2.0", Answers(Echo), Gear { imports: "", fields: include_str!("../../wat/core-2.0.wat") }),
];

const ECHO: &str = crate::skeleton::ECHO;

const ECHO_AS_SCORE: &str = r#"(func (export "score") (param $ptr i32) (param $len i32) (result i32)
    (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#;

/// `flux_process` goes before `process`; the latter drops.
const BOTH_ENTRYPOINTS: &str = r#"
    (func (export "process") (param i32 i32) (result i64) (i64.const 0))
    (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
        (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#;
