//! Mapping compiled code: the one `unsafe` of the host.

use std::path::{Path, PathBuf};

/// A file with compiled code. Only [`crate::compile::Compiler`] makes one: every value names a file that the compiler's own
/// child wrote into the compiler's own directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    path: PathBuf,
}

impl Artifact {
    /// For the compiler alone: the caller says that its own child wrote this file.
    pub(crate) const fn written_by_own_child(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Maps the file as code.
#[allow(
    unsafe_code,
    reason = "compiling in the sidecar itself would let a module abort it (decision 0020), so code has to come from a file"
)]
pub(crate) fn map(engine: &wasmtime::Engine, artifact: &Artifact) -> wasmtime::Result<wasmtime::Module> {
    // SAFETY: `deserialize_file` asks that the file is unchanged output of `precompile_module` and stays so while it is
    // mapped.
    // * It is output of `precompile_module`: an `Artifact` can only be made inside this crate, and `compile` makes one only
    //   for a file that its own child process, running this very program, wrote to the end (exit status 0) into a temporary
    //   name and that was then renamed; or that an earlier run of this program put there under the same rules.
    // * It is unchanged, now and while mapped: the file has mode 0600 in a directory with mode 0700 that belongs to our own
    //   user, which `compile` checks. Nobody writes to it again: a new compilation writes a new file and renames it over,
    //   which leaves the mapped one alone. Whoever can change files of our user could change our own memory as well.
    // * A guest has no files: no capability gives it any.
    // A file of another version or with other switches is told apart by wasmtime itself and is an error, not undefined
    // behaviour.
    unsafe { wasmtime::Module::deserialize_file(engine, &artifact.path) }
}
