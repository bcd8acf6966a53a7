//! Masks card numbers (PANs) in fluxMsg records: the logic, without the gear around it. Plain functions over bytes, so that
//! they run natively in tests and benches as they do in the sandbox.
//!
//! # What is masked
//!
//! In the field `data`, at any depth, in values and in keys:
//!
//! - text and byte strings: every group of 13 to 19 digits, also when spaces or hyphens (up to three between two digits) divide it, also
//!   inside of longer text. Digits become `*`, everything else stays, so the length stays;
//! - numbers (integers, floats, bignums) whose integer part has 13 to 19 digits: they become text, since a number has no
//!   room for a `*`.
//!
//! In the field `raw`, which holds the bytes as they came from the line, every group of 13 or more digits: ISO 8583 writes fields
//! one behind the other, so a PAN may be part of a longer group. In `data` a group of 20 or more is no PAN and stays.
//!
//! Nothing else changes, byte for byte: not the order of keys, not the form in which a number or a length is written, no other
//! field.
//!
//! # No Luhn check
//!
//! Whether the check digit fits is not asked. Some issuers' numbers have none, a mistyped card number is still somebody's card number,
//! and a test that one typing error passes is no lock. The price: other numbers of that length are masked too, such as milliseconds
//! since 1970 (13 digits) and digits inside of identifiers. Write times as RFC 3339 text and put identifiers into `meta`.
//!
//! # What is not seen
//!
//! Digits that are not ASCII, packed decimals (BCD) in byte strings, numbers that were encrypted, hashed or spelled out.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cbor;
mod digits;
mod keep;
mod number;
mod plain;
mod record;

use alloc::vec::Vec;

pub use cbor::Error;
pub use keep::Keep;

/// The record with its card numbers masked.
pub fn process(record: &[u8], keep: Keep) -> Result<Vec<u8>, Error> {
    let mut masked = record.to_vec();
    Ok(process_in_place(&mut masked, keep)?.unwrap_or(masked))
}

/// Masks where the record lies, which costs no copy; returns a new record when the old place does not do, because a
/// number became text. After an error the record may be masked in part.
pub fn process_in_place(record: &mut [u8], keep: Keep) -> Result<Option<Vec<u8>>, Error> {
    let mut texts = Vec::new();
    record::mask(record, keep, &mut texts)?;
    Ok(if texts.is_empty() { None } else { Some(number::replace(record, &texts)) })
}

#[cfg(test)]
mod tests;
