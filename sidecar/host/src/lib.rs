//! The sandbox: compiles modules, makes instances, calls guests, and stops them.
//!
//! What it is: wasmtime behind our own types. [`compile::Compiler`] turns bytes into an [`Artifact`] in a limited child
//! process, [`Module`] maps it, [`Guest`] is one revision ready to be called, [`Threads`] are where guests run.
//! What it is not: it knows no stream and no message format. Input is bytes to be written into guest memory, an
//! [`Answer`] is a view on guest memory that the caller copies out of.
//! How it fails: a call ends with a [`CallError`] whose [`Failure`] decides what becomes of the message; loading ends with
//! a [`LoadError`], compiling with a [`CompileError`]. Types of wasmtime leave this crate as error sources only.
//!
//! Rules that hold everywhere in it:
//!
//! * A guest is called on [`Threads`] and nowhere else; nothing on an async runtime ever waits for one.
//! * A permit is taken before an instance is made and lives as long as it, so that the pool can never be the one to fail.
//! * Numbers that a guest chose are checked in `u32` before they touch anything ([`memory`] is the only door).
//! * No host function calls into the guest.
#![deny(missing_docs, clippy::as_conversions)]

pub mod compile;
pub mod log;

mod artifact;
mod capability;
mod clock;
mod context;
mod engine;
mod error;
mod guest;
mod instance;
mod limits;
mod memory;
mod module;
mod template;
mod threads;
mod ticker;

pub use artifact::Artifact;
pub use engine::{Engine, EngineOptions};
pub use error::{CallError, EngineError, Failure, LoadError};
pub use guest::{Answer, Call, Cost, Guest, Input, Policy};
pub use module::Module;
pub use threads::{Job, JobError, Threads};
