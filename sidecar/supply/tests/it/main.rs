//! Registries as users have them: a real nats-server, real folders, a real HTTP server that misbehaves.

#[cfg(test)]
mod folder;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod nats;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod order;
#[cfg(test)]
mod world;
