//! The loop over the twin and over a real server.

mod gear;
mod memory;
mod rig;
mod server;
mod trouble;
