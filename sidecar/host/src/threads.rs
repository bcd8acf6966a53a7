//! Threads of their own for guests, so that nothing on an async runtime waits for one.
//!
//! * One queue for all threads: whoever is free takes the next future, so a call never stands behind a thread that is busy
//!   with somebody else's loop.
//! * A guest that used up its tick goes to the end of the queue: with `n` loops on a thread a new call waits `n` ticks at most.
//! * Handing over is one push, and one wake if somebody sleeps who was not woken yet. Who hands over many at a time queues
//!   them and wakes once for all ([`Threads::queue`]): a wake costs more than a short call.
//! * Who awaits a job is not woken for each one that is done, but when there is nothing more to do, or 100 µs after the
//!   first of them: a reader that is woken for each of a thousand short calls would do little but wake up.
//! * A panic in a job is the error of that job; the thread lives on. Dropping a [`Job`] gives it up: the future is dropped on
//!   a guest thread, where guests belong.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    future::Future,
    io,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    thread::{self, JoinHandle},
    time::Duration,
};

use async_task::{FallibleTask, Runnable};
use futures_util::FutureExt;

mod news;

use news::News;

/// Wasm runs on stacks of its own; these hold the host's frames only.
const STACK: usize = 512 << 10;

/// A thread that had nothing to do for so long is told to rest.
const QUIET: Duration = Duration::from_secs(5);

/// Threads that poll futures of guests. Clones are handles of the same threads; the last one ends them.
#[derive(Clone, Debug)]
pub struct Threads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    awake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Runnable>,
    /// Workers that wait.
    sleeping: usize,
    /// Of those, how many were told to wake and have not got the lock yet.
    woken: usize,
    stopped: bool,
}

impl Threads {
    /// Starts `count` threads; one per CPU when `None`. Each calls `rest` when it had nothing to do for 5 s, once until it has
    /// work again: the time to give back what an allocator keeps for each thread.
    pub fn start(count: Option<NonZeroUsize>, rest: fn()) -> io::Result<Self> {
        let one_per_cpu = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let count = count.unwrap_or_else(one_per_cpu).get();
        let mut inner = Inner { shared: Arc::default(), workers: Vec::with_capacity(count) };
        for n in 0..count {
            let shared = Arc::clone(&inner.shared);
            let builder = thread::Builder::new().name(format!("guest-{n}")).stack_size(STACK);
            // Those that were started end with `inner` if a later one fails.
            inner.workers.push(builder.spawn(move || shared.work(rest))?);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Number of threads.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.workers.len()
    }

    /// Has `future` polled on a guest thread. The job may be awaited from any runtime; dropping it gives it up.
    pub fn run<F>(&self, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let job = self.queue(future);
        self.0.shared.wake(usize::MAX);
        job
    }

    /// The same, but nobody is woken for it: it begins after [`Threads::wake`], or when a thread that is awake gets to it.
    pub fn queue<F>(&self, future: F) -> Job<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let shared = Arc::clone(&self.0.shared);
        let caught = AssertUnwindSafe(future).catch_unwind().map(told);
        let (runnable, task) = async_task::spawn(caught, move |runnable| shared.push(runnable));
        self.0.shared.queue(runnable);
        Job(task.fallible())
    }

    /// Wakes a thread for what was queued, unless one is on its way. Not all at once: short calls are done by one before another
    /// would be awake. Where they are not short, the next of this, or a guest that gives up its turn, wakes the next thread.
    pub fn wake(&self) {
        self.0.shared.wake(1);
    }

    /// The same for a future that nobody waits for.
    pub(crate) fn detach(&self, future: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(&self.0.shared);
        let caught = AssertUnwindSafe(future).catch_unwind().map(drop);
        let (runnable, task) = async_task::spawn(caught, move |runnable| shared.push(runnable));
        runnable.schedule();
        task.detach();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let unfinished = {
            let mut state = self.shared.lock();
            state.stopped = true;
            std::mem::take(&mut state.queue)
        };
        self.shared.awake.notify_all();
        // Their jobs end with `Stopped`. Not under the lock: what they hold may schedule others.
        drop(unfinished);
        let here = thread::current().id();
        for worker in self.workers.drain(..) {
            // A job that held the last handle runs this on its own thread, which can't wait for itself.
            if worker.thread().id() != here {
                // Panics of jobs are caught; a worker has none of its own to tell of.
                drop(worker.join());
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, runnable: Runnable) {
        self.queue(runnable);
        self.wake(usize::MAX);
    }

    fn queue(&self, runnable: Runnable) {
        let mut state = self.lock();
        if state.stopped {
            // Not under the lock: what it holds may schedule others.
            drop(state);
            return drop(runnable);
        }
        state.queue.push_back(runnable);
    }

    /// Wakes threads until as many are on their way as there is work for, or `most`.
    fn wake(&self, most: usize) {
        let mut state = self.lock();
        let missing = state.queue.len().min(state.sleeping).min(most).saturating_sub(state.woken);
        state.woken += missing;
        drop(state);
        for _ in 0..missing {
            self.awake.notify_one();
        }
    }

    fn work(&self, rest: fn()) {
        News::begin();
        while let Some(runnable) = self.next(rest) {
            // The combinators of `run` leave nothing to unwind but the destructors of what a future left behind.
            drop(panic::catch_unwind(AssertUnwindSafe(|| runnable.run())));
            News::tell_in_time();
        }
        News::end();
    }

    fn next(&self, rest: fn()) -> Option<Runnable> {
        let (mut state, mut rested) = (self.lock(), false);
        loop {
            if state.stopped {
                return None;
            }
            if let Some(runnable) = state.queue.pop_front() {
                return Some(runnable);
            }
            if News::is_waiting() {
                drop(state);
                News::tell();
                state = self.lock();
                // Something may have come meanwhile.
                continue;
            }
            let quiet;
            (state, quiet) = self.sleep(state, if rested { Duration::MAX } else { QUIET });
            if quiet {
                drop(state);
                rest();
                rested = true;
                state = self.lock();
            }
        }
    }

    /// Until there may be work, or for so long. Whether the time was over comes back.
    fn sleep<'a>(&self, mut state: MutexGuard<'a, State>, time: Duration) -> (MutexGuard<'a, State>, bool) {
        state.sleeping += 1;
        let (mut state, ended) = self.awake.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
        state.sleeping -= 1;
        // Woken by nobody: the token stays for the one it was meant for.
        state.woken = state.woken.saturating_sub(1).min(state.sleeping);
        (state, ended.timed_out())
    }
}

/// A job that was handed over.
#[must_use = "dropping a job gives it up"]
pub struct Job<T>(FallibleTask<Result<T, JobError>>);

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The job panicked, which is an error of this program and not of the guest.
    #[error("a job on a guest thread panicked: {0}")]
    Panicked(String),
    /// The threads were stopped before the job was done.
    #[error("the guest threads were stopped before the job was done")]
    Stopped,
}

impl<T> Future for Job<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let done = if self.0.is_finished() {
            ready!(Pin::new(&mut self.0).poll(cx))
        } else {
            let notes = News::waker(cx.waker());
            ready!(Pin::new(&mut self.0).poll(&mut Context::from_waker(&notes)))
        };
        Poll::Ready(done.unwrap_or(Err(JobError::Stopped)))
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// A panic as an error.
fn told<T>(ended: Result<T, Box<dyn Any + Send>>) -> Result<T, JobError> {
    ended.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        JobError::Panicked(text.unwrap_or_else(|| "no message".to_owned()))
    })
}
