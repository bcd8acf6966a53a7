//! Two clocks: a looping guest is stopped by its own CPU time, an innocent one never is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gear_config::Span;
use rustix::{
    process::{getpriority_process, setpriority_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use crate::support::{Count, ECHO, LOOP, Rig, Said, copy, flux1, flux1_with, guest_time, keep};

/// What a stop may take beyond the budget.
const GRACE: Duration = Duration::from_millis(5);

/// Burns about `n` times some nanoseconds.
fn burn(n: u32) -> String {
    format!(
        "(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $n) (i32.const {n})))) {ECHO}"
    )
}

#[tokio::test]
async fn a_loop_is_stopped_within_its_guest_time() {
    let rig = Rig::new();
    for ms in [1, 20, 100] {
        for guest in [rig.guest(&flux1(LOOP), guest_time(ms)).await, {
            rig.guest(&flux1(LOOP), |policy| {
                keep(policy);
                policy.limits.guest_time = Span::from_millis(ms);
            })
            .await
        }] {
            let called = rig.call(&guest, b"x").await;
            let error = called.result.unwrap_err();
            assert_eq!(error.failure.as_str(), "GuestTime", "{error}");
            let (used, budget) = (called.cost.guest_time, Duration::from_millis(ms));
            assert!(used >= budget && used < budget + GRACE, "{used:?} of {budget:?}");
            assert!(error.detail.contains(" ms are allowed at process"), "{error}");
        }
    }
}

#[tokio::test]
async fn loops_on_every_thread_stop_nobody_else() {
    let rig = Rig::new();
    let budget = Duration::from_millis(400);
    let looper = rig.guest(&flux1(LOOP), guest_time(400)).await;
    let echo = rig.fresh(&flux1(ECHO)).await;
    let running: Count = Arc::default();
    let loops: Vec<_> = (0..2 * rig.threads.count())
        .map(|_| {
            let (looper, running) = (looper.clone(), Arc::clone(&running));
            rig.threads.run(async move {
                running.fetch_add(1, Ordering::SeqCst);
                let called = looper.call(&b"x"[..], copy).await;
                running.fetch_sub(1, Ordering::SeqCst);
                called
            })
        })
        .collect();
    while running.load(Ordering::SeqCst) < loops.len() {
        tokio::task::yield_now().await;
    }
    let mut beside = 0;
    while running.load(Ordering::SeqCst) == loops.len() {
        assert_eq!(rig.said(&echo, b"x").await, Said::Output(b"x".to_vec()));
        beside += 1;
    }
    assert!(beside >= 20, "{beside} messages while all loops went on");
    for call in loops {
        let called = call.await.unwrap();
        assert_eq!(called.result.unwrap_err().failure.as_str(), "GuestTime");
        let used = called.cost.guest_time;
        assert!(used >= budget && used < budget + GRACE, "{used:?} of {budget:?}");
    }
}

#[tokio::test]
async fn every_message_has_its_own_deadline() {
    let rig = Rig::new();
    // 'l' loops; everything else is answered.
    let body = format!("(if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 108)) (then (loop $l (br $l)))) {ECHO}");
    let change = |policy: &mut gear_host::Policy| {
        keep(policy);
        policy.limits.guest_time = Span::from_millis(10);
    };
    let guest = rig.guest(&flux1(&body), change).await;
    // Message 2 and message 10,000 of one instance; together they take far longer than one budget.
    let inner = guest.clone();
    let job = rig.threads.run(async move {
        for n in 0..9_999 {
            let called = inner.call(&b"x"[..], copy).await;
            assert!(called.result.is_ok(), "message {n}: {:?}", called.result);
        }
    });
    job.await.unwrap();
    let called = rig.call(&guest, b"l").await;
    assert_eq!(called.result.unwrap_err().failure.as_str(), "GuestTime");
    assert!(called.cost.guest_time >= Duration::from_millis(10) && called.cost.guest_time < Duration::from_millis(15));
    assert_eq!(rig.said(&guest, b"x").await, Said::Output(b"x".to_vec()));
    // An instance that rested is past its old deadline, and works.
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(rig.said(&guest, b"x").await, Said::Output(b"x".to_vec()));
    let called = rig.call(&guest, b"l").await;
    assert!(called.cost.guest_time >= Duration::from_millis(10), "{:?}", called.cost.guest_time);
}

#[tokio::test]
async fn a_loop_in_every_place_is_stopped() {
    let rig = Rig::new();
    let place = |alloc: &str, process: &str, free: &str| {
        format!(
            r#"(module (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) {alloc} (i32.const 4096))
            (func (export "free") (param i32) {free})
            (func (export "flux_process") (param i32 i32) (result i32) {process}
                (i32.store (i32.const 16) (i32.const 2)) (i32.const 16)))"#
        )
    };
    let forever = "(loop $l (br $l))";
    let change = |policy: &mut gear_host::Policy| {
        keep(policy);
        policy.limits.guest_time = Span::from_millis(10);
    };
    for wat in [place(forever, "", ""), place("", forever, "")] {
        let called = rig.call(&rig.guest(&wat, change).await, b"x").await;
        assert_eq!(called.result.unwrap_err().failure.as_str(), "GuestTime");
    }
    // In `free` it costs the instance, and the time.
    let called = rig.call(&rig.guest(&place("", "", forever), change).await, b"x").await;
    assert_eq!(called.result, Ok(Said::Drop));
    assert!(called.cost.guest_time >= Duration::from_millis(10));
}

#[tokio::test]
async fn bulk_instructions_are_charged_in_full() {
    // Copies half of 32 MiB to the other half, again and again: each instruction is longer than a tick.
    let rig = Rig::with(1, 4, gear_host::compile::CompileLimits::default());
    let half = 16 << 20;
    let body =
        format!("(loop $l (memory.copy (i32.const {half}) (i32.const 0) (i32.const {half})) (br $l)) (unreachable)");
    let wat = format!(
        r#"(module (memory (export "memory") 512) (func (export "alloc") (param i32) (result i32) (i32.const 4096))
        (func (export "free") (param i32)) (func (export "flux_process") (param i32 i32) (result i32) {body}))"#
    );
    let guest = rig.guest(&wat, guest_time(100)).await;
    let job = rig.threads.run(async move {
        let before = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let called = guest.call(&b"x"[..], copy).await;
        let after = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let nanos = |t: rustix::time::Timespec| i128::from(t.tv_sec) * 1_000_000_000 + i128::from(t.tv_nsec);
        (called, Duration::from_nanos(u64::try_from(nanos(after) - nanos(before)).unwrap()))
    });
    let (called, burnt) = job.await.unwrap();
    assert_eq!(called.result.unwrap_err().failure.as_str(), "GuestTime");
    let used = called.cost.guest_time;
    // Two ticks and one instruction (1.4 ms per MiB is what the first touch costs) over, and nothing that was not charged.
    assert!(used < Duration::from_millis(100 + 5 + 25), "{used:?}");
    assert!(burnt < used + GRACE, "{burnt:?} were burnt, {used:?} charged");
}

