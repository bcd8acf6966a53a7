//! Card numbers that are numbers. They become text.

use alloc::vec::Vec;

use crate::{Keep, digits};

/// Smallest number of 13 digits.
const LEAST: u64 = 1_000_000_000_000;
/// Smallest number of 20 digits.
const BEYOND: u64 = 10_000_000_000_000_000_000;
/// A sign and 19 digits.
const LONGEST: usize = digits::LONGEST + 1;
/// Head of a text string of fewer than 24 bytes.
const TEXT: u8 = 0x60;

/// Text in place of a number.
pub(crate) struct Replacement {
    start: usize,
    end: usize,
    text: [u8; LONGEST],
    /// The text starts here and goes to the end.
    from: usize,
}

impl Replacement {
    fn text(&self) -> &[u8] {
        self.text.get(self.from..).unwrap_or_default()
    }
}

/// Whether a number is as long as a card number.
#[inline]
pub(crate) fn may_be_card(magnitude: u64) -> bool {
    (LEAST..BEYOND).contains(&magnitude)
}

/// The masked text for the number that lies at `start..end`.
pub(crate) fn mask(magnitude: u64, negative: bool, start: usize, end: usize, keep: Keep) -> Replacement {
    let mut text = [0; LONGEST];
    let (mut rest, mut count) = (magnitude, 0);
    for slot in text.iter_mut().rev() {
        if rest == 0 {
            if negative {
                *slot = b'-';
            }
            break;
        }
        // A digit fits a byte.
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
    }
    digits::overwrite(&mut text, count, keep);
    Replacement { start, end, text, from: LONGEST - count - usize::from(negative) }
}

/// Magnitude and sign of the integer part of a float, as far as it can be a card number.
pub(crate) fn integer_part(value: f64) -> (u64, bool) {
    let magnitude = value.abs();
    // Below 2⁶⁴ every integer part fits. Not-a-number is in no range.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from float cuts off the fraction and saturates: that is what is wanted"
    )]
    let integer = magnitude as u64;
    (integer, value.is_sign_negative())
}

/// The record with the texts in place of the numbers, which come in their order.
pub(crate) fn replace(record: &[u8], texts: &[Replacement]) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len() + texts.len() * (LONGEST + 1));
    let mut done = 0;
    for replacement in texts {
        out.extend_from_slice(record.get(done..replacement.start).unwrap_or_default());
        let text = replacement.text();
        // At most 20 bytes: the length fits the head.
        out.push(TEXT | u8::try_from(text.len()).unwrap_or(0));
        out.extend_from_slice(text);
        done = replacement.end;
    }
    out.extend_from_slice(record.get(done..).unwrap_or_default());
    out
}
