//! The smallest host that follows the guest ABI: flux1 and rack, the imports that need no grant, fuel in place of clocks.

use std::{collections::BTreeMap, sync::OnceLock, thread, time::Duration};

use guest_fixtures::Failure;
use wasmtime::{
    AsContextMut, Caller, Config, Engine, Extern, Instance, Linker, Memory, Module, Store, StoreLimits,
    StoreLimitsBuilder, Trap, TypedFunc, WasmFeatures,
};

/// Instructions, roughly, that one message may take.
const FUEL: u64 = 200_000_000;

/// Time for a message whose instructions are few and long. Far beyond what any other takes.
const TICKS: u64 = 50;
const TICK: Duration = Duration::from_millis(100);

/// Bytes of memory that a guest may have.
pub(crate) const MEMORY: usize = 64 << 20;

/// What a guest made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Output(Vec<u8>),
    Reject { code: u8, reason: String },
    Drop,
    Failed(Failure),
}

struct State {
    config: BTreeMap<String, String>,
    logs: Vec<(i32, String)>,
    limits: StoreLimits,
}

enum Entry {
    Flux1(TypedFunc<(u32, u32), u32>),
    Rack(TypedFunc<(u32, u32), u64>),
}

enum Free {
    Two(TypedFunc<(u32, u32), ()>),
    One(TypedFunc<u32, ()>),
}

/// A live instance.
pub(crate) struct Guest {
    store: Store<State>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: Free,
    entry: Entry,
}

/// An engine that knows what gears may use, and nothing else.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let engine = new_engine();
        let weak = engine.weak();
        thread::spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        });
        engine
    })
}

fn new_engine() -> Engine {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::WASM3, false).wasm_features(WasmFeatures::WASM2, true);
    config.wasm_features(WasmFeatures::GC_TYPES, false);
    config.wasm_features(
        WasmFeatures::CUSTOM_PAGE_SIZES | WasmFeatures::WIDE_ARITHMETIC | WasmFeatures::STACK_SWITCHING,
        false,
    );
    config.consume_fuel(true).epoch_interruption(true);
    Engine::new(&config).unwrap()
}

impl Guest {
    /// Instantiates `wasm` with the configuration `pairs`; `entrypoint` goes before the usual names.
    pub(crate) fn new(wasm: &[u8], pairs: &[(&str, &str)], entrypoint: Option<&str>) -> Result<Self, Failure> {
        let mut store = store(pairs);
        start(&mut store, wasm).map(|instance| Self::bind(store, &instance, entrypoint))
    }

    /// How a guest fails that can't start, and what it says.
    pub(crate) fn refused(wasm: &[u8], pairs: &[(&str, &str)]) -> (Failure, Vec<(i32, String)>) {
        let mut store = store(pairs);
        let failure = start(&mut store, wasm).expect_err("the guest starts");
        (failure, store.data().logs.clone())
    }

    fn bind(mut store: Store<State>, instance: &Instance, entrypoint: Option<&str>) -> Self {
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let first = |store: &mut Store<State>, names: &[&str]| {
            names
                .iter()
                .find_map(|name| instance.get_func(&mut *store, name))
                .unwrap_or_else(|| panic!("none of {names:?} is exported"))
        };
        let alloc = first(&mut store, &["flux_alloc", "alloc", "malloc"]).typed(&store).unwrap();
        let free = first(&mut store, &["flux_free", "free"]);
        let free = free.typed(&store).map(Free::Two).or_else(|_| free.typed(&store).map(Free::One)).unwrap();
        let entry = first(&mut store, &[entrypoint.unwrap_or("flux_process"), "flux_process", "process"]);
        let entry = entry.typed(&store).map(Entry::Flux1).or_else(|_| entry.typed(&store).map(Entry::Rack)).unwrap();
        Self { store, memory, alloc, free, entry }
    }

    /// What the guest has logged so far: level and text.
    pub(crate) fn logs(&self) -> &[(i32, String)] {
        &self.store.data().logs
    }

    /// Bytes of memory that the guest has.
    pub(crate) fn memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Gives `input` to the guest, takes what it makes of it, and gives the buffers back.
    pub(crate) fn call(&mut self, input: &[u8]) -> Outcome {
        rearm(&mut self.store);
        self.try_call(input).unwrap_or_else(Outcome::Failed)
    }

    fn try_call(&mut self, input: &[u8]) -> Result<Outcome, Failure> {
        let len = u32::try_from(input.len()).unwrap();
        let at = self.alloc.call(&mut self.store, len).map_err(|error| failure(&error))?;
        if at == 0 || self.memory.write(&mut self.store, at as usize, input).is_err() {
            return Err(Failure::Abi);
        }
        let (outcome, owned) = match &self.entry {
            Entry::Flux1(process) => {
                let record = process.call(&mut self.store, (at, len)).map_err(|error| self.judge(&error))?;
                self.flux1(record)?
            }
            Entry::Rack(process) => {
                let word = process.call(&mut self.store, (at, len)).map_err(|error| self.judge(&error))?;
                let (ptr, len) = (u32::try_from(word >> 32).unwrap(), u32::try_from(word & 0xffff_ffff).unwrap());
                if len == 0 {
                    return Ok(Outcome::Drop);
                }
                (Outcome::Output(self.read(ptr, len)?), (ptr, len))
            }
        };
        // A trap in here discards the instance, not the result.
        let (ptr, out_len) = owned;
        if out_len > 0 && ptr != at {
            self.free(ptr, out_len);
        }
        self.free(at, len);
        Ok(outcome)
    }

