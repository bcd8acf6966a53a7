//! What a store holds beside wasm: everything that a host function may see of its call.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::{Caller, Extern, Memory};

use crate::{
    clock::Clock,
    limits::Meter,
    log::{Budget, Level, Sink},
};

/// What is the same for all calls of a revision.
pub(crate) struct Shared {
    pub(crate) revision: Arc<str>,
    pub(crate) config: Arc<BTreeMap<String, String>>,
    pub(crate) sink: Arc<dyn Sink>,
}

/// What belongs to one instance, and to the call that it is in.
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) meter: Meter,
    pub(crate) log: Budget,
    /// Set as soon as the instance is there; its start function runs before that.
    pub(crate) memory: Option<Memory>,
}

impl Context {
    /// The guest's memory and the context, from inside a host function.
    pub(crate) fn split<'a>(caller: &'a mut Caller<'_, Self>) -> Option<(&'a mut [u8], &'a mut Self)> {
        let memory = caller.data().memory.or_else(|| caller.get_export("memory").and_then(Extern::into_memory))?;
        Some(memory.data_and_store_mut(caller))
    }

    /// Writes one line of the guest's log.
    pub(crate) fn log(&mut self, level: Level, text: &[u8]) {
        self.log.write(&*self.shared.sink, &self.shared.revision, level, text);
    }
}
