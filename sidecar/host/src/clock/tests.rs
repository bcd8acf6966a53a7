use std::{
    hint::black_box,
    sync::Arc,
    task::{Context, Waker},
    thread,
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Burns CPU time of this thread.
fn burn(span: Duration) {
    let end = thread_cpu() + nanos(span);
    while thread_cpu() < end {
        black_box(());
    }
}

#[test]
fn cpu_time_is_charged_at_each_tick_and_wall_time_is_not() {
    let clock = Clock::new(20 * MILLISECOND, 60 * SECOND);
    clock.enter();
    thread::sleep(50 * MILLISECOND);
    assert!(matches!(clock.tick(), Ok(UpdateDeadline::Yield(1))), "sleeping costs no guest time");
    burn(25 * MILLISECOND);
    let Err(Stop::GuestTime { used_ms, budget_ms: 20 }) = clock.tick() else { panic!("over budget") };
    assert!((25..35).contains(&used_ms), "{used_ms} ms");
}

#[test]
fn every_poll_begins_with_a_reading_of_its_own() {
    let clock = Clock::new(SECOND, 60 * SECOND);
    clock.enter();
    clock.charge();
    // What other tasks do on this thread between two polls is not ours.
    burn(20 * MILLISECOND);
    clock.enter();
    burn(3 * MILLISECOND);
    assert!(clock.guest_time() < 15 * MILLISECOND, "{:?}", clock.guest_time());
    assert!(clock.guest_time() >= 3 * MILLISECOND);
}

#[test]
fn a_poll_that_ends_at_its_first_tick_is_charged_in_full() {
    let clock = Clock::new(SECOND, 60 * SECOND);
    for _ in 0..10 {
        clock.enter();
        burn(3 * MILLISECOND);
        assert!(clock.tick().is_ok());
        clock.charge();
    }
    assert!(clock.guest_time() >= 30 * MILLISECOND, "{:?}", clock.guest_time());
}

#[test]
fn a_poll_that_ends_without_a_tick_is_charged_too() {
    // A guest that computes for less than a tick and then waits for a host function, again and again.
    let clock = Clock::new(SECOND, 60 * SECOND);
    let alarms = Alarms::default();
    let mut turns = 0;
    let mut call = pin!(timed(
        &clock,
        &alarms,
        poll_fn(|_| {
            burn(3 * MILLISECOND);
            turns += 1;
            if turns == 10 { Poll::Ready(()) } else { Poll::Pending }
        })
    ));
    let mut cx = Context::from_waker(Waker::noop());
    while call.as_mut().poll(&mut cx).is_pending() {}
    assert!(clock.guest_time() >= 30 * MILLISECOND, "{:?}", clock.guest_time());
}

#[test]
fn a_new_phase_has_a_budget_of_its_own() {
    let clock = Clock::new(10 * MILLISECOND, 60 * SECOND);
    clock.enter();
    burn(8 * MILLISECOND);
    clock.rearm(10 * MILLISECOND);
    burn(8 * MILLISECOND);
    assert!(clock.tick().is_ok());
    burn(8 * MILLISECOND);
    assert!(clock.tick().is_err());
}

#[test]
fn message_time_is_wall_time_and_is_looked_at_on_a_tick() {
    let clock = Clock::new(SECOND, 5 * MILLISECOND);
    clock.enter();
    thread::sleep(10 * MILLISECOND);
    assert_eq!(clock.tick().err(), Some(Stop::MessageTime { limit_ms: 5 }));
}

#[test]
fn a_call_that_waits_is_given_up_at_message_time() {
    let engine = wasmtime::Engine::default();
    let ticker = crate::ticker::Ticker::start(engine.weak()).unwrap();
    let alarms = Arc::clone(ticker.alarms());
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let clock = Clock::new(SECOND, 30 * MILLISECOND);
    // Nobody but the alarm wakes this one.
    let ended = runtime.block_on(timed(&clock, &alarms, std::future::pending::<()>()));
    assert_eq!(ended, Err(Stop::MessageTime { limit_ms: 30 }));
    assert!(began.elapsed() >= 30 * MILLISECOND);
    assert!(clock.guest_time() < 20 * MILLISECOND, "waiting is no guest time: {:?}", clock.guest_time());
    assert!(alarms.is_empty(), "the alarm went with the call");
}

#[test]
fn a_call_that_only_waits_for_its_turn_sets_no_alarm() {
    let alarms = Alarms::default();
    let clock = Clock::new(SECOND, SECOND);
    let mut turns = 0;
    let mut call = pin!(timed(
        &clock,
        &alarms,
        poll_fn(|_| {
            turns += 1;
            if turns == 3 { Poll::Ready(()) } else { clock.tick().map_or(Poll::Ready(()), |_| Poll::Pending) }
        })
    ));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert!(alarms.is_empty());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert_eq!(call.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
}
