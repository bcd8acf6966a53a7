//! Everything about a revision's instances that can be worked out once.

use std::{sync::Arc, time::Duration};

use gear_module::{Abi, FreeTakes, Inspection};
use wasmtime::{InstancePre, ModuleExport};

use crate::{
    Engine, LoadError, Module, Policy, capability,
    context::{Context, Shared},
};

/// Start function and `_initialize` get this much more than a message does.
const START_EXTRA: Duration = Duration::from_millis(100);

/// What all instances of a revision have in common: linked code, where its exports are, and its limits.
pub(crate) struct Template {
    pub(crate) pre: InstancePre<Context>,
    pub(crate) memory: ModuleExport,
    pub(crate) allocator: ModuleExport,
    pub(crate) free: (ModuleExport, FreeTakes),
    pub(crate) initialize: Option<ModuleExport>,
    pub(crate) entrypoint: (ModuleExport, Abi),
    pub(crate) shared: Arc<Shared>,
    pub(crate) memory_limit: usize,
    pub(crate) log_size: usize,
    pub(crate) guest_time: Duration,
    pub(crate) message_time: Duration,
    /// Whether guest code runs before the first message.
    starts: bool,
}

impl Template {
    /// Links `module` with exactly what the policy grants.
    pub(crate) fn new(
        engine: &Engine,
        module: &Module,
        inspection: &Inspection,
        policy: &Policy,
    ) -> Result<Self, LoadError> {
        gear_module::check(inspection, &policy.grants).map_err(LoadError::Denied)?;
        inspection.fits(policy.limits.memory.get())?;
        let entrypoint = inspection.entrypoint(Some(&policy.entrypoint))?;
        let linker = capability::linker(engine.wasmtime(), &policy.grants).map_err(LoadError::Link)?;
        let pre = linker.instantiate_pre(module.wasmtime()).map_err(LoadError::Link)?;
        let export = |name: &str| {
            let missing =
                || wasmtime::format_err!("{name} is not exported: inspection and artefact are of two modules");
            module.wasmtime().get_export_index(name).ok_or_else(|| LoadError::Link(missing()))
        };
        Ok(Self {
            memory: export("memory")?,
            allocator: export(&inspection.allocator)?,
            free: (export(&inspection.free.name)?, inspection.free.takes),
            initialize: if inspection.initialize { Some(export("_initialize")?) } else { None },
            entrypoint: (export(&entrypoint.name)?, entrypoint.abi),
            shared: Arc::new(Shared {
                revision: Arc::clone(&policy.revision),
                config: Arc::clone(&policy.config),
                sink: Arc::clone(&policy.log),
            }),
            memory_limit: policy.limits.memory.as_usize(),
            log_size: policy.limits.log_size.as_usize(),
            guest_time: policy.limits.guest_time.get(),
            message_time: policy.limits.message_time.get(),
            starts: inspection.initialize || inspection.start,
            pre,
        })
    }

    /// Whether guest code runs before the first message.
    pub(crate) const fn starts(&self) -> bool {
        self.starts
    }

    /// Guest time until an instance is there.
    pub(crate) fn start_time(&self) -> Duration {
        if self.starts { self.guest_time.saturating_add(START_EXTRA) } else { self.guest_time }
    }
}
