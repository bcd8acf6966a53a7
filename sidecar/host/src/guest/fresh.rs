//! An instance for each message: no message sees another one's memory.
//!
//! Nothing is freed in it, it is thrown away as a whole. What runs before the first message has a budget of its own.

use std::sync::Arc;

use super::{Answer, Call, Cost, Guest, Inner, Input};
use crate::{clock::Clock, instance::Instance};

impl Guest {
    pub(super) async fn call_fresh<I, R>(&self, input: &I, take: impl FnOnce(Answer<'_>) -> R + Send) -> Call<R>
    where
        I: Input + ?Sized,
        R: Send,
    {
        let Inner { engine, template, .. } = &*self.0;
        let slot = engine.slot().await;
        let clock = Arc::new(Clock::new(template.start_time(), template.message_time));
        let mut cost = Cost::default();
        // In a box: it is large, and each future around it would be moved with all of it.
        let call = Box::pin(async {
            let mut instance = Instance::start(template, &clock, slot).await?;
            if template.starts() {
                clock.rearm(template.guest_time);
                instance.begin(template, &clock);
            }
            let result = instance.call(input, take).await;
            cost.note(&instance);
            result.map(|(taken, _)| taken).map_err(|fault| fault.into_call_error(instance.take_refused()))
        });
        let result = self.timed(&clock, call).await;
        cost.guest_time = clock.guest_time();
        Call { result, cost }
    }
}
