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

/// Digits that belong together.
struct Chain {
    /// Behind the last digit.
    end: usize,
    digits: usize,
}

/// Masks every card number in `text`. A group of more than `longest` digits without a gap is none.
pub(crate) fn mask(text: &mut [u8], keep: Keep, longest: usize) {
    let mut at = 0;
    // The shortest chain that starts here or in the next bytes covers this one.
    while let Some(last) = text.get(at + SHORTEST - 1) {
        if !last.is_ascii_digit() && !is_gap(*last) {
            at += SHORTEST;
            continue;
        }
        if !is_digit(text, at) {
            at += 1;
            continue;
        }
        let chain = chain(text, at, longest);
        if chain.digits >= SHORTEST {
            overwrite(text.get_mut(at..chain.end).unwrap_or_default(), chain.digits, keep);
        }
        at = chain.end;
    }
}

/// The chain of digits that starts at `start`. Several numbers with a small gap between them make one chain, which is masked
/// as a whole: nobody can say where a card number in it starts.
fn chain(text: &[u8], start: usize, longest: usize) -> Chain {
    let mut chain = Chain { end: start, digits: 0 };
    let mut at = start;
    loop {
        let group = group(text, at);
        if group > longest {
            // It stands alone: nothing is added to what comes before it, or it is passed by.
            return if chain.digits == 0 { Chain { end: at + group, digits: 0 } } else { chain };
        }
        chain = Chain { end: at + group, digits: chain.digits + group };
        let gap = gap(text, chain.end);
        if gap == 0 {
            return chain;
        }
        at = chain.end + gap;
    }
}

/// Digits from `at` on.
fn group(text: &[u8], at: usize) -> usize {
    text.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count()
}

/// Spaces and hyphens from `at` on, if a digit follows them and they are few; else 0.
fn gap(text: &[u8], at: usize) -> usize {
    let gap = text.iter().skip(at).take(WIDEST_GAP).take_while(|byte| is_gap(**byte)).count();
    if is_digit(text, at + gap) { gap } else { 0 }
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-')
}

fn is_digit(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

/// Puts stars for the digits of `chain` but the first and last ones.
pub(crate) fn overwrite(chain: &mut [u8], digits: usize, keep: Keep) {
    let hidden = keep.first..digits.saturating_sub(keep.last);
    for (number, byte) in chain.iter_mut().filter(|byte| byte.is_ascii_digit()).enumerate() {
        if hidden.contains(&number) {
            *byte = STAR;
        }
    }
}
