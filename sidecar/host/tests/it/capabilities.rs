//! What every gear has: logs, AssemblyScript's runtime, configuration.

use std::sync::Arc;

use gear_host::log::Level;

use crate::support::{ECHO, Rig, Said, flux1_with};

const LOGS: &str = r#"(import "env" "log" (func $log (param i32 i32 i32))) (import "env" "flux_log_info" (func $info (param i32 i32)))"#;

#[tokio::test]
async fn every_level_reaches_the_sink_and_unknown_ones_are_info() {
    let rig = Rig::new();
    let body = format!(
        "(call $log (i32.load8_u (local.get $ptr)) (i32.const 1024) (i32.const 3))
         (call $info (i32.const 1027) (i32.const 2)) {ECHO}"
    );
    let guest = rig.fresh(&flux1_with(LOGS, &body, r#"(data (i32.const 1024) "one\ffx")"#)).await;
    for (number, level) in
        [(0, Level::Info), (1, Level::Debug), (2, Level::Info), (3, Level::Warn), (4, Level::Error), (200, Level::Info)]
    {
        rig.said(&guest, &[number]).await;
        assert_eq!(rig.lines.take(), [(level, "one".to_owned()), (Level::Info, "\u{fffd}x".to_owned())]);
    }
}

#[tokio::test]
async fn a_log_range_outside_of_memory_is_ignored_and_counted() {
    let rig = Rig::new();
    let body = format!(
        "(call $log (i32.const 2) (i32.const -1) (i32.const 1)) (call $log (i32.const 2) (i32.const 131071) (i32.const 2))
         (call $info (i32.const 0) (i32.const -1)) (call $log (i32.const 2) (i32.const 131071) (i32.const 1)) {ECHO}"
    );
    let called = rig.call(&rig.fresh(&flux1_with(LOGS, &body, "")).await, b"x").await;
    assert_eq!(called.result, Ok(Said::Output(b"x".to_vec())));
    assert_eq!(called.cost.ignored_log_lines, 3);
    assert_eq!(rig.lines.take(), [(Level::Info, "\0".to_owned())]);
}

#[tokio::test]
async fn a_start_function_can_log() {
    let rig = Rig::new();
    let rest = r#"(func $s (call $info (i32.const 1024) (i32.const 2))) (start $s) (data (i32.const 1024) "up")"#;
    let guest = rig.fresh(&flux1_with(LOGS, ECHO, rest)).await;
    assert_eq!(rig.lines.take().len(), 9, "one for each instance of the self-test");
    rig.said(&guest, b"x").await;
    assert_eq!(rig.lines.take(), [(Level::Info, "up".to_owned())]);
}

/// `text` as AssemblyScript lays it out, at `at`: its size in bytes in the four bytes before.
fn text(at: usize, text: &str) -> String {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let size = u32::try_from(units.len()).unwrap().to_le_bytes();
    let bytes = size.iter().chain(&units).fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"));
    format!(r#"(data (i32.const {}) "{bytes}")"#, at - 4)
}

#[tokio::test]
async fn an_abort_is_a_trap_with_its_text_and_place() {
    let rig = Rig::new();
    let import = r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#;
    let body = "(call $abort (i32.const 1028) (i32.const 2052) (i32.const 7) (i32.const 9)) (unreachable)";
    let rest = text(1028, "Gründe: card 4111111111111111\n") + &text(2052, "assembly/index.ts");
    let (failure, detail) = rig.failed(&rig.fresh(&flux1_with(import, body, &rest)).await, b"x").await;
    assert_eq!(failure, "Trap");
    let wanted = "abort: Gründe: card ************1111\\n in assembly/index.ts:7:9 at process+0x";
    assert!(detail.starts_with(wanted), "{detail}");
    // A pointer that leads nowhere is no way around it.
    let body = "(call $abort (i32.const -1) (i32.const 0) (i32.const 7) (i32.const 9)) (unreachable)";
    let (failure, detail) = rig.failed(&rig.fresh(&flux1_with(import, body, "")).await, b"x").await;
    assert_eq!(failure, "Trap");
    assert!(detail.starts_with("abort: (unreadable) in :7:9"), "{detail}");
}

#[tokio::test]
async fn trace_and_console_log_are_log_lines() {
    let rig = Rig::new();
    let imports = r#"(import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
        (import "env" "console.log" (func $console (param i32)))"#;
    let trace = |n: i32| {
        format!(
            "(call $trace (i32.const 1028) (i32.const {n}) (f64.const 1) (f64.const 2.5) (f64.const -3) (f64.const 4) (f64.const 5))"
        )
    };
    let body = format!(
        "{} {} {} (call $console (i32.const 1028)) (call $console (i32.const -1)) {ECHO}",
        trace(0),
        trace(2),
        trace(-1)
    );
    let called = rig.call(&rig.fresh(&flux1_with(imports, &body, &text(1028, "ü"))).await, b"x").await;
    assert_eq!(called.cost.ignored_log_lines, 1);
    let lines: Vec<_> = rig.lines.take().into_iter().map(|(level, text)| (level == Level::Info, text)).collect();
    assert_eq!(
        lines,
        [(true, "ü".into()), (true, "ü 1, 2.5".into()), (true, "ü 1, 2.5, -3, 4, 5".into()), (true, "ü".into())]
    );
}

#[tokio::test]
async fn configuration_is_read_by_key_and_its_full_length_told() {
    let rig = Rig::new();
    let import = r#"(import "env" "flux_config_get" (func $get (param i32 i32 i32 i32) (result i32)))"#;
    // Asks for the key that the input is, into 4 bytes at 2048; answers with the returned number and the 4 bytes.
    let body =
        "(i32.store (i32.const 2044) (call $get (local.get $ptr) (local.get $len) (i32.const 2048) (i32.const 4)))
        (call $result (i32.const 0) (i32.const 2044) (i32.const 8))";
    let guest = rig
        .guest(&flux1_with(import, body, ""), |policy| {
            let pairs = [("keep", "4"), ("empty", ""), ("long", "abcdefgh"), ("ü", "u")];
            policy.config = Arc::new(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        })
        .await;
    for (key, number, bytes) in [
        (&b"keep"[..], 1i32, b"4\0\0\0"),
        (b"empty", 0, b"\0\0\0\0"),
        (b"long", 8, b"abcd"),
        ("ü".as_bytes(), 1, b"u\0\0\0"),
        (b"none", -1, b"\0\0\0\0"),
        (b"\xff", -7, b"\0\0\0\0"),
    ] {
        let wanted = [&number.to_le_bytes()[..], bytes].concat();
        assert_eq!(rig.said(&guest, key).await, Said::Output(wanted), "{key:?}");
    }
}

#[tokio::test]
async fn a_configuration_range_outside_of_memory_is_an_invalid_argument() {
    let rig = Rig::new();
    let import = r#"(import "env" "flux_config_get" (func $get (param i32 i32 i32 i32) (result i32)))"#;
    for (arguments, number) in [
        ("(i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0)", -7i32),
        ("(i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0)", -7),
        ("(i32.const 1024) (i32.const 1) (i32.const 131072) (i32.const 1)", -7),
        // Before it is known whether there is such a key.
        ("(i32.const 1025) (i32.const 1) (i32.const 131072) (i32.const 1)", -7),
        // Nothing at the very end, and from a null pointer.
        ("(i32.const 1024) (i32.const 1) (i32.const 131072) (i32.const 0)", 3),
        ("(i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 0)", 3),
        ("(i32.const 1025) (i32.const 1) (i32.const 0) (i32.const 0)", -1),
        // Up to the last byte.
        ("(i32.const 1024) (i32.const 1) (i32.const 131069) (i32.const 3)", 3),
    ] {
        let body = format!(
            "(i32.store (i32.const 2048) (call $get {arguments})) (call $result (i32.const 0) (i32.const 2048) (i32.const 4))"
        );
        let wat = flux1_with(import, &body, r#"(data (i32.const 1024) "kx")"#);
        let guest = rig.guest(&wat, |policy| {
            policy.config = Arc::new([("k".to_owned(), "abc".to_owned())].into());
        });
        assert_eq!(rig.said(&guest.await, b"x").await, Said::Output(number.to_le_bytes().to_vec()), "{arguments}");
    }
}