/// Binds this thread to the first CPU that it may use.
fn to_first_cpu() {
    let may = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| may.is_set(*cpu)).unwrap();
    let mut only = CpuSet::new();
    only.set(first);
    sched_setaffinity(None, &only).unwrap();
}

#[tokio::test]
async fn an_innocent_guest_that_gets_little_cpu_is_never_stopped() {
    // Guests that need a few tens of milliseconds of 100, on a thread of low priority that shares its CPU with two greedy
    // ones: it gets a twentieth, and each call takes many times its guest time by the clock on the wall.
    let rig = Rig::with(1, 16, gear_host::compile::CompileLimits::default());
    let change = |policy: &mut gear_host::Policy| {
        policy.limits.guest_time = Span::from_millis(100);
        policy.limits.message_time = Span::from_secs(600);
    };
    let guest = rig.guest(&flux1(&burn(20_000_000)), change).await;
    let bind = async {
        to_first_cpu();
        // Below the greedy ones, whatever priority the test itself was given.
        let own = getpriority_process(None).unwrap();
        setpriority_process(None, own + 10).expect("a thread may lower its own priority");
    };
    rig.threads.run(bind).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let greed = |stop: Arc<AtomicBool>| {
        move || {
            to_first_cpu();
            while !stop.load(Ordering::Relaxed) {}
        }
    };
    let greedy = [(); 2].map(|()| thread::spawn(greed(Arc::clone(&stop))));
    let begin = Instant::now();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let guest = guest.clone();
            rig.threads.run(async move { guest.call(&b"x"[..], copy).await })
        })
        .collect();
    for call in calls {
        let called = call.await.unwrap();
        assert!(called.result.is_ok(), "{:?} after {:?}", called.result, begin.elapsed());
        assert!(called.cost.guest_time < Duration::from_millis(100));
    }
    let took = begin.elapsed();
    stop.store(true, Ordering::Relaxed);
    for thread in greedy {
        thread.join().unwrap();
    }
    // All three took turns, so each took about as long as all of them.
    assert!(took > Duration::from_millis(300), "they were not starved ({took:?}): this run shows nothing");
}