    fn flux1(&self, record: u32) -> Result<(Outcome, (u32, u32)), Failure> {
        let record = self.read(record, 12)?;
        let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
        let (code, ptr, len) = (word(0), word(4), word(8));
        let outcome = match code {
            0 if len == 0 => return Err(Failure::Abi),
            0 => Outcome::Output(self.read(ptr, len)?),
            2 => Outcome::Drop,
            1 | 3..=255 => {
                let bytes = if len == 0 { Vec::new() } else { self.read(ptr, len)? };
                Outcome::Reject {
                    code: u8::try_from(code).unwrap(),
                    reason: String::from_utf8(bytes).map_err(|_| Failure::Abi)?,
                }
            }
            _ => return Err(Failure::Abi),
        };
        Ok((outcome, (ptr, len)))
    }

    fn read(&self, ptr: u32, len: u32) -> Result<Vec<u8>, Failure> {
        let end = ptr.checked_add(len).ok_or(Failure::Abi)?;
        self.memory.data(&self.store).get(ptr as usize..end as usize).map(<[u8]>::to_vec).ok_or(Failure::Abi)
    }

    fn free(&mut self, ptr: u32, len: u32) {
        let _instance_is_lost = match &self.free {
            Free::Two(free) => free.call(&mut self.store, (ptr, len)),
            Free::One(free) => free.call(&mut self.store, ptr),
        };
    }

    /// A trap of a guest that has all the memory it may have is taken for one about memory: enough for these fixtures.
    fn judge(&self, error: &wasmtime::Error) -> Failure {
        match failure(error) {
            Failure::Trap if self.memory() + (16 << 16) > MEMORY => Failure::Memory,
            other => other,
        }
    }
}

fn rearm(store: &mut Store<State>) {
    store.set_fuel(FUEL).unwrap();
    store.set_epoch_deadline(TICKS);
}

fn failure(error: &wasmtime::Error) -> Failure {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel | Trap::Interrupt) => Failure::GuestTime,
        _ => Failure::Trap,
    }
}

fn store(pairs: &[(&str, &str)]) -> Store<State> {
    let config = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
    let mut store = Store::new(engine(), State { config, logs: Vec::new(), limits });
    store.limiter(|state| &mut state.limits);
    store
}

fn start(store: &mut Store<State>, wasm: &[u8]) -> Result<Instance, Failure> {
    let module = Module::new(engine(), wasm).unwrap();
    // Compiling takes longer than a message may, on a busy machine.
    rearm(store);
    let instance = linker(engine()).instantiate(&mut *store, &module).map_err(|_| Failure::Start)?;
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call(&mut *store, ()).map_err(|_| Failure::Start)?;
    }
    Ok(instance)
}

/// The imports that need no grant. A guest that imports another one does not link.
fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "log", |mut caller: Caller<'_, State>, level: i32, ptr: u32, len: u32| {
            log(&mut caller, level, ptr, len);
        })
        .unwrap();
    linker
        .func_wrap("env", "flux_log_info", |mut caller: Caller<'_, State>, ptr: u32, len: u32| {
            log(&mut caller, 2, ptr, len);
        })
        .unwrap();
    linker.func_wrap("env", "console.log", |_: u32| {}).unwrap();
    linker.func_wrap("env", "trace", |_: u32, _: i32, _: f64, _: f64, _: f64, _: f64, _: f64| {}).unwrap();
    linker
        .func_wrap("env", "abort", |_: u32, _: u32, _: u32, _: u32| -> wasmtime::Result<()> {
            Err(Trap::UnreachableCodeReached.into())
        })
        .unwrap();
    linker
        .func_wrap(
            "env",
            "flux_config_get",
            |mut caller: Caller<'_, State>, kptr: u32, klen: u32, bptr: u32, blen: u32| {
                config_get(&mut caller, (kptr, klen), (bptr, blen))
            },
        )
        .unwrap();
    linker
}

fn slice(caller: &mut Caller<'_, State>, ptr: u32, len: u32) -> Option<Vec<u8>> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return None };
    memory.data(caller.as_context_mut()).get(ptr as usize..ptr.checked_add(len)? as usize).map(<[u8]>::to_vec)
}

fn log(caller: &mut Caller<'_, State>, level: i32, ptr: u32, len: u32) {
    if let Some(bytes) = slice(caller, ptr, len) {
        caller.data_mut().logs.push((level, String::from_utf8_lossy(&bytes).into_owned()));
    }
}

fn config_get(caller: &mut Caller<'_, State>, key: (u32, u32), buffer: (u32, u32)) -> i32 {
    let (Some(key), Some(_)) = (slice(caller, key.0, key.1), slice(caller, buffer.0, buffer.1)) else { return -7 };
    let Some(value) = std::str::from_utf8(&key).ok().and_then(|key| caller.data().config.get(key)).cloned() else {
        return -1;
    };
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return -7 };
    let copied = value.len().min(buffer.1 as usize);
    memory.write(caller, buffer.0 as usize, &value.as_bytes()[..copied]).unwrap();
    i32::try_from(value.len()).unwrap()
}
