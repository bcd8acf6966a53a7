//! The guests, run on bare wasmtime: what a fixture claims is what it does.
#![cfg(test)]

mod bombs;
mod filter;
mod fixtures;
mod inspection;
mod limits;
mod masker;
mod modules;
mod payments;
mod runner;
mod sdk;
mod templates;
