//! The sidecar as it runs in a pod: a real nats-server, a real registry, the real compiler's child.

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod document;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod page;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod world;
