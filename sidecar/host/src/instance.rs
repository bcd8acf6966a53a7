//! One instance, and one call of it.
//!
//! Order of a call: `alloc(len)`, the input is written, the entrypoint, the answer is checked and handed to the caller while
//! it lies in guest memory. The buffers are freed afterwards by [`Instance::free`], and only in an instance that lives on.

use std::sync::Arc;

use gear_abi::guest::{Code, Flux1Result, rack};
use gear_module::{Abi, FreeTakes};
use wasmtime::{AsContextMut, Func, Memory, ModuleExport, Store, TypedFunc, WasmParams, WasmResults};

use crate::{
    CallError,
    clock::Clock,
    context::Context,
    engine::Slot,
    error::Fault,
    guest::{Answer, Input},
    limits::{Meter, Refused},
    log::Budget,
    memory::GuestSlice,
    template::Template,
};

/// A live instance.
pub(crate) struct Instance {
    // Dropped in this order: the room is free when the store is gone.
    store: Store<Context>,
    slot: Slot,
    memory: Memory,
    allocator: TypedFunc<u32, u32>,
    free: FreeFunc,
    entrypoint: EntryFunc,
    /// Messages that it was given.
    pub(crate) served: u32,
}

enum FreeFunc {
    Pointer(TypedFunc<u32, ()>),
    PointerAndLength(TypedFunc<(u32, u32), ()>),
}

enum EntryFunc {
    Flux1(TypedFunc<(u32, u32), u32>),
    Rack(TypedFunc<(u32, u32), u64>),
}

/// What is to be freed after a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffers {
    input: Option<GuestSlice>,
    output: Option<GuestSlice>,
}

/// What the guest said, where it lies.
enum Said {
    Output(GuestSlice),
    Reject(u8, GuestSlice),
    Drop,
}

