//! Both halves of the link to the twin.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use gear_config::status::Problem;
use tokio::time::{Sleep, sleep_until};

use super::broker::Broker;
use crate::link::{Arrival, Command, Lost, Sink, Source};

type Shared = Arc<Mutex<Broker>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Broker> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct TwinSource {
    shared: Shared,
    wake: Pin<Box<Sleep>>,
}

impl TwinSource {
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared, wake: Box::pin(sleep_until(Instant::now().into())) }
    }
}

impl Source for TwinSource {
    fn poll(&mut self, cx: &mut Context<'_>, arrivals: &mut Vec<Arrival>) -> Poll<Result<(), Lost>> {
        loop {
            let next = match lock(&self.shared).take(Instant::now(), arrivals) {
                Ok(next) => next,
                Err(lost) => return Poll::Ready(Err(lost)),
            };
            if !arrivals.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let Some(next) = next else { return Poll::Pending };
            self.wake.as_mut().reset(next.into());
            if self.wake.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

pub(super) struct TwinSink {
    shared: Shared,
    max_payload: usize,
}

impl TwinSink {
    pub(super) fn new(shared: Shared, max_payload: usize) -> Self {
        Self { shared, max_payload }
    }
}

impl Sink for TwinSink {
    fn send(&mut self, command: Command) -> impl Future<Output = Result<(), Lost>> + Send {
        std::future::ready(lock(&self.shared).command(Instant::now(), command))
    }

    fn max_payload(&self) -> usize {
        self.max_payload
    }

    fn denied(&self) -> Option<Problem> {
        None
    }
}
