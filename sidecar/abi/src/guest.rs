//! The calling conventions between host and guest, as constants and pure functions.
//!
//! * **flux1**: `flux_process(ptr, len) -> i32`, the address of a [`Flux1Result`] in guest memory.
//! * **rack**: `process(ptr, len) -> i64`, a [packed](rack) pointer and length; length 0 drops the message.
//!
//! Pointers and lengths are `i32` in wasm and read as `u32`. Rules of ownership are in `docs/reference/abi.md`.

use core::ops::Range;

/// Exported memory.
pub const MEMORY: &str = "memory";
/// Exported allocators, `(i32 len) -> i32`; the first that a module has is used.
pub const ALLOC: [&str; 3] = ["flux_alloc", "alloc", "malloc"];
/// Exported deallocators, `(i32 ptr, i32 len)` or `(i32 ptr)`; the first that a module has is used.
pub const FREE: [&str; 2] = ["flux_free", "free"];
/// Export that runs once per instance, before any message.
pub const INITIALIZE: &str = "_initialize";
/// Entrypoint of ABI flux1; called when the resource names none and the module has it.
pub const FLUX1_ENTRYPOINT: &str = "flux_process";
/// Entrypoint of ABI rack; called when the resource names none and there is no [`FLUX1_ENTRYPOINT`].
pub const RACK_ENTRYPOINT: &str = "process";

/// The two calling conventions; told apart by the type of the entrypoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Abi {
    /// Result record in memory.
    Flux1,
    /// Packed result, as in fluxrig.
    Rack,
}

impl Abi {
    /// The name, for people and in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flux1 => "flux1",
            Self::Rack => "rack",
        }
    }
}

/// The 12 bytes that a flux1 guest answers with: three `u32`, little endian, at any alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flux1Result {
    /// See [`Code`].
    pub code: u32,
    /// Where the output or the reason is.
    pub ptr: u32,
    /// How long it is.
    pub len: u32,
}

impl Flux1Result {
    /// Size in memory.
    pub const SIZE: u32 = 12;

    /// Reads the record.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 12]) -> Self {
        let mut words = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        let mut word = || words.next().unwrap_or_default();
        Self { code: word(), ptr: word(), len: word() }
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let words = bytes.as_chunks_mut().0.iter_mut();
        words.zip([self.code, self.ptr, self.len]).for_each(|(to, word)| *to = word.to_le_bytes());
        bytes
    }
}

/// What a flux1 guest says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 0: here are the outputs.
    Ok,
    /// 1, or the guest's own number from 3 to 255: not this message, and here is why.
    Reject(u8),
    /// 2: nothing comes of this message.
    Drop,
}

impl Code {
    /// `code` of a result; `None` above 255, which breaks the convention.
    #[must_use]
    pub fn from_u32(code: u32) -> Option<Self> {
        match u8::try_from(code).ok()? {
            0 => Some(Self::Ok),
            2 => Some(Self::Drop),
            number => Some(Self::Reject(number)),
        }
    }

    /// `code` of a result. A rejection with number 0 or 2 would say something else, and says 1.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::Reject(0 | 2) => 1,
            Self::Reject(number) => number as u32,
            Self::Drop => 2,
        }
    }
}

/// The packed result of ABI rack.
pub mod rack {
    /// `ptr` in the upper, `len` in the lower half.
    #[must_use]
    pub const fn pack(ptr: u32, len: u32) -> u64 {
        (ptr as u64) << 32 | len as u64
    }

    /// Pointer and length; `None` means that the message is dropped.
    #[must_use]
    pub fn unpack(result: u64) -> Option<(u32, u32)> {
        let ptr = u32::try_from(result >> 32).ok()?;
        let len = u32::try_from(result & u64::from(u32::MAX)).ok()?;
        (len > 0).then_some((ptr, len))
    }
}

/// Negative results of host functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum HostError {
    /// There is no such key.
    NotFound = -1,
    /// The resource does not grant this.
    Denied = -2,
    /// A key, value, request or answer is too large.
    TooLarge = -3,
    /// No answer in time.
    Timeout = -4,
    /// The other side can't be reached.
    Unavailable = -5,
    /// The budget of this message is spent.
    BudgetExhausted = -6,
    /// An argument is outside of memory, or is not what it should be.
    InvalidArgument = -7,
}

