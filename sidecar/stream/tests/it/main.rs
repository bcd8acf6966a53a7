//! The loop over the twin and over a real server.

#[cfg(test)]
mod gear;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod permission;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod server;
#[cfg(test)]
mod trouble;
