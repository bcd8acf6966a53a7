//! Both calling conventions: what a guest can say, and who frees what.

use crate::support::{ECHO, Rig, Said, flux1, flux1_with, rack, words};

fn output(bytes: &[u8]) -> Said {
    Said::Output(bytes.to_vec())
}

fn reject(code: u8, reason: &str) -> Said {
    Said::Reject(code, reason.to_owned())
}

#[tokio::test]
async fn what_was_written_comes_back_by_both_conventions() {
    let rig = Rig::new();
    let pack =
        "(i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len)))";
    for wat in [flux1(ECHO), rack(pack)] {
        for guest in [rig.fresh(&wat).await, rig.kept(&wat).await] {
            for input in [&b"x"[..], b"hello", &vec![0xffu8; 50_000]] {
                assert_eq!(rig.said(&guest, input).await, output(input));
            }
        }
    }
}

#[tokio::test]
async fn every_result_code_has_its_meaning() {
    let rig = Rig::new();
    // The input is the code; the answer is 5 bytes of text at 1024.
    let body = "(call $result (i32.load8_u (local.get $ptr)) (i32.const 1024) (i32.const 5))";
    let guest = rig.fresh(&flux1_with("", body, r#"(data (i32.const 1024) "wrong")"#)).await;
    assert_eq!(rig.said(&guest, &[0]).await, output(b"wrong"));
    assert_eq!(rig.said(&guest, &[1]).await, reject(1, "wrong"));
    assert_eq!(rig.said(&guest, &[2]).await, Said::Drop);
    assert_eq!(rig.said(&guest, &[3]).await, reject(3, "wrong"));
    assert_eq!(rig.said(&guest, &[255]).await, reject(255, "wrong"));
}

#[tokio::test]
async fn a_rejection_needs_no_text_and_a_drop_by_length_zero_is_one() {
    let rig = Rig::new();
    // Without text the pointer means nothing.
    let guest = rig.fresh(&flux1("(call $result (i32.const 1) (i32.const -1) (i32.const 0))")).await;
    assert_eq!(rig.said(&guest, b"x").await, reject(1, ""));
    let guest = rig.fresh(&rack("(i64.shl (i64.const -1) (i64.const 32))")).await;
    assert_eq!(rig.said(&guest, b"x").await, Said::Drop);
}

#[tokio::test]
async fn the_result_record_may_lie_at_any_address_up_to_the_last() {
    let rig = Rig::new();
    for at in [1, 3, 2 * 65_536 - 12] {
        let body = format!(
            "(i32.store (i32.const {at}) (i32.const 2)) (i32.store (i32.add (i32.const {at}) (i32.const 4)) (i32.const 0))
             (i32.store (i32.add (i32.const {at}) (i32.const 8)) (i32.const 0)) (i32.const {at})"
        );
        assert_eq!(rig.said(&rig.fresh(&flux1(&body)).await, b"x").await, Said::Drop, "{at}");
    }
}

/// `first` for the first message; then the table of `free` calls that [`crate::support::MEMORY`] keeps.
fn tells_frees(first: &str, body: &str) -> String {
    let once = "(if (i32.eqz (global.get $seen)) (then (global.set $seen (i32.const 1)) (return ";
    flux1_with("", &format!("{once} {first})))  {body}"), "(global $seen (mut i32) (i32.const 0))")
}

#[tokio::test]
async fn the_host_frees_output_and_input_once_each() {
    let rig = Rig::new();
    let table = "(call $result (i32.const 0) (i32.const 64) (i32.const 20))";
    for (what, first, frees) in [
        (
            "an output of its own",
            "(call $result (i32.const 0) (i32.const 2048) (i32.const 3))",
            vec![2, 2048, 3, 4096, 5],
        ),
        ("the input in place", "(call $result (i32.const 0) (local.get $ptr) (i32.const 2))", vec![1, 4096, 5, 0, 0]),
        ("a reason", "(call $result (i32.const 1) (i32.const 2048) (i32.const 3))", vec![2, 2048, 3, 4096, 5]),
        ("no reason", "(call $result (i32.const 1) (i32.const 2048) (i32.const 0))", vec![1, 4096, 5, 0, 0]),
        ("a drop", "(call $result (i32.const 2) (i32.const 0) (i32.const 0))", vec![1, 4096, 5, 0, 0]),
    ] {
        let guest = rig.kept(&tells_frees(first, table)).await;
        rig.said(&guest, b"hello").await;
        let Said::Output(bytes) = rig.said(&guest, b"again").await else { panic!("{what}") };
        assert_eq!(words(&bytes), frees, "{what}");
    }
}

#[tokio::test]
async fn a_rack_gear_is_freed_as_fluxrig_does_it() {
    let rig = Rig::new();
    let pack = |ptr: &str, len: &str| {
        format!("(i64.or (i64.shl (i64.extend_i32_u {ptr}) (i64.const 32)) (i64.extend_i32_u {len}))")
    };
    // First message: result or drop. Later ones: the table.
    for (first, frees) in [
        (pack("(i32.const 2048)", "(i32.const 3)"), vec![2, 2048, 3, 4096, 5]),
        (pack("(local.get $ptr)", "(local.get $len)"), vec![1, 4096, 5, 0, 0]),
        ("(i64.const 0)".to_owned(), vec![0, 0, 0, 0, 0]),
    ] {
        let table = pack("(i32.const 64)", "(i32.const 20)");
        // Byte 0 of the memory says whether a message was seen.
        let body = format!(
            "(if (i32.eqz (i32.load (i32.const 0))) (then (i32.store (i32.const 0) (i32.const 1)) (return {first}))) {table}"
        );
        let guest = rig.kept(&rack(&body)).await;
        rig.said(&guest, b"hello").await;
        let Said::Output(bytes) = rig.said(&guest, b"again").await else { panic!("{first}") };
        assert_eq!(words(&bytes), frees, "{first}");
    }
}

#[tokio::test]
async fn a_free_of_one_argument_gets_the_pointer() {
    let rig = Rig::new();
    let wat = r#"(module (memory (export "memory") 1)
        (func (export "malloc") (param i32) (result i32) i32.const 4096)
        (func (export "free") (param i32) (i32.store (i32.const 64) (local.get 0)))
        (func (export "flux_process") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 64))
            (i32.store (i32.const 24) (i32.const 4)) (i32.const 16)))"#;
    let guest = rig.kept(wat).await;
    rig.said(&guest, b"x").await;
    // Output first, input last.
    assert_eq!(rig.said(&guest, b"x").await, output(&4096u32.to_le_bytes()));
}

