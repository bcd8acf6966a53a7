//! Whether the watches have read what was there when they began.
//!
//! Each watch says so itself. A store of kube could be waited for as well, but by one task only, because a second one takes
//! the wake-up away; and the controller is that one.

use std::sync::Arc;

use kube::runtime::watcher;
use tokio::sync::watch;

/// The number of watches that have not read everything yet.
#[derive(Debug, Clone)]
pub(crate) struct Reading(Arc<watch::Sender<usize>>);

impl Default for Reading {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Reading {
    /// One watch more. What is returned is called with each of its events, once the event is in the store.
    pub(crate) fn begun<K>(&self) -> impl FnMut(&Result<watcher::Event<K>, watcher::Error>) + Send + use<K> {
        self.0.send_modify(|left| *left += 1);
        let mut open = Some(self.clone());
        move |event| {
            if matches!(event, Ok(watcher::Event::InitDone))
                && let Some(reading) = open.take()
            {
                reading.0.send_modify(|left| *left = left.saturating_sub(1));
            }
        }
    }

    /// Waits until all have read everything.
    pub(crate) async fn done(&self) {
        // The sender is here, so it can't be gone.
        let _ = self.0.subscribe().wait_for(|left| *left == 0).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_told_when_the_last_first_list_is_complete() {
        let reading = Reading::default();
        let (mut one, mut two) = (reading.begun::<Pod>(), reading.begun::<Pod>());
        let (mut first, mut second) = (Box::pin(reading.done()), Box::pin(reading.done()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        one(&Ok(watcher::Event::InitDone));
        // A watch that broke and began anew counts once.
        one(&Ok(watcher::Event::InitDone));
        assert!(first.as_mut().now_or_never().is_none());
        two(&Ok(watcher::Event::Init));
        assert!(first.as_mut().now_or_never().is_none());
        two(&Ok(watcher::Event::InitDone));
        futures_util::future::join(first, second).await;
    }
}
