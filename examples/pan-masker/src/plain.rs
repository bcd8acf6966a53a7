//! The loop that goes over what needs no look, which is nearly all of a payment.
//!
//! It looks as it does for the sandbox's sake, and is no slower outside of it (decision 0090):
//!
//! * four parameters at most, since one more goes over the stack, where it is waited for;
//! * short texts first, and four of them in a row: each turn of a loop looks at the clock;
//! * bounds are constants, so that everything that changes has a register.

use crate::{cbor::major, digits};

/// Head of an empty text; that of a short one is this and its length.
const TEXT: usize = (major::TEXT as usize) << 5;
/// Texts in a row.
const ROW: usize = 4;

/// Goes over items of a field where card numbers are masked, up to one that may hold one. See [`over`].
#[inline(never)]
pub(crate) fn over_data(record: &[u8], place: &mut usize, count: &mut usize) -> bool {
    // Up to two bytes of number.
    over::<{ digits::SHORTEST - 1 }, 25>(record, place, count)
}

/// Goes over items of any other field. See [`over`].
#[inline(never)]
pub(crate) fn over_any(record: &[u8], place: &mut usize, count: &mut usize) -> bool {
    over::<23, 27>(record, place, count)
}

/// Goes over `count` items from `place` on, of which maps and arrays add what they hold, and stops at a string of more than `STRING` bytes,
/// at a number with a wider head than `NUMBER` and at what is rare. Says whether it did; the place may then be behind the end.
#[inline]
fn over<const STRING: usize, const NUMBER: usize>(record: &[u8], place: &mut usize, count: &mut usize) -> bool {
    let (mut at, mut left) = (*place, *count);
    'items: while left > 0 {
        for _ in 0..ROW {
            let Some(byte) = record.get(at) else { break 'items };
            let first = usize::from(*byte);
            let len = first.wrapping_sub(TEXT);
            if len <= STRING {
                (at, left) = (at + 1 + len, left - 1);
                if left == 0 {
                    break 'items;
                }
                continue;
            }
            let (major, info) = (byte >> 5, first & 31);
            if major == major::MAP && info < 24 {
                left += 2 * info;
            } else if major == major::ARRAY && info < 24 {
                left += info;
            } else if major == major::BYTES && info <= STRING {
                at += info;
            } else if !matches!(major, major::UNSIGNED | major::NEGATIVE | major::SIMPLE) || info > NUMBER {
                break 'items;
            } else if info >= 24 {
                at += 1 << (info - 24);
            }
            at += 1;
            left -= 1;
            continue 'items;
        }
    }
    (*place, *count) = (at, left);
    left > 0
}
