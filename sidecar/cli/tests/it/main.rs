//! The program as people type it.
#![cfg(test)]

mod page;
mod project;
mod registry;
mod run;
mod world;
