//! One line, no control characters, no card numbers.

use std::borrow::Cow;

/// Digits of a card number, ISO/IEC 7812: 13 at least (19 at most, but a longer run may hold one).
const CARD_DIGITS: usize = 13;
/// Digits that stay readable.
const KEPT: usize = 4;

/// Whether digit runs that look like card numbers are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Masking {
    /// All digits but the last four become `*`.
    #[default]
    On,
    /// They stay. Only by a person's explicit wish.
    Off,
}

/// `text` on one line: control characters and what changes the direction of text are escaped, and with [`Masking::On`]
/// every run of 13 or more digits, also with single spaces or hyphens between them, keeps its last four only.
#[must_use]
pub fn printable(text: &str, masking: Masking) -> Cow<'_, str> {
    match masking {
        Masking::Off => one_line(text),
        Masking::On => match mask(text) {
            Cow::Borrowed(text) => one_line(text),
            Cow::Owned(text) => Cow::Owned(one_line(&text).into_owned()),
        },
    }
}

/// `text` on one line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if hidden(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Control characters, line and paragraph separators, and marks that turn the direction of what follows.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most `limit` bytes of `text`, with a mark where it was cut.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn mask(text: &str) -> Cow<'_, str> {
    let mut masked: Option<Vec<u8>> = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (end, digits) = run(bytes.get(at..).unwrap_or_default());
        if digits >= CARD_DIGITS {
            let copy = masked.get_or_insert_with(|| bytes.to_vec());
            let run = copy.get_mut(at..at + end).unwrap_or_default();
            run.iter_mut().filter(|b| b.is_ascii_digit()).take(digits - KEPT).for_each(|b| *b = b'*');
        }
        at += end.max(1);
    }
    // ASCII digits became ASCII stars: still UTF-8.
    masked.map_or(Cow::Borrowed(text), |bytes| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Length in bytes, and number of digits, of the run of digits at the begin of `bytes`; single spaces and hyphens between
/// two digits belong to it.
fn run(bytes: &[u8]) -> (usize, usize) {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut at, mut digits) = (0, 0);
    while digit(at) {
        digits += 1;
        at += 1;
        if matches!(bytes.get(at), Some(b' ' | b'-')) && digit(at + 1) {
            at += 1;
        }
    }
    (at, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_keep_their_last_four_digits() {
        for (text, wanted) in [
            ("pan=4111111111111111;", "pan=************1111;"),
            ("4111 1111 1111 1111", "**** **** **** 1111"),
            ("3782-822463-10005", "****-******-*0005"),
            ("4222222222222", "*********2222"),
            ("x4111111111111111y5500005555555559z", "x************1111y************5559z"),
            ("6304000000000000000000", "******************0000"),
            ("é4111111111111111é", "é************1111é"),
        ] {
            assert_eq!(printable(text, Masking::On), wanted, "{text}");
            assert_eq!(printable(text, Masking::Off), text);
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "422222222222",
            "amount 1234567890.12",
            "2026-11-23T15:32:10",
            "",
            "1  2  3  4  5  6  7  8  9  0  1  2  3",
            "-- 12 -",
        ] {
            assert_eq!(printable(text, Masking::On), text);
            assert!(matches!(printable(text, Masking::On), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn a_line_stays_one_line_and_colours_nothing() {
        assert_eq!(printable("a\nb\r\t\u{1b}[31m\u{202e}c", Masking::On), "a\\nb\\r\\t\\u{1b}[31m\\u{202e}c");
        assert_eq!(printable("ü 日本", Masking::On), "ü 日本");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("äöü".to_owned(), 3), "ä…");
        assert_eq!(cut("äöü".to_owned(), 6), "äöü");
    }
}
