//! From the host's call to the author's function and back.

use gear_abi::Message;

use crate::{
    answer::Answer,
    verdict::{Record, Verdict},
};
#[cfg(target_arch = "wasm32")]
use crate::{panic, raw};

/// A function that can be a gear. `Takes` says what it takes, so that one name fits all three forms; it is found by the
/// compiler and never written.
pub trait Entry<Takes> {
    /// Calls the function with a record.
    #[doc(hidden)]
    fn call(&self, record: &mut [u8]) -> Ended;
}

/// What a gear answered. Opaque: made by [`Entry`], read by the host.
#[doc(hidden)]
#[derive(Debug)]
pub struct Ended(pub(crate) Answer);

/// Marks a gear that takes the decoded record.
#[derive(Debug)]
pub enum Decoded {}

/// Marks a gear that reads the record's bytes.
#[derive(Debug)]
pub enum Shared {}

/// Marks a gear that changes the record's bytes.
#[derive(Debug)]
pub enum InPlace {}

impl<F, T> Entry<(Decoded, T)> for F
where
    F: Fn(Message) -> Verdict<T>,
    T: Record,
{
    fn call(&self, record: &mut [u8]) -> Ended {
        let verdict = match Message::decode(record) {
            Ok(message) => self(message),
            // The host refuses such records before a gear sees them.
            Err(error) => Verdict::Reject(alloc::format!("the record can't be decoded: {error}").into()),
        };
        Ended(verdict.into())
    }
}

impl<F, T> Entry<(Shared, T)> for F
where
    F: Fn(&[u8]) -> Verdict<T>,
    T: Record,
{
    fn call(&self, record: &mut [u8]) -> Ended {
        Ended(self(record).into())
    }
}

impl<F, T> Entry<(InPlace, T)> for F
where
    F: Fn(&mut [u8]) -> Verdict<T>,
    T: Record,
{
    fn call(&self, record: &mut [u8]) -> Ended {
        Ended(self(record).into())
    }
}

#[cfg(target_arch = "wasm32")]
/// The whole of `flux_process`: returns the address of the result record.
pub fn process<Takes>(address: usize, len: usize, gear: impl Entry<Takes>) -> usize {
    panic::report();
    let answer = match raw::input(address, len) {
        Some(record) => gear.call(record).0,
        // No host that follows the contract comes here; nothing is read at an address that was not given out.
        None => Answer::from(Verdict::<Message>::reject(
            "flux_process was called with a buffer that is not from flux_alloc",
        )),
    };
    raw::publish(answer, address, len)
}

#[cfg(target_arch = "wasm32")]
/// The whole of `_initialize`.
pub fn initialize(start: impl FnOnce()) {
    panic::report();
    start();
}

/// Compiles if, and only if, `gear` can be a gear.
pub fn accept<Takes>(gear: impl Entry<Takes>) {
    let _compiles = gear;
}