#[tokio::test]
async fn message_time_is_wall_time_and_stops_what_guest_time_would_allow() {
    let rig = Rig::with(1, 8, gear_host::compile::CompileLimits::default());
    let guest = rig
        .guest(&flux1(LOOP), |policy| {
            policy.limits.guest_time = Span::from_secs(60);
            policy.limits.message_time = Span::from_millis(50);
        })
        .await;
    // Two on one thread: each gets half of the CPU, and all of the wall.
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let guest = guest.clone();
            rig.threads.run(async move { guest.call(&b"x"[..], copy).await })
        })
        .collect();
    for call in calls {
        let called = call.await.unwrap();
        let error = called.result.unwrap_err();
        assert_eq!(error.failure.as_str(), "MessageTime");
        assert!(error.detail.contains("the 50 ms of limits.messageTime"), "{error}");
        assert!(called.cost.guest_time < Duration::from_millis(55), "{:?}", called.cost.guest_time);
    }
}

#[tokio::test]
async fn guest_time_passes_just_below_its_value() {
    let rig = Rig::new();
    // How long it takes here, then a limit above and one below.
    let wat = flux1(&burn(20_000_000));
    let used = rig.call(&rig.guest(&wat, guest_time(10_000)).await, b"x").await.cost.guest_time;
    let ms = u64::try_from(used.as_millis()).unwrap();
    assert!(ms >= 4, "{used:?}");
    assert!(rig.call(&rig.guest(&wat, guest_time(3 * ms)).await, b"x").await.result.is_ok());
    let error = rig.call(&rig.guest(&wat, guest_time(ms / 4)).await, b"x").await.result.unwrap_err();
    assert_eq!(error.failure.as_str(), "GuestTime");
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_and_leaves_its_room() {
    let rig = Rig::new();
    let guest = rig.guest(&flux1(LOOP), guest_time(60_000)).await;
    let began = Arc::new(AtomicUsize::new(0));
    let job = rig.threads.run({
        let (guest, began) = (guest.clone(), Arc::clone(&began));
        async move {
            began.store(1, Ordering::SeqCst);
            guest.call(&b"x"[..], copy).await
        }
    });
    while began.load(Ordering::SeqCst) == 0 || rig.engine.instances() == 0 {
        tokio::task::yield_now().await;
    }
    drop(job);
    let gone = async {
        while rig.engine.instances() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the looping call was given up");
}

#[tokio::test]
async fn start_has_a_hundred_milliseconds_more_than_a_message() {
    let rig = Rig::new();
    let burning = burn(20_000_000).replace(ECHO, "");
    let wat = flux1_with("", ECHO, &format!(r#"(func (export "_initialize") {burning})"#));
    // Some 10 to 40 ms: too long for a message of 1 ms, not for a start of 101.
    let guest = rig.guest(&wat, guest_time(1)).await;
    assert!(guest.instance_cost() > Duration::from_millis(4), "{:?}", guest.instance_cost());
    assert_eq!(rig.said(&guest, b"x").await, Said::Output(b"x".to_vec()));
}
