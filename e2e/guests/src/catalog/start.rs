//! Guests that do something before their first message.

use super::{
    Answer,
    Expect::{self, Answers, Fails},
    Failure::Start,
    Fixture,
    Source::{Echo, Gear},
};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture::new("start-trap", Fails(Start), Echo("(func $begin (unreachable)) (start $begin)")),
    Fixture::new("start-spin", Fails(Start), Echo("(func $begin (loop $forever (br $forever))) (start $begin)")),
    Fixture::new(
        "start-grow",
        Fails(Start),
        Echo(
            "(func $begin (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable))
             (start $begin)",
        ),
    ),
    Fixture::new("initialize-trap", Fails(Start), Echo(r#"(func (export "_initialize") (unreachable))"#)),
    Fixture::new(
        "initialize-spin",
        Fails(Start),
        Echo(r#"(func (export "_initialize") (loop $forever (br $forever)))"#),
    ),
    // Rejects with number 10 + starts + 10 × calls of `_initialize`: 21 when each happened once and in the right order.
    Fixture::new(
        "initialize-counter",
        Answers(Answer::Reject { code: 21, reason: "" }),
        Gear {
            imports: "",
            fields: r#"(global $seen (mut i32) (i32.const 0))
                (func $begin (global.set $seen (i32.add (global.get $seen) (i32.const 1))))
                (start $begin)
                (func (export "_initialize")
                    (if (i32.eqz (global.get $seen)) (then (unreachable)))
                    (global.set $seen (i32.add (global.get $seen) (i32.const 10))))
                (func (export "flux_process") (param i32 i32) (result i32)
                    (call $answer (i32.add (global.get $seen) (i32.const 10)) (i32.const 0) (i32.const 0)))"#,
        },
    ),
    // Logs at level 2 from `_initialize`.
    Fixture::new(
        "initialize-log",
        Answers(Answer::Echo),
        Gear {
            imports: r#"(import "env" "log" (func $log (param i32 i32 i32)))"#,
            fields: r#"(data (i32.const 64) "warming up")
                (func (export "_initialize") (call $log (i32.const 2) (i32.const 64) (i32.const 10)))
                (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
                    (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#,
        },
    ),
    Fixture::new(
        "initialize-type",
        Expect::Refused("_initialize"),
        Echo(r#"(func (export "_initialize") (param i32))"#),
    ),
    // A program in place of a reactor.
    Fixture::new("command", Expect::Refused("_start"), Echo(r#"(func (export "_start"))"#)),
    // Both: `_start` is ignored.
    Fixture::new(
        "command-and-reactor",
        Answers(Answer::Echo),
        Echo(r#"(func (export "_start") (unreachable)) (func (export "_initialize"))"#),
    ),
];
