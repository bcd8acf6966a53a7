//! The linker is the policy: what is not granted is not linked.
//!
//! Each capability is a file of its own with `link`. `gear_module::imports` is the table of names, types and grants; a test
//! compares the linker with it, for every set of grants.
//!
//! Rules for every host function: an argument range outside of memory is `InvalidArgument` (for logs: ignored and counted),
//! nothing calls into the guest, nothing blocks the thread.

use gear_module::Grants;
use wasmtime::{Engine, Linker, Result};

use crate::context::Context;

mod assembly_script;
mod config;
mod log;

/// A linker with everything that `grants` give, and with what every gear has.
pub(crate) fn linker(engine: &Engine, grants: &Grants) -> Result<Linker<Context>> {
    // No capability that needs a grant is built in this release; the import check refuses modules that want one. A grant
    // that becomes one gets its `link` here.
    let Grants { allow_http: _, allow_kv: _ } = grants;
    let mut linker = Linker::new(engine);
    log::link(&mut linker)?;
    assembly_script::link(&mut linker)?;
    config::link(&mut linker)?;
    Ok(linker)
}

#[cfg(test)]
mod tests;
