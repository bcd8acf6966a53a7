//! From what wasmtime says to a [`CallError`].

use std::fmt::Write as _;

use wasmtime::{Trap, WasmBacktrace};

use super::{CallError, Failure};
use crate::{limits::Refused, log};

/// Frames of a backtrace that a detail keeps, and characters of each name.
const FRAMES: usize = 8;
const NAME: usize = 80;
/// Longest detail.
const DETAIL: usize = 1_500;

/// Our own reasons to end a call, raised as errors inside wasm and found again by downcast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// Over `limits.guestTime`.
    #[error("the guest used {used_ms} ms of CPU time, {budget_ms} ms are allowed")]
    GuestTime {
        /// Milliseconds used.
        used_ms: u64,
        /// Milliseconds allowed.
        budget_ms: u64,
    },
    /// Over `limits.messageTime`.
    #[error("the call took longer than the {limit_ms} ms of limits.messageTime")]
    MessageTime {
        /// Milliseconds allowed.
        limit_ms: u64,
    },
    /// `env.abort`.
    #[error("abort: {0}")]
    Abort(String),
}

/// What ended a call, before it is known what had happened before.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Raised inside wasm, or by wasmtime.
    Wasm(wasmtime::Error),
    /// Raised outside of wasm.
    Stop(Stop),
    /// The guest broke the calling convention.
    Abi(String),
    /// The allocator had nothing to give.
    NoMemory(String),
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Wasm(error)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Fault {
    /// The error of a call in which `refused` had been the last growth that was not given.
    pub(crate) fn into_call_error(self, refused: Option<Refused>) -> CallError {
        let (failure, mut detail) = match self {
            Self::Wasm(error) => wasm(&error, refused.is_some()),
            Self::Stop(stop) => (stop_failure(&stop, refused.is_some()), stop.to_string()),
            Self::NoMemory(sentence) if refused.is_some() => (Failure::Memory, sentence),
            Self::Abi(sentence) | Self::NoMemory(sentence) => (Failure::Abi, sentence),
        };
        if let (Failure::Memory, Some(refused)) = (failure, refused) {
            detail = format!("{refused}; then: {detail}");
        }
        CallError { failure, detail: log::cut(detail, DETAIL) }
    }

    /// The error of an instance that did not come to life.
    pub(crate) fn into_start_error(self, refused: Option<Refused>) -> CallError {
        let CallError { failure, detail } = self.into_call_error(refused);
        CallError { failure: Failure::Start, detail: format!("{failure} before the first message: {detail}") }
    }
}

fn stop_failure(stop: &Stop, refused: bool) -> Failure {
    match stop {
        Stop::GuestTime { .. } => Failure::GuestTime,
        Stop::MessageTime { .. } => Failure::MessageTime,
        Stop::Abort(_) if refused => Failure::Memory,
        Stop::Abort(_) => Failure::Trap,
    }
}

fn wasm(error: &wasmtime::Error, refused: bool) -> (Failure, String) {
    let (failure, what) = if let Some(stop) = error.downcast_ref::<Stop>() {
        (stop_failure(stop, refused), stop.to_string())
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        (if refused { Failure::Memory } else { Failure::Trap }, trap.to_string())
    } else {
        (if refused { Failure::Memory } else { Failure::Trap }, format!("{:#}", error.root_cause()))
    };
    (failure, what + &frames(error))
}

/// ` at inner <- caller <- its caller`, with the names of the name section.
fn frames(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let mut text = String::new();
    for (n, frame) in backtrace.frames().iter().take(FRAMES).enumerate() {
        text.push_str(if n == 0 { " at " } else { " <- " });
        match frame.func_name() {
            Some(name) => text.push_str(&log::cut(log::one_line(name).into_owned(), NAME)),
            // Writing to a String does not fail.
            None => write!(text, "function {}", frame.func_index()).unwrap_or_default(),
        }
        if let Some(offset) = frame.func_offset() {
            write!(text, "+{offset:#x}").ok();
        }
    }
    if backtrace.frames().len() > FRAMES {
        text.push_str(" <- …");
    }
    text
}
