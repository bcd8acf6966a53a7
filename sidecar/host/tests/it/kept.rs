//! Instances that are kept: when they are retired, and who comes after them.

use std::time::Duration;

use gear_config::Instance;

use crate::support::{PAGE, Rig, Said, flux1_with, keep};

/// Answers with how many messages this instance has seen. 't' traps, 'l' loops, 'g' is refused memory, 'f' fills half of
/// what is left, 'b' answers nonsense.
fn counting(rest: &str) -> String {
    let body = "(global.set $seen (i32.add (global.get $seen) (i32.const 1)))
        (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 116)) (then unreachable))
        (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 108)) (then (loop $l (br $l))))
        (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 103)) (then (drop (memory.grow (i32.const 30000)))))
        (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 102)) (then (drop (memory.grow (i32.const 1)))))
        (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 98)) (then (return (i32.const -1))))
        (i32.store (i32.const 2048) (global.get $seen)) (call $result (i32.const 0) (i32.const 2048) (i32.const 4))";
    flux1_with("", body, &format!("(global $seen (mut i32) (i32.const 0)) {rest}"))
}

async fn count(rig: &Rig, guest: &gear_host::Guest, input: &[u8]) -> u32 {
    let Said::Output(bytes) = rig.said(guest, input).await else { panic!("an output") };
    settled(guest).await;
    u32::from_le_bytes(bytes.try_into().unwrap())
}

/// Waits until the next message finds an instance: one that comes before the successor is ready makes one of its own, which is
/// right and not what is counted here.
async fn settled(guest: &gear_host::Guest) {
    let ready = async {
        while !guest.has_waiting_instance() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.expect("an instance that waits, in 20 s");
}

#[tokio::test]
async fn an_instance_lives_on_between_messages() {
    let rig = Rig::new();
    let guest = rig.kept(&counting("")).await;
    for n in 1..=100 {
        assert_eq!(count(&rig, &guest, b"x").await, n);
    }
}

#[tokio::test]
async fn an_instance_is_retired_after_a_trap_a_timeout_a_broken_answer_and_a_refused_growth() {
    let rig = Rig::new();
    let guest = rig
        .guest(&counting(""), |policy| {
            keep(policy);
            policy.limits.guest_time = gear_config::Span::from_millis(10);
        })
        .await;
    for (input, fails) in [(b"t", true), (b"l", true), (b"b", true), (b"g", false)] {
        assert_eq!(count(&rig, &guest, b"x").await, 1);
        assert_eq!(count(&rig, &guest, b"x").await, 2);
        assert_eq!(rig.call(&guest, input).await.result.is_err(), fails, "{input:?}");
        settled(&guest).await;
    }
    assert_eq!(count(&rig, &guest, b"x").await, 1);
}

#[tokio::test]
async fn an_instance_is_retired_after_its_last_message() {
    let rig = Rig::new();
    let guest = rig
        .guest(&counting(""), |policy| {
            keep(policy);
            policy.instance = Instance::Persistent { max_messages: 3 };
        })
        .await;
    for n in [1, 2, 3, 1, 2, 3, 1, 2, 3, 1] {
        assert_eq!(count(&rig, &guest, b"x").await, n);
    }
}

#[tokio::test]
async fn an_instance_is_retired_when_its_memory_reaches_three_quarters() {
    let rig = Rig::new();
    let guest = rig
        .guest(&counting(""), |policy| {
            keep(policy);
            policy.limits.memory = gear_config::ByteSize::new(8 * PAGE);
        })
        .await;
    // It begins with two pages; the fourth growth makes six of eight.
    for n in [1, 2, 3, 4, 1, 2, 3, 4, 1] {
        assert_eq!(count(&rig, &guest, b"f").await, n);
    }
}

#[tokio::test]
async fn a_successor_waits_before_it_is_needed() {
    let rig = Rig::new();
    // Starting takes some milliseconds of CPU time; a message that had to wait for it would be charged.
    let slow = r#"(func (export "_initialize") (local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $n) (i32.const 20000000)))))"#;
    let guest = rig
        .guest(&counting(slow), |policy| {
            keep(policy);
            policy.instance = Instance::Persistent { max_messages: 2 };
        })
        .await;
    let start = guest.instance_cost();
    assert!(start > Duration::from_millis(2), "{start:?}");
    for n in [1, 2, 1, 2, 1, 2] {
        let called = rig.call(&guest, b"x").await;
        assert_eq!(called.result, Ok(Said::Output(u32::to_le_bytes(n).to_vec())));
        assert!(
            called.cost.guest_time < start / 2,
            "message {n} was charged {:?} of {start:?}",
            called.cost.guest_time
        );
        // The successor is in the making from the last message on.
        let ready = async {
            while rig.engine.instances() != 1 || !guest.has_waiting_instance() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.expect("a successor in 20 s");
    }
}

#[tokio::test]
async fn messages_wait_for_their_turn_when_one_call_at_a_time_is_allowed() {
    let rig = Rig::new();
    let guest = rig.kept(&counting("")).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let guest = guest.clone();
            rig.threads.run(async move { guest.call(&b"x"[..], crate::support::copy).await.result.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for call in calls {
        let Said::Output(bytes) = call.await.unwrap() else { panic!("an output") };
        seen.push(u32::from_le_bytes(bytes.try_into().unwrap()));
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=50).collect::<Vec<_>>(), "one instance saw them all");
    assert_eq!(rig.engine.instances(), 1);
}

#[tokio::test]
async fn dropping_a_guest_frees_its_instances() {
    let rig = Rig::new();
    let guest = rig.kept(&counting("")).await;
    rig.said(&guest, b"x").await;
    assert_eq!(rig.engine.instances(), 1);
    drop(guest);
    assert_eq!(rig.engine.instances(), 0);
}

#[tokio::test]
async fn the_pool_is_never_the_one_to_fail() {
    // Room for four, and three revisions that each want eight at once, fresh and kept, with traps in between.
    let rig = Rig::with(2, 4, gear_host::compile::CompileLimits::default());
    let wat = counting("");
    let mut guests = Vec::new();
    for instance in [Instance::Fresh, Instance::Persistent { max_messages: 3 }, Instance::Fresh] {
        guests.push(
            rig.guest(&wat, |policy| {
                policy.instance = instance;
                policy.concurrency = if instance == Instance::Fresh { 8 } else { 2 };
            })
            .await,
        );
    }
    let calls: Vec<_> = (0..3_000)
        .map(|n| {
            let guest = guests[n % 3].clone();
            let input = if n % 7 == 0 { b"t" } else { b"x" };
            (n, rig.threads.run(async move { guest.call(&input[..], crate::support::copy).await.result }))
        })
        .collect();
    for (n, call) in calls {
        match call.await.unwrap() {
            Ok(_) => assert!(n % 7 != 0),
            Err(error) => assert!(n % 7 == 0 && error.detail.contains("unreachable"), "{n}: {error}"),
        }
    }
}
