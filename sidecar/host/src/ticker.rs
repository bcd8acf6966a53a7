//! The thread that moves the epoch on, and wakes calls that waited too long.
//!
//! * One increment per wake and no catching up: a thread that was not scheduled for a while must not spend other
//!   people's time when it is.
//! * Weak reference to the engine: the ticker never keeps it alive. Joined when the engine goes.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use wasmtime::EngineWeak;

/// Length of a tick.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// The ticker needs no stack to speak of.
const STACK: usize = 64 << 10;

/// The thread; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    alarms: Arc<Alarms>,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: EngineWeak) -> io::Result<Self> {
        let (stop, alarms) = (Arc::new(AtomicBool::new(false)), Arc::new(Alarms::default()));
        let (stopped, ringing) = (Arc::clone(&stop), Arc::clone(&alarms));
        let run = move || {
            while !stopped.load(Ordering::Acquire) {
                thread::park_timeout(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                ringing.ring(Instant::now());
            }
        };
        let thread = thread::Builder::new().name("ticker".to_owned()).stack_size(STACK).spawn(run)?;
        Ok(Self { stop, thread: Some(thread), alarms })
    }

    pub(crate) fn alarms(&self) -> &Arc<Alarms> {
        &self.alarms
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        // The engine's last owner may be the ticker's own short-lived upgrade.
        if thread.thread().id() != thread::current().id() {
            // A panic of the ticker was printed when it happened; there is nobody to hand it to.
            drop(thread.join());
        }
    }
}

/// Wakers of calls that wait, with the time to wake them at the latest. Empty at almost all times.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    armed: AtomicUsize,
    list: Mutex<Vec<(Arc<()>, Instant, Waker)>>,
}

/// An alarm that is set; dropping it takes it back.
#[derive(Debug)]
pub(crate) struct Alarm<'a> {
    alarms: &'a Alarms,
    key: Arc<()>,
}

impl Alarms {
    /// Wakes `waker` at the first tick after `at`.
    pub(crate) fn set(&self, at: Instant, waker: &Waker) -> Alarm<'_> {
        let key = Arc::new(());
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push((Arc::clone(&key), at, waker.clone()));
        self.armed.store(list.len(), Ordering::Release);
        Alarm { alarms: self, key }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.armed.load(Ordering::Acquire) == 0
    }

    fn ring(&self, now: Instant) {
        if self.armed.load(Ordering::Acquire) == 0 {
            return;
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().filter(|(_, at, _)| *at < now).for_each(|(_, _, waker)| waker.wake_by_ref());
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let mut list = self.alarms.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(key, ..)| !Arc::ptr_eq(key, &self.key));
        self.alarms.armed.store(list.len(), Ordering::Release);
    }
}
