//! A module that is mapped and can be instantiated.

use crate::{Artifact, Engine, LoadError, artifact};

/// Compiled code, mapped from an [`Artifact`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Module(wasmtime::Module);

impl Module {
    /// Maps what the compiler's child wrote.
    pub fn load(engine: &Engine, artifact: &Artifact) -> Result<Self, LoadError> {
        let path = artifact.path();
        artifact::map(engine.wasmtime(), artifact)
            .map(Self)
            .map_err(|source| LoadError::Artifact { path: path.display().to_string(), source })
    }

    pub(crate) const fn wasmtime(&self) -> &wasmtime::Module {
        &self.0
    }
}
