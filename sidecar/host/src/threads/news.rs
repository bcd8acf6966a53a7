//! Who is to hear that a job is done.

use std::{
    cell::RefCell,
    sync::Arc,
    task::{Wake, Waker},
    time::{Duration, Instant},
};

/// How long somebody may wait to hear that a job is done, while the thread that did it has more to do.
const LATEST: Duration = Duration::from_micros(100);

thread_local! {
    /// `Some` on guest threads only.
    static NEWS: RefCell<Option<News>> = const { RefCell::new(None) };
}

/// Those that await jobs of this thread that are done, and have not heard of it.
#[derive(Default)]
pub(super) struct News {
    waiting: Vec<Waker>,
    since: Option<Instant>,
}

impl News {
    /// This thread is a guest thread from now on.
    pub(super) fn begin() {
        NEWS.set(Some(Self::default()));
    }

    /// This thread is none any more.
    pub(super) fn end() {
        Self::tell();
        NEWS.set(None);
    }

    /// What wakes `waker`: noted on a guest thread, at once anywhere else.
    pub(super) fn waker(waker: &Waker) -> Waker {
        Waker::from(Arc::new(Notes(waker.clone())))
    }

    /// Whether it was noted; the waker comes back when this is no guest thread.
    fn note(waker: Waker) -> Result<(), Waker> {
        NEWS.with_borrow_mut(|news| {
            let Some(news) = news else { return Err(waker) };
            news.waiting.push(waker);
            Ok(())
        })
    }

    pub(super) fn is_waiting() -> bool {
        NEWS.with_borrow(|news| news.as_ref().is_some_and(|news| !news.waiting.is_empty()))
    }

    pub(super) fn tell_in_time() {
        let late = NEWS.with_borrow_mut(|news| {
            let Some(news) = news.as_mut().filter(|news| !news.waiting.is_empty()) else { return false };
            news.since.get_or_insert_with(Instant::now).elapsed() >= LATEST
        });
        if late {
            Self::tell();
        }
    }

    /// Wakes all of them. What they do then may note others, so nothing is borrowed meanwhile.
    pub(super) fn tell() {
        let mut waiting = NEWS.with_borrow_mut(|news| {
            let Some(news) = news else { return Vec::new() };
            news.since = None;
            std::mem::take(&mut news.waiting)
        });
        waiting.drain(..).for_each(Waker::wake);
        // The room is used again.
        NEWS.with_borrow_mut(|news| {
            if let Some(news) = news.as_mut().filter(|news| news.waiting.is_empty()) {
                news.waiting = waiting;
            }
        });
    }
}

/// Notes on a guest thread, wakes at once anywhere else.
struct Notes(Waker);

impl Wake for Notes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Err(waker) = News::note(self.0.clone()) {
            waker.wake();
        }
    }
}
