//! What the author of a gear links.
//!
//! A gear takes one fluxMsg record and says what becomes of it. In Rust it is a function and one line:
//!
//! ```
//! use gear_guest::{Message, Verdict, gear, log};
//!
//! fn review(message: Message) -> Verdict {
//!     if message.data.is_empty() {
//!         log::info("nothing in it");
//!         return Verdict::Drop;
//!     }
//!     Verdict::Emit(message)
//! }
//!
//! gear!(review);
//! ```
//!
//! [`gear!`] exports what the host calls (`flux_alloc`, `flux_free`, `flux_process`; the contract is in
//! `docs/reference/abi.md`). The function may also take the bytes of the record (`&[u8]`, or `&mut [u8]` to change them in place and
//! answer [`Verdict::Pass`]): nothing is faster.
//!
//! Build for `wasm32-unknown-unknown`, as a `cdylib`. On any other target the same code runs in ordinary unit tests, with
//! [`testing`] in place of the host.
//!
//! Features: `std` (default). Without it the crate brings a panic handler, and gears are smaller and start sooner.
//!
//! What it is not: a way out of the sandbox. There is the configuration ([`config`]), the log ([`log`]), and nothing else.
//! How it fails: a panic becomes one log line at level error, then a trap; the host dead-letters the message. Running out of
//! memory is a trap too.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(not(any(feature = "std", target_arch = "wasm32")))]
compile_error!("outside of the sandbox gear-guest needs its feature std: tests play the part of the host");

mod answer;
#[cfg(any(target_arch = "wasm32", test))]
mod class;
mod entry;
mod instance;
pub mod log;
mod panic;
mod raw;
mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod verdict;

pub use entry::Entry;
pub use gear_abi::{self as abi, Hop, Id, Map, Message, Uuid, Value};
pub use instance::PerInstance;
pub use panic::fail;
pub use settings::config;
pub use verdict::{Reason, Record, Text, Verdict};

/// What [`gear!`] expands to. No part of the API.
#[doc(hidden)]
pub mod expansion {
    pub use crate::entry::accept;
    #[cfg(target_arch = "wasm32")]
    pub use crate::entry::{initialize, process};
}

/// Makes a function the entrypoint of the module.
///
/// The function takes a [`Message`](gear_abi::Message), `&[u8]` or `&mut [u8]`, and returns a [`Verdict`].
///
/// With `start`, a function without parameters runs once for each instance before its first message: the place to read the
/// configuration. When it fails ([`fail`], or a panic) the module does not load, so that a wrong configuration stops the new
/// revision and not the stream:
///
/// ```
/// use gear_guest::{PerInstance, Verdict, config, fail, gear};
///
/// static LIMIT: PerInstance<u64> = PerInstance::new(|| {
///     let text = config("limit").unwrap_or_default();
///     text.parse().unwrap_or_else(|_| fail(&format!("config.limit is \"{text}\", a whole number is expected")))
/// });
///
/// fn start() {
///     LIMIT.get();
/// }
///
/// fn check(record: &[u8]) -> Verdict<Vec<u8>> {
///     if record.len() as u64 > *LIMIT.get() { Verdict::reject("too long") } else { Verdict::Pass }
/// }
///
/// gear!(check, start = start);
/// ```
#[macro_export]
macro_rules! gear {
    ($process:path) => {
        $crate::gear!(@process $process);
    };
    ($process:path, start = $start:path) => {
        $crate::gear!(@process $process);
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "_initialize")]
            extern "C" fn initialize() {
                $crate::expansion::initialize($start);
            }
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn() = $start;
        };
    };
    (@process $process:path) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "flux_process")]
            extern "C" fn process(address: usize, len: usize) -> usize {
                $crate::expansion::process(address, len, $process)
            }
            // The same demands on the function where nothing is exported.
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn() = || $crate::expansion::accept($process);
        };
    };
}
