//! From the reference in a resource to what its bytes are.

use gear_module::{Reference, ReferenceError};
use gear_supply::SupplyError;
use wasmgear_crds::WasmGear;

use crate::{
    modules::{Judgement, Modules},
    record::{Pin, Record},
};

/// A reference, what it stands for, and what the bytes are.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    /// What the reference stands for.
    pub pin: Pin,
    /// What the bytes are.
    pub judgement: Judgement,
}

/// Why nobody knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModuleFault {
    /// No reference at all.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The registries could not say.
    #[error("{}", .fault.chain())]
    Supply {
        /// What was found out before that.
        pin: Option<Pin>,
        /// What the registries said.
        fault: SupplyError,
    },
}

/// Resolves the reference, unless the record has it pinned, and looks at the bytes.
pub(super) async fn examine(
    gear: &WasmGear,
    record: Option<&Record>,
    modules: &Modules,
) -> Result<Examined, ModuleFault> {
    let reference: Reference = gear.spec.module.parse()?;
    let known = record.map(|record| &record.pin).filter(|pin| pin.module == gear.spec.module);
    let pin = if let Some(pin) = known {
        pin.clone()
    } else {
        let resolved = modules.resolve(&reference).await.map_err(|fault| ModuleFault::Supply { pin: None, fault })?;
        Pin {
            module: gear.spec.module.clone(),
            digest: resolved.digest,
            size: resolved.size,
            registry: resolved.registry,
            generation: gear.metadata.generation.unwrap_or_default(),
        }
    };
    match modules.judge(&pin.digest, pin.size).await {
        Ok(judgement) => Ok(Examined { pin, judgement }),
        Err(fault) => Err(ModuleFault::Supply { pin: Some(pin), fault }),
    }
}
