//! Guests that call the host, and guests that want to.

use super::{
    Answer,
    Expect::{Answers, Fails, NeedsGrant, Refused},
    Failure, Fixture,
    Source::{Gear, Imports, Wat},
};

/// An entrypoint that echoes after `$speak`.
macro_rules! speaks {
    ($instructions:literal) => {
        concat!(
            r#"(data (i32.const 64) "card 4111111111111111 declined")
               (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32) "#,
            $instructions,
            "(call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"
        )
    };
}

const LOG: &str = r#"(import "env" "log" (func $log (param i32 i32 i32)))"#;

pub(super) const FIXTURES: &[Fixture] = &[
    // --- logs
    // One line at each level, 0 and 5 included (both are info).
    Fixture::new(
        "log-levels",
        Answers(Answer::Echo),
        Gear {
            imports: LOG,
            fields: speaks!(
                "(call $log (i32.const 0) (i32.const 69) (i32.const 0))
                 (call $log (i32.const 1) (i32.const 64) (i32.const 4)) (call $log (i32.const 2) (i32.const 64) (i32.const 4))
                 (call $log (i32.const 3) (i32.const 64) (i32.const 4)) (call $log (i32.const 4) (i32.const 64) (i32.const 4))
                 (call $log (i32.const 5) (i32.const 86) (i32.const 8))"
            ),
        },
    ),
    // A card number in clear.
    Fixture::new(
        "log-pan",
        Answers(Answer::Echo),
        Gear { imports: LOG, fields: speaks!("(call $log (i32.const 2) (i32.const 64) (i32.const 30))") },
    ),
    Fixture::new(
        "log-info",
        Answers(Answer::Echo),
        Gear {
            imports: r#"(import "env" "flux_log_info" (func $info (param i32 i32)))"#,
            fields: speaks!("(call $info (i32.const 86) (i32.const 8))"),
        },
    ),
    // Text outside of memory, in three ways; ignored and counted.
    Fixture::new(
        "log-outside",
        Answers(Answer::Echo),
        Gear {
            imports: LOG,
            fields: speaks!(
                "(call $log (i32.const 2) (i32.const -16) (i32.const 32)) (call $log (i32.const 2) (i32.const 0) (i32.const -1))
                 (call $log (i32.const 2) (i32.shl (memory.size) (i32.const 16)) (i32.const 1))"
            ),
        },
    ),
    // Bytes that are not UTF-8, and control characters.
    Fixture::new(
        "log-binary",
        Answers(Answer::Echo),
        Gear {
            imports: LOG,
            fields: r#"(data (i32.const 64) "a\nb\1b[31m\ff\00c")
                (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
                    (call $log (i32.const 2) (i32.const 64) (i32.const 11))
                    (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#,
        },
    ),
    // Logs without end, and so runs into its time, not into the host's disk.
    Fixture::new(
        "log-flood",
        Fails(Failure::GuestTime),
        Gear {
            imports: LOG,
            fields: speaks!("(loop $more (call $log (i32.const 2) (i32.const 64) (i32.const 4)) (br $more))"),
        },
    ),
    // --- configuration
    // Rejects with the value of the config key `reason`; asks for its length first, with no buffer at all.
    Fixture::new(
        "config-reason",
        Answers(Answer::Reject { code: 1, reason: "" }),
        Gear {
            imports: r#"(import "env" "flux_config_get" (func $get (param i32 i32 i32 i32) (result i32)))"#,
            fields: r#"(data (i32.const 64) "reason")
                (func (export "flux_process") (param i32 i32) (result i32)
                    (local $len i32) (local $out i32)
                    (local.set $len (call $get (i32.const 64) (i32.const 6) (i32.const 0) (i32.const 0)))
                    (if (i32.le_s (local.get $len) (i32.const 0)) (then
                        (return (call $answer (i32.const 1) (i32.const 0) (i32.const 0)))))
                    (local.set $out (call $alloc (local.get $len)))
                    (drop (call $get (i32.const 64) (i32.const 6) (local.get $out) (local.get $len)))
                    (call $answer (i32.const 1) (local.get $out) (local.get $len)))"#,
        },
    ),
    // Rejects with number 100 + n when flux_config_get answers -n: 101 for a key that is not there, 107 for ranges outside.
    Fixture::new(
        "config-outside",
        Answers(Answer::Reject { code: 107, reason: "" }),
        Gear {
            imports: r#"(import "env" "flux_config_get" (func $get (param i32 i32 i32 i32) (result i32)))"#,
            fields: r#"(func (export "flux_process") (param i32 i32) (result i32)
                (call $answer
                    (i32.sub (i32.const 100) (call $get (i32.const -4) (i32.const 8) (i32.const 64) (i32.const 16)))
                    (i32.const 0) (i32.const 0)))"#,
        },
    ),
    // --- AssemblyScript
    // Aborts with the text "no such card" in gear.ts:12:34.
    Fixture::new(
        "abort",
        Fails(Failure::Trap),
        Gear {
            imports: r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#,
            fields: r#"(data (i32.const 64) "\18\00\00\00n\00o\00 \00s\00u\00c\00h\00 \00c\00a\00r\00d\00")
                (data (i32.const 128) "\0e\00\00\00g\00e\00a\00r\00.\00t\00s\00")
                (func (export "flux_process") (param i32 i32) (result i32)
                    (call $abort (i32.const 68) (i32.const 132) (i32.const 12) (i32.const 34))
                    (i32.const 16))"#,
        },
    ),
    Fixture::new(
        "abort-outside",
        Fails(Failure::Trap),
        Gear {
            imports: r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#,
            fields: r#"(func (export "flux_process") (param i32 i32) (result i32)
                (call $abort (i32.const -2) (i32.const 2) (i32.const 12) (i32.const 34)) (i32.const 16))"#,
        },
    ),
    Fixture::new(
        "trace",
        Answers(Answer::Echo),
        Gear {
            imports: r#"(import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
                (import "env" "console.log" (func $console (param i32)))"#,
            fields: r#"(data (i32.const 64) "\08\00\00\00s\00e\00e\00n\00")
                (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
                    (call $trace (i32.const 68) (i32.const 2) (f64.const 1) (f64.const 2.5) (f64.const 0) (f64.const 0) (f64.const 0))
                    (call $console (i32.const 68))
                    (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))"#,
        },
    ),
    // --- imports
    // All that need no grant; `env.log` twice, which is legal.
    Fixture::new("imports-granted", Answers(Answer::Echo), Imports(GRANTED)),
    Fixture::new("imports-http", NeedsGrant("env.flux_req_http"), Imports(HTTP)),
    Fixture::new("imports-kv-get", NeedsGrant("env.flux_kv_get"), Imports(KV_GET)),
    Fixture::new("imports-kv-put", NeedsGrant("env.flux_kv_put"), Imports(KV_PUT)),
    Fixture::new("imports-result", NeedsGrant("env.flux_result"), Imports(RESULT)),
    Fixture::new("imports-seed", NeedsGrant("env.seed"), Imports(r#"(import "env" "seed" (func (result f64)))"#)),
    Fixture::new(
        "imports-date-now",
        NeedsGrant("env.Date.now"),
        Imports(r#"(import "env" "Date.now" (func (result f64)))"#),
    ),
    Fixture::new("imports-wasi-write", NeedsGrant("wasi_snapshot_preview1.fd_write"), Imports(FD_WRITE)),
    Fixture::new("imports-wasi-clock", NeedsGrant("wasi_snapshot_preview1.clock_time_get"), Imports(CLOCK)),
    Fixture::new(
        "imports-wasi-yield",
        NeedsGrant("wasi_snapshot_preview1.sched_yield"),
        Imports(r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#),
    ),
    // --- imports that no grant gives
    Fixture::new("imports-unknown", NeedsGrant("env.flux_magic"), Imports(r#"(import "env" "flux_magic" (func))"#)),
    Fixture::new(
        "imports-unknown-module",
        NeedsGrant("outside.log"),
        Imports(r#"(import "outside" "log" (func (param i32 i32 i32)))"#),
    ),
    Fixture::new(
        "imports-wrong-type",
        NeedsGrant("env.log"),
        Imports(r#"(import "env" "log" (func (param i32 i32) (result i32)))"#),
    ),
    Fixture::new(
        "imports-log-as-global",
        Refused("env.log"),
        Imports(r#"(import "env" "log" (global i32))"#),
    ),
    Fixture::new("imports-memory", Refused("memory"), Wat(IMPORTS_MEMORY)),
    Fixture::new("imports-table", Refused("table"), Imports(r#"(import "env" "outside" (table 1 funcref))"#)),
    Fixture::new("imports-global", Refused("global"), Imports(r#"(import "env" "outside" (global i32))"#)),
];

const GRANTED: &str = r#"
    (import "env" "log" (func (param i32 i32 i32)))
    (import "env" "log" (func (param i32 i32 i32)))
    (import "env" "flux_log_info" (func (param i32 i32)))
    (import "env" "abort" (func (param i32 i32 i32 i32)))
    (import "env" "trace" (func (param i32 i32 f64 f64 f64 f64 f64)))
    (import "env" "console.log" (func (param i32)))
    (import "env" "flux_config_get" (func (param i32 i32 i32 i32) (result i32)))"#;

const HTTP: &str = r#"(import "env" "flux_req_http" (func (param i32 i32 i32 i32 i32 i32) (result i32)))"#;
const KV_GET: &str = r#"(import "env" "flux_kv_get" (func (param i32 i32 i32 i32) (result i32)))"#;
const KV_PUT: &str = r#"(import "env" "flux_kv_put" (func (param i32 i32 i32 i32) (result i32)))"#;
const RESULT: &str = r#"(import "env" "flux_result" (func (param i32 i32 i32) (result i32)))"#;
const FD_WRITE: &str = r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#;
const CLOCK: &str = r#"(import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))"#;

const IMPORTS_MEMORY: &str = r#"(module (import "env" "memory" (memory 1)) (export "memory" (memory 0))
    (func (export "flux_alloc") (param i32) (result i32) (i32.const 4096))
    (func (export "flux_free") (param i32 i32))
    (func (export "flux_process") (param i32 i32) (result i32) (i32.const 16)))"#;
