//! The only door to guest memory.
//!
//! A guest's pointer and length are `u32`; their sum is checked in `u32`, the range against the memory as it is now.
//! Nothing here allocates: callers get slices of guest memory, and compare lengths with limits before they copy.

use gear_abi::guest::range;

/// Addresses of guest memory that a guest named, sum checked, not yet compared with the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuestSlice {
    ptr: u32,
    len: u32,
}

impl GuestSlice {
    pub(crate) const fn new(ptr: u32, len: u32) -> Self {
        Self { ptr, len }
    }

    pub(crate) const fn pointer(self) -> u32 {
        self.ptr
    }

    pub(crate) const fn length(self) -> u32 {
        self.len
    }

    /// Whether it is a buffer of its own beside `input`: a guest may change the input in place and return it.
    pub(crate) const fn frees_apart_from(self, input: Self) -> bool {
        self.ptr != input.ptr
    }

    /// The bytes, if all of them are inside `memory`.
    pub(crate) fn of(self, memory: &[u8]) -> Option<&[u8]> {
        memory.get(range(self.ptr, self.len, memory.len())?)
    }

    /// The bytes to be written, if all of them are inside `memory`.
    pub(crate) fn of_mut(self, memory: &mut [u8]) -> Option<&mut [u8]> {
        let range = range(self.ptr, self.len, memory.len())?;
        memory.get_mut(range)
    }
}

/// The UTF-16 text at `ptr` as AssemblyScript lays it out: its length in bytes stands in the four bytes before it.
/// At most `limit` code units are read; a null pointer is the empty text.
pub(crate) fn assembly_script_text(memory: &[u8], ptr: u32, limit: usize) -> Option<String> {
    if ptr == 0 {
        return Some(String::new());
    }
    let head = GuestSlice::new(ptr.checked_sub(4)?, 4).of(memory)?;
    let bytes = u32::from_le_bytes(head.try_into().ok()?);
    let text = GuestSlice::new(ptr, bytes).of(memory)?;
    let units = text.chunks_exact(2).take(limit).filter_map(|unit| Some(u16::from_le_bytes(unit.try_into().ok()?)));
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_inside_up_to_its_last_byte_and_outside_one_above() {
        let memory = [7u8; 16];
        for (ptr, len, inside) in [
            (0, 16, true),
            (0, 17, false),
            (15, 1, true),
            (16, 0, true),
            (17, 0, false),
            (16, 1, false),
            (u32::MAX, 0, false),
            (u32::MAX, 1, false),
            (u32::MAX, u32::MAX, false),
            (1, u32::MAX, false),
            (0, u32::MAX, false),
        ] {
            assert_eq!(GuestSlice::new(ptr, len).of(&memory).is_some(), inside, "{ptr} {len}");
            assert_eq!(GuestSlice::new(ptr, len).of_mut(&mut [7u8; 16]).is_some(), inside, "{ptr} {len}");
        }
    }

    #[test]
    fn a_text_of_assembly_script_is_read_with_its_own_length() {
        let mut memory = vec![0u8; 32];
        memory[4..8].copy_from_slice(&6u32.to_le_bytes());
        for (n, unit) in [0x48u16, 0x69, 0xD800].into_iter().enumerate() {
            memory[8 + 2 * n..10 + 2 * n].copy_from_slice(&unit.to_le_bytes());
        }
        assert_eq!(assembly_script_text(&memory, 8, 100).as_deref(), Some("Hi\u{fffd}"));
        assert_eq!(assembly_script_text(&memory, 8, 2).as_deref(), Some("Hi"));
        assert_eq!(assembly_script_text(&memory, 0, 100).as_deref(), Some(""));
        for ptr in [1, 3, 33, 36, u32::MAX] {
            assert_eq!(assembly_script_text(&memory, ptr, 100), None, "{ptr}");
        }
        memory[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(assembly_script_text(&memory, 8, 100), None);
    }
}
