//! The sidecar as it runs in a pod: a real nats-server, a real registry, the real compiler's child.
#![cfg(test)]

mod bytes;
mod document;
mod hostile;
mod kill;
mod memory;
mod outcomes;
mod page;
mod readiness;
mod world;