#[tokio::test]
async fn a_trap_in_free_costs_the_instance_and_not_the_answer() {
    let rig = Rig::new();
    let wat = r#"(module (memory (export "memory") 1) (global $seen (mut i32) (i32.const 0))
        (func (export "alloc") (param i32) (result i32) i32.const 4096)
        (func (export "free") (param i32) unreachable)
        (func (export "flux_process") (param i32 i32) (result i32)
            (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
            (i32.store (i32.const 64) (global.get $seen))
            (i32.store (i32.const 20) (i32.const 64)) (i32.store (i32.const 24) (i32.const 4)) (i32.const 16)))"#;
    let guest = rig.kept(wat).await;
    for _ in 0..3 {
        // Each one sees a new instance: its count begins at 1.
        assert_eq!(rig.said(&guest, b"x").await, output(&1u32.to_le_bytes()));
    }
}

#[tokio::test]
async fn a_fresh_instance_frees_nothing() {
    let rig = Rig::new();
    let wat = r#"(module (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) i32.const 4096)
        (func (export "free") (param i32) unreachable)
        (func (export "flux_process") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (i32.const 2)) (i32.const 16)))"#;
    let called = rig.call(&rig.fresh(wat).await, b"x").await;
    assert_eq!(called.result, Ok(Said::Drop));
}

#[tokio::test]
async fn a_fresh_instance_sees_nothing_of_another_message() {
    let rig = Rig::new();
    // Answers with 8 bytes at 8192, after it wrote its input there.
    let body = "(local $was i64) (local.set $was (i64.load (i32.const 8192)))
        (i64.store (i32.const 8192) (i64.load (local.get $ptr))) (i64.store (i32.const 2048) (local.get $was))
        (call $result (i32.const 0) (i32.const 2048) (i32.const 8))";
    let wat = flux1(body);
    let fresh = rig.fresh(&wat).await;
    for _ in 0..50 {
        assert_eq!(rig.said(&fresh, b"4111 111").await, output(&[0; 8]));
    }
    let kept = rig.kept(&wat).await;
    assert_eq!(rig.said(&kept, b"first   ").await, output(&[0; 8]));
    assert_eq!(rig.said(&kept, b"second  ").await, output(b"first   "));
}

#[tokio::test]
async fn a_call_tells_what_it_cost() {
    let rig = Rig::new();
    let grow = "(drop (memory.grow (i32.const 6))) (call $result (i32.const 2) (i32.const 0) (i32.const 0))";
    let cost = rig.call(&rig.fresh(&flux1(grow)).await, b"x").await.cost;
    assert_eq!(cost.memory, 8 * 65_536);
    assert!(cost.guest_time > std::time::Duration::ZERO);
    assert!(cost.guest_time < std::time::Duration::from_millis(50), "{:?}", cost.guest_time);
    let echo = rig.fresh(&flux1(ECHO)).await;
    assert_eq!(rig.call(&echo, b"x").await.cost.memory, 2 * 65_536);
    let cost = echo.instance_cost();
    assert!(!cost.is_zero() && cost < std::time::Duration::from_millis(10), "{cost:?}");
}
