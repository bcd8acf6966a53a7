//! Registries as users have them: a real nats-server, real folders, a real HTTP server that misbehaves.
#![cfg(test)]

mod folder;
mod hostile;
mod nats;
mod operator;
mod order;
mod world;
