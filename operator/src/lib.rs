//! The operator: turns each WasmGear into a Deployment of sidecars, and never lets a module near a pod before it knows
//! what the module asks for.
//!
//! What it is not: a place where messages pass, a copier of Secrets, a writer of anybody's spec.
//! How it fails: what it can't do for a gear is a condition of that gear, with the sentence that helps; what it can't do
//! at all ends the process with one. An API server, NATS, registry or sidecar that is silent never leads to a delete or a
//! scale-down.
//!
//! One pass over a gear is five stages in five modules of `reconcile`: fetch → validate → build → apply → report.
#![deny(missing_docs)]

mod admin;
mod args;
mod backoff;
mod bus;
mod client;
mod context;
mod controller;
mod departure;
mod failure;
mod lease;
mod metrics;
mod modules;
mod observe;
mod operator;
mod reading;
mod reconcile;
mod record;
mod settings;
mod tenant;

pub use args::Args;
pub use operator::{Operator, RunError};
pub use settings::{Pace, Settings, SettingsError};

/// Every metric that the operator has, for the page that lists them.
pub fn described_metrics() -> Result<Vec<gear_telemetry::metrics::Described>, std::fmt::Error> {
    let mut registry = gear_telemetry::metrics::Registry::default();
    let _metrics = metrics::Metrics::register(&mut registry);
    gear_telemetry::metrics::describe(&registry)
}
