//! Every limit that the host enforces passes at its value and fires one above. (`outputMessages` and `outputSize` are the
//! pipeline's; guest time and message time are in `time`.)

use gear_config::ByteSize;
use gear_host::log::Level;

use crate::support::{ECHO, PAGE, Rig, Said, flux1, flux1_with, memory};

#[tokio::test]
async fn memory_passes_at_its_value_and_fires_one_above() {
    let rig = Rig::new();
    // Declared: two pages.
    assert!(rig.try_guest(&flux1(ECHO), memory(2 * PAGE)).await.is_ok());
    let error = rig.try_guest(&flux1(ECHO), memory(2 * PAGE - 1)).await.unwrap_err();
    assert_eq!(error.reason(), "MemoryMinimum");
    // Grown: from two to five.
    let grow = "(drop (memory.grow (i32.const 3))) (i32.store (i32.const 2048) (memory.size))
        (call $result (i32.const 0) (i32.const 2048) (i32.const 4))";
    for (limit, pages) in [(5 * PAGE, 5u32), (5 * PAGE - 1, 2)] {
        let guest = rig.guest(&flux1(grow), memory(limit)).await;
        assert_eq!(rig.said(&guest, b"x").await, Said::Output(pages.to_le_bytes().to_vec()), "{limit}");
    }
}

#[tokio::test]
async fn the_ceiling_of_the_pool_is_a_gibibyte() {
    let rig = Rig::new();
    let grow = |pages: u32| {
        flux1(&format!(
            "(i32.store (i32.const 2048) (memory.grow (i32.const {pages})))
             (call $result (i32.const 0) (i32.const 2048) (i32.const 4))"
        ))
    };
    for (pages, grown) in [(16_382, 2u32), (16_383, u32::MAX)] {
        let guest = rig.guest(&grow(pages), memory(2 << 30)).await;
        assert_eq!(rig.said(&guest, b"x").await, Said::Output(grown.to_le_bytes().to_vec()), "{pages}");
    }
}

#[tokio::test]
async fn a_table_has_twenty_thousand_elements_at_most() {
    let rig = Rig::new();
    for (by, grown) in [(19_999, 1u32), (20_000, u32::MAX)] {
        let body = format!(
            "(i32.store (i32.const 2048) (table.grow (ref.null func) (i32.const {by})))
             (call $result (i32.const 0) (i32.const 2048) (i32.const 4))"
        );
        let guest = rig.fresh(&flux1_with("", &body, "(table 1 funcref)")).await;
        assert_eq!(rig.said(&guest, b"x").await, Said::Output(grown.to_le_bytes().to_vec()), "{by}");
    }
}

#[tokio::test]
async fn the_stack_is_half_a_mebibyte_whatever_thread_it_is_on() {
    let rig = Rig::new();
    // Depth that the first byte asks for, in thousands; a frame of this function takes some 32 to 64 bytes.
    let wat = flux1_with(
        "",
        &format!("(drop (call $deep (i32.mul (i32.load8_u (local.get $ptr)) (i32.const 1000)))) {ECHO}"),
        "(func $deep (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
            (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))",
    );
    let guest = rig.fresh(&wat).await;
    assert_eq!(rig.said(&guest, &[4]).await, Said::Output(vec![4]));
    let (failure, detail) = rig.failed(&guest, &[100]).await;
    assert_eq!(failure, "Trap");
    assert!(detail.contains("call stack exhausted"), "{detail}");
}

const LOG: &str = r#"(import "env" "log" (func $log (param i32 i32 i32)))"#;

#[tokio::test]
async fn log_text_passes_at_its_size_and_is_cut_one_above() {
    let rig = Rig::new();
    // Logs the input in two lines: all of it, then its first byte.
    let body = format!(
        "(call $log (i32.const 2) (local.get $ptr) (local.get $len)) (call $log (i32.const 2) (local.get $ptr) (i32.const 1))
         (call $log (i32.const 2) (local.get $ptr) (i32.const 1)) {ECHO}"
    );
    let wat = flux1_with(LOG, &body, "");
    for instance in [gear_config::Instance::Fresh, gear_config::Instance::persistent()] {
        let guest = rig.guest(&wat, |policy| {
            policy.limits.log_size = ByteSize::new(6);
            policy.instance = instance;
        });
        let guest = guest.await;
        rig.said(&guest, b"abcd").await;
        let info = |text: &str| (Level::Info, text.to_owned());
        assert_eq!(rig.lines.take(), [info("abcd"), info("a"), info("a")]);
        rig.said(&guest, b"abcde").await;
        let told = (Level::Warn, "further log lines of this message are suppressed (limits.logSize)".to_owned());
        assert_eq!(rig.lines.take(), [info("abcde"), info("a"), told.clone()]);
        rig.said(&guest, b"abcdefgh").await;
        assert_eq!(rig.lines.take(), [info("abcdef"), told]);
    }
}

#[tokio::test]
async fn empty_log_lines_are_counted_too() {
    let rig = Rig::new();
    let body = format!(
        "(local $n i32) (loop $l (call $log (i32.const 2) (local.get $ptr) (i32.const 0))
            (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (i32.const 1005)))) {ECHO}"
    );
    rig.said(&rig.fresh(&flux1_with(LOG, &body, "")).await, b"x").await;
    let lines = rig.lines.take();
    assert_eq!(lines.len(), 1_001);
    assert_eq!(lines.last().map(|line| line.0), Some(Level::Warn));
}