impl Instance {
    /// Makes an instance and runs what runs before any message. `clock` is that of the call that needs it.
    pub(crate) async fn start(template: &Template, clock: &Arc<Clock>, slot: Slot) -> Result<Self, CallError> {
        let context = Context {
            shared: Arc::clone(&template.shared),
            clock: Arc::clone(clock),
            meter: Meter::new(template.memory_limit),
            log: Budget::new(template.log_size),
            memory: None,
        };
        let mut store = Store::new(template.pre.module().engine(), context);
        store.limiter(|context| &mut context.meter);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().clock.tick()?));
        match Exports::start(template, &mut store).await {
            Ok(Exports { memory, allocator, free, entrypoint }) => {
                Ok(Self { store, slot, memory, allocator, free, entrypoint, served: 0 })
            }
            Err(error) => {
                let refused = store.data_mut().meter.take_refused();
                Err(Fault::Wasm(error).into_start_error(refused))
            }
        }
    }

    /// Readies the instance for another message: its clock, its log budget.
    pub(crate) fn begin(&mut self, template: &Template, clock: &Arc<Clock>) {
        let context = self.store.data_mut();
        context.clock = Arc::clone(clock);
        context.log = Budget::new(template.log_size);
        context.meter.take_refused();
        self.served = self.served.saturating_add(1);
    }

    /// Gives one message to the guest, and its answer to `take`.
    pub(crate) async fn call<I, R>(
        &mut self,
        input: &I,
        take: impl FnOnce(Answer<'_>) -> R,
    ) -> Result<(R, Buffers), Fault>
    where
        I: Input + ?Sized,
    {
        let given = self.write(input).await?;
        let (said, output) = self.process(given).await?;
        let memory = self.memory.data(&self.store);
        let answer = match &said {
            Said::Drop => Answer::Drop,
            Said::Output(slice) => Answer::Output(slice.of(memory).ok_or_else(|| outside("output", *slice, memory))?),
            Said::Reject(code, slice) => Answer::Reject { code: *code, reason: reason(*slice, memory)? },
        };
        let buffers = match (&self.entrypoint, &said) {
            // As fluxrig does it: nothing on a drop.
            (EntryFunc::Rack(_), Said::Drop) => Buffers { input: None, output: None },
            _ => Buffers { input: Some(given), output: output.filter(|output| output.frees_apart_from(given)) },
        };
        Ok((take(answer), buffers))
    }

    /// Gives both buffers back to the guest, the output first.
    pub(crate) async fn free(&mut self, buffers: Buffers) -> Result<(), Fault> {
        for slice in [buffers.output, buffers.input].into_iter().flatten() {
            match &self.free {
                FreeFunc::Pointer(free) => enter(&mut self.store, free, slice.pointer()).await?,
                FreeFunc::PointerAndLength(free) => {
                    enter(&mut self.store, free, (slice.pointer(), slice.length())).await?;
                }
            }
        }
        Ok(())
    }

    /// The last growth of memory that was refused to this message.
    pub(crate) fn take_refused(&mut self) -> Option<Refused> {
        self.store.data_mut().meter.take_refused()
    }

    /// Log lines of this message that pointed outside of memory.
    pub(crate) fn ignored_lines(&self) -> u32 {
        self.store.data().log.ignored()
    }

    /// Size of the memory. It never shrinks, so this is its high-water mark.
    pub(crate) fn memory_size(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Moves from the room of successors to that of serving instances, if there is any.
    pub(crate) fn settle(&mut self, slot: impl FnOnce() -> Option<Slot>) {
        if self.slot.is_spare()
            && let Some(slot) = slot()
        {
            self.slot = slot;
        }
    }

    async fn write<I: Input + ?Sized>(&mut self, input: &I) -> Result<GuestSlice, Fault> {
        let length = input.length();
        let bytes = u32::try_from(length)
            .map_err(|_| Fault::Abi(format!("an input of {length} bytes fits no guest memory")))?;
        let pointer = enter(&mut self.store, &self.allocator, bytes.max(1)).await?;
        if pointer == 0 {
            return Err(Fault::NoMemory(format!("the allocator returned 0 for an input of {length} bytes")));
        }
        let given = GuestSlice::new(pointer, bytes);
        let memory = self.memory.data_mut(&mut self.store);
        let size = memory.len();
        let Some(into) = given.of_mut(memory) else {
            return Err(Fault::Abi(format!(
                "the allocator returned {pointer:#x} for an input of {length} bytes, the memory has {size} bytes"
            )));
        };
        input.write_to(into);
        Ok(given)
    }

    /// Calls the entrypoint and reads the result record: what the guest said, and what it wants back.
    async fn process(&mut self, given: GuestSlice) -> Result<(Said, Option<GuestSlice>), Fault> {
        let arguments = (given.pointer(), given.length());
        match &self.entrypoint {
            EntryFunc::Rack(process) => {
                let packed = enter(&mut self.store, process, arguments).await?;
                let output = rack::unpack(packed).map(|(pointer, length)| GuestSlice::new(pointer, length));
                Ok((output.map_or(Said::Drop, Said::Output), output))
            }
            EntryFunc::Flux1(process) => {
                let at = enter(&mut self.store, process, arguments).await?;
                let result = record(at, self.memory.data(&self.store))?;
                let slice = GuestSlice::new(result.ptr, result.len);
                let said = match Code::from_u32(result.code) {
                    Some(Code::Ok) if result.len == 0 => {
                        return Err(Fault::Abi(
                            "the result is OK with an output of 0 bytes; an empty array emits nothing, \
                             code 2 drops the message"
                                .to_owned(),
                        ));
                    }
                    Some(Code::Ok) => Said::Output(slice),
                    Some(Code::Reject(code)) => Said::Reject(code, slice),
                    Some(Code::Drop) => Said::Drop,
                    None => {
                        return Err(Fault::Abi(format!("the result code is {}, 0 to 255 are expected", result.code)));
                    }
                };
                Ok((said, (result.len > 0).then_some(slice)))
            }
        }
    }
}

// === exports of a fresh instance ===

struct Exports {
    memory: Memory,
    allocator: TypedFunc<u32, u32>,
    free: FreeFunc,
    entrypoint: EntryFunc,
}

impl Exports {
    async fn start(template: &Template, store: &mut Store<Context>) -> wasmtime::Result<Self> {
        // The deadline before instantiation: data segments and the start function already run under it.
        store.set_epoch_deadline(1);
        let instance = template.pre.instantiate_async(&mut *store).await?;
        let mut export = |export: &ModuleExport| instance.get_module_export(&mut *store, export);
        let memory = export(&template.memory).and_then(wasmtime::Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmtime::format_err!("memory is no memory"))?;
        let mut function = |at: &ModuleExport| -> wasmtime::Result<Func> {
            let function = export(at).and_then(wasmtime::Extern::into_func);
            function.ok_or_else(|| wasmtime::format_err!("an export that was a function is none"))
        };
        let allocator = function(&template.allocator)?;
        let (free, takes) = (function(&template.free.0)?, template.free.1);
        let (entrypoint, abi) = (function(&template.entrypoint.0)?, template.entrypoint.1);
        let initialize = template.initialize.as_ref().map(function).transpose()?;
        store.data_mut().memory = Some(memory);
        if let Some(initialize) = initialize {
            let initialize = initialize.typed::<(), ()>(&*store)?;
            enter(store, &initialize, ()).await?;
        }
        Ok(Self {
            memory,
            allocator: allocator.typed(&*store)?,
            free: match takes {
                FreeTakes::Pointer => FreeFunc::Pointer(free.typed(&*store)?),
                FreeTakes::PointerAndLength => FreeFunc::PointerAndLength(free.typed(&*store)?),
            },
            entrypoint: match abi {
                Abi::Flux1 => EntryFunc::Flux1(entrypoint.typed(&*store)?),
                Abi::Rack => EntryFunc::Rack(entrypoint.typed(&*store)?),
            },
        })
    }
}

/// Calls into the guest. The deadline is set anew before each call: an instance that rested would be past it.
async fn enter<P, R>(store: &mut Store<Context>, function: &TypedFunc<P, R>, params: P) -> wasmtime::Result<R>
where
    P: WasmParams + Sync,
    R: WasmResults + Sync,
{
    store.as_context_mut().set_epoch_deadline(1);
    function.call_async(store, params).await
}

fn record(at: u32, memory: &[u8]) -> Result<Flux1Result, Fault> {
    let slice = GuestSlice::new(at, Flux1Result::SIZE);
    let bytes = slice.of(memory).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Flux1Result::from_bytes).ok_or_else(|| outside("result record", slice, memory))
}

fn reason(slice: GuestSlice, memory: &[u8]) -> Result<&str, Fault> {
    // Without text the pointer means nothing.
    if slice.length() == 0 {
        return Ok("");
    }
    let bytes = slice.of(memory).ok_or_else(|| outside("reason", slice, memory))?;
    std::str::from_utf8(bytes).map_err(|_| Fault::Abi("the reason of the rejection is no UTF-8".to_owned()))
}

fn outside(what: &str, slice: GuestSlice, memory: &[u8]) -> Fault {
    let (pointer, length, size) = (slice.pointer(), slice.length(), memory.len());
    Fault::Abi(format!("the {what} is {length} bytes at {pointer:#x}, the memory has {size} bytes"))
}
