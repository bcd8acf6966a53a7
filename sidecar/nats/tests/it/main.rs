//! Against the real server: TLS, credentials, sessions, streams and buckets.
#![cfg(test)]

mod connect;
mod pki;
mod provision;
mod session;

use std::{future::Future, time::Duration};

/// Waits for a condition, with a deadline that says what was waited for.
async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
