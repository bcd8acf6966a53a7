//! Instances that live on between messages.
//!
//! * An instance is retired after a trap, a timeout, a broken convention, a refused growth of memory, `maxMessages`, or when
//!   its memory reached ¾ of the limit. Nothing is freed in an instance that is retired.
//! * A trap in `free` retires the instance, not the answer: that was copied before.
//! * A successor is made ahead of need: before the last message of an instance, or when it has to go, as a job of its own,
//!   so that the next message finds it. Without room for it in the pool the next message makes its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Answer, Call, Cost, Guest, Inner, Input};
use crate::{clock::Clock, instance::Instance};

/// Instances that wait for a message.
pub(super) struct Kept {
    idle: Mutex<Vec<Instance>>,
    max_messages: u32,
    /// Instances that wait at most: as many as calls at once.
    room: usize,
    /// Memory from which on an instance is retired.
    full: usize,
}

impl Kept {
    pub(super) const fn new(max_messages: u32, room: usize, memory_limit: usize) -> Self {
        let full = memory_limit / 4 * 3;
        Self { idle: Mutex::new(Vec::new()), max_messages, room, full }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Instance>> {
        // Nothing panics while it holds the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Instance> {
        self.lock().pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Keeps an instance for the next message. One too many is thrown away, outside of the lock.
    pub(super) fn keep(&self, instance: Instance) {
        let mut idle = self.lock();
        if idle.len() < self.room {
            idle.push(instance);
            return;
        }
        drop(idle);
        drop(instance);
    }

    /// Whether this was the last message of an instance.
    fn is_last(&self, instance: &Instance) -> bool {
        instance.served >= self.max_messages
    }

    fn is_full(&self, instance: &Instance) -> bool {
        instance.memory_size() >= self.full
    }
}

impl Guest {
    pub(super) async fn call_kept<I, R>(
        &self,
        kept: &Kept,
        input: &I,
        take: impl FnOnce(Answer<'_>) -> R + Send,
    ) -> Call<R>
    where
        I: Input + ?Sized,
        R: Send,
    {
        let Inner { engine, template, .. } = &*self.0;
        let waiting = match kept.pop() {
            Some(instance) => Ok(instance),
            None => Err(engine.slot().await),
        };
        let budget = if waiting.is_ok() { template.guest_time } else { template.start_time() };
        let clock = Arc::new(Clock::new(budget, template.message_time));
        let (mut cost, mut retired, mut followed) = (Cost::default(), false, false);
        // In a box: it is large, and each future around it would be moved with all of it.
        let call = Box::pin(async {
            let mut instance = match waiting {
                Ok(instance) => instance,
                Err(slot) => {
                    let instance = Instance::start(template, &clock, slot).await?;
                    clock.rearm(template.guest_time);
                    instance
                }
            };
            retired = true;
            instance.settle(|| engine.try_slot());
            instance.begin(template, &clock);
            if kept.is_last(&instance) {
                self.make_successor(kept);
                followed = true;
            }
            let called = instance.call(input, take).await;
            cost.note(&instance);
            let refused = instance.take_refused();
            let (taken, buffers) = called.map_err(|fault| fault.into_call_error(refused))?;
            let lives = refused.is_none() && !kept.is_last(&instance) && !kept.is_full(&instance);
            if lives && instance.free(buffers).await.is_ok() {
                kept.keep(instance);
                retired = false;
            }
            Ok(taken)
        });
        let result = self.timed(&clock, call).await;
        cost.guest_time = clock.guest_time();
        // One that is in the making already would get a twin.
        if retired && !followed {
            self.make_successor(kept);
        }
        Call { result, cost }
    }

    /// Makes an instance as a job of its own, if none waits and there is room.
    fn make_successor(&self, kept: &Kept) {
        if !kept.is_empty() {
            return;
        }
        let Some(slot) = self.0.engine.try_spare() else { return };
        let guest = self.clone();
        self.0.engine.threads().detach(async move {
            let Inner { template, kept: Some(kept), .. } = &*guest.0 else { return };
            let clock = Arc::new(Clock::new(template.start_time(), template.message_time));
            // A successor that does not come to life is no message's failure; the next message will see for itself.
            if let Ok(instance) = guest.timed(&clock, Instance::start(template, &clock, slot)).await {
                kept.keep(instance);
            }
        });
    }
}
