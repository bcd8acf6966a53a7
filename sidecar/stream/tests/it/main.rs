//! The loop over the twin and over a real server.
#![cfg(test)]

mod gear;
mod memory;
mod permission;
mod rig;
mod server;
mod trouble;
