//! The guests, run on bare wasmtime: what a fixture claims is what it does.
#![cfg(test)]

mod bombs;
mod fixtures;
mod inspection;
mod limits;
mod runner;