impl HostError {
    const ALL: [Self; 7] = [
        Self::NotFound,
        Self::Denied,
        Self::TooLarge,
        Self::Timeout,
        Self::Unavailable,
        Self::BudgetExhausted,
        Self::InvalidArgument,
    ];

    /// What the guest gets.
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// What a guest got.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.code() == code)
    }
}

/// First argument of `env.log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum LogLevel {
    /// 1.
    Debug = 1,
    /// 2, and everything that is not named here.
    Info = 2,
    /// 3.
    Warn = 3,
    /// 4.
    Error = 4,
}

impl LogLevel {
    /// The level that a guest means.
    #[must_use]
    pub const fn from_i32(level: i32) -> Self {
        match level {
            1 => Self::Debug,
            3 => Self::Warn,
            4 => Self::Error,
            _ => Self::Info,
        }
    }
}

/// The bytes `ptr..ptr + len` of a memory of `memory` bytes; `None` when they are not all inside of it.
#[must_use]
pub fn range(ptr: u32, len: u32, memory: usize) -> Option<Range<usize>> {
    let end = usize::try_from(ptr.checked_add(len)?).ok()?;
    let start = usize::try_from(ptr).ok()?;
    (end <= memory).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_record_is_three_little_endian_words() {
        let result = Flux1Result { code: 1, ptr: 0x0102_0304, len: 0xffff_fffe };
        let bytes = [1, 0, 0, 0, 4, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff];
        assert_eq!(result.to_bytes(), bytes);
        assert_eq!(Flux1Result::from_bytes(&bytes), result);
    }

    #[test]
    fn codes_up_to_255_are_known_and_those_above_are_not() {
        for (code, known) in [
            (0, Some(Code::Ok)),
            (1, Some(Code::Reject(1))),
            (2, Some(Code::Drop)),
            (3, Some(Code::Reject(3))),
            (255, Some(Code::Reject(255))),
            (256, None),
            (u32::MAX, None),
        ] {
            assert_eq!(Code::from_u32(code), known, "{code}");
            assert!(known.is_none_or(|known| known.as_u32() == code), "{code}");
        }
        assert_eq!((Code::Reject(0).as_u32(), Code::Reject(2).as_u32()), (1, 1));
    }

    #[test]
    fn a_packed_result_of_length_zero_is_a_drop() {
        assert_eq!(rack::unpack(rack::pack(7, 9)), Some((7, 9)));
        assert_eq!(rack::unpack(rack::pack(u32::MAX, u32::MAX)), Some((u32::MAX, u32::MAX)));
        assert_eq!(rack::unpack(0), None);
        assert_eq!(rack::unpack(rack::pack(7, 0)), None);
    }

    #[test]
    fn ranges_end_inside_of_memory() {
        for (ptr, len, memory, inside) in [
            (0, 0, 0, true),
            (0, 65536, 65536, true),
            (0, 65537, 65536, false),
            (65536, 0, 65536, true),
            (65537, 0, 65536, false),
            (65535, 1, 65536, true),
            (65535, 2, 65536, false),
            (u32::MAX, 1, usize::MAX, false),
            (u32::MAX, u32::MAX, usize::MAX, false),
            (1, u32::MAX, usize::MAX, false),
            (0, u32::MAX, 65536, false),
        ] {
            assert_eq!(range(ptr, len, memory).is_some(), inside, "{ptr} {len} {memory}");
        }
        assert_eq!(range(3, 4, 10), Some(3..7));
    }

    #[test]
    fn error_codes_and_levels_are_those_of_the_abi() {
        let errors: [i32; 7] = HostError::ALL.map(HostError::code);
        assert_eq!(errors, [-1, -2, -3, -4, -5, -6, -7]);
        assert_eq!(HostError::from_code(-6), Some(HostError::BudgetExhausted));
        assert_eq!(HostError::from_code(-8), None);
        assert_eq!([0, 1, 2, 3, 4, 5].map(LogLevel::from_i32), {
            use LogLevel::{Debug, Error, Info, Warn};
            [Info, Debug, Info, Warn, Error, Info]
        });
    }
}
