//! The operator against a real API server with the chart's own rights, a real NATS server, and stand-ins for what a
//! cluster would add: a Deployment controller with a kubelet, and sidecars that answer `/status`.
#![cfg(test)]

mod at_rest;
mod chart;
mod cluster;
mod departure;
mod docs;
mod leader;
mod lifecycle;
mod modules;
mod program;
mod rights;
mod sharing;
mod world;
