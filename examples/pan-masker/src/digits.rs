//! Card numbers in text.

use crate::Keep;

/// Fewest digits of a card number.
pub(crate) const SHORTEST: usize = 13;
/// Most digits of a card number.
pub(crate) const LONGEST: usize = 19;
/// Most bytes between two digits of one card number.
const WIDEST_GAP: usize = 3;

/// What comes in place of a digit.
pub(crate) const STAR: u8 = b'*';

/// What is masked, and how.
pub(crate) struct Rule {
    pub(crate) keep: Keep,
    /// A group of more digits without a gap is no card number.
    pub(crate) longest: usize,
}

/// Masks every card number in `text`.
///
/// Several numbers with a small gap between them make one chain, which is masked as a whole: nobody can say where a card number in it starts.
pub(crate) fn mask(text: &mut [u8], rule: &Rule) {
    let mut at = 0;
    // The shortest chain that starts here or in the next bytes covers this one.
    while let Some(last) = text.get(at + SHORTEST - 1) {
        if !last.is_ascii_digit() && !is_gap(*last) {
            at += SHORTEST;
        } else if is_digit(text, at) {
            let (end, digits) = chain(text, at, rule.longest);
            if digits >= SHORTEST {
                overwrite(text.get_mut(at..end).unwrap_or_default(), digits, rule.keep);
            }
            at = end;
        } else {
            at += 1;
        }
    }
}

/// The chain of digits that starts at `start`: where it ends, and how many digits it has. A group that is too long stands alone: nothing is
/// added to what comes before it, or it is passed by.
fn chain(text: &[u8], start: usize, longest: usize) -> (usize, usize) {
    let (mut end, mut digits) = (start, 0);
    let mut at = start;
    loop {
        let group = group(text, at);
        at += group;
        if group > longest {
            return if digits == 0 { (at, 0) } else { (end, digits) };
        }
        (end, digits) = (at, digits + group);
        while at - end < WIDEST_GAP && text.get(at).is_some_and(|byte| is_gap(*byte)) {
            at += 1;
        }
        if at == end || !is_digit(text, at) {
            return (end, digits);
        }
    }
}

/// Digits from `at` on, eight at a time as long as there are.
#[inline]
fn group(text: &[u8], at: usize) -> usize {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const SIX: u64 = 0x0606_0606_0606_0606;
    let rest = text.get(at..).unwrap_or_default();
    let mut digits = 0;
    while let Some(eight) = rest.get(digits..).and_then(|rest| rest.first_chunk()) {
        let eight = u64::from_le_bytes(*eight);
        // Upper halves of 3, and still so when six is added: 0x30 to 0x39. What is left of a byte that is none is not zero.
        let others = (eight & UPPER ^ ZEROS) | ((eight & !UPPER) + SIX) & UPPER;
        if others != 0 {
            return digits + others.trailing_zeros() as usize / 8;
        }
        digits += 8;
    }
    while is_digit(rest, digits) {
        digits += 1;
    }
    digits
}

#[inline]
fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-')
}

#[inline]
fn is_digit(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

/// Puts stars for the digits of a chain but the first and last ones.
#[inline]
pub(crate) fn overwrite(chain: &mut [u8], digits: usize, keep: Keep) {
    if digits == chain.len() {
        // No gaps: the digits to hide lie together.
        hide(chain.get_mut(keep.first..digits.saturating_sub(keep.last)).unwrap_or_default());
    } else {
        overwrite_between_gaps(chain, digits, keep);
    }
}

#[inline(never)]
fn overwrite_between_gaps(chain: &mut [u8], digits: usize, keep: Keep) {
    let hidden = digits.saturating_sub(keep.first + keep.last);
    let digits = chain.iter_mut().filter(|byte| byte.is_ascii_digit());
    for byte in digits.skip(keep.first).take(hidden) {
        *byte = STAR;
    }
}

/// Puts stars everywhere. In the sandbox to fill memory is a call of the host; what a card number takes is less than two stores.
#[inline]
fn hide(digits: &mut [u8]) {
    if !both_ends::<8>(digits) && !both_ends::<4>(digits) {
        digits.fill(STAR);
    }
}

/// Puts `N` stars at the start and at the end, if that is everywhere; says whether it is.
#[inline]
fn both_ends<const N: usize>(digits: &mut [u8]) -> bool {
    if digits.len() > 2 * N {
        return false;
    }
    let Some(start) = digits.first_chunk_mut() else { return false };
    *start = [STAR; N];
    if let Some(end) = digits.last_chunk_mut() {
        *end = [STAR; N];
    }
    true
}
