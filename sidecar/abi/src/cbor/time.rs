//! The content of tags 0 and 1, as Go's `time` package takes it.

use super::{Head, Reader, Result, kind};
use crate::Why;

impl Reader<'_> {
    /// Content of tag 0, of which the head was read.
    pub(crate) fn time_text(&mut self, head: Head) -> Result<()> {
        let content = self.text(head)?;
        is_rfc3339(&content.bytes()).ok_or_else(|| self.wrong(Why::NotATime))
    }

    /// Content of tag 1, of which the head was read.
    pub(crate) fn time_number(&self, head: Head) -> Result<()> {
        let fits = match (head.major, head.info) {
            (kind::UINT | kind::NINT, _) => i64::try_from(head.value).is_ok(),
            (_, 26) => seconds_fit(f64::from(f32::from_bits(u32::try_from(head.value).unwrap_or(0)))),
            (_, 27) => seconds_fit(f64::from_bits(head.value)),
            // Half floats end at 65504, and what is infinite or no number is taken for the zero time.
            _ => true,
        };
        if fits { Ok(()) } else { Err(self.wrong(Why::NotATime)) }
    }
}

fn seconds_fit(seconds: f64) -> bool {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    !seconds.is_finite() || (-LIMIT..=LIMIT).contains(&seconds)
}

/// What `time.Parse(time.RFC3339, …)` takes: RFC 3339, and besides an hour of one digit, a comma before the fraction,
/// and offsets up to 24:60.
fn is_rfc3339(text: &[u8]) -> Option<()> {
    let (year, text) = digits(text, 4)?;
    let (month, text) = digits(literal(text, b'-')?, 2)?;
    let (day, text) = digits(literal(text, b'-')?, 2)?;
    let text = literal(text, b'T')?;
    let (hour, text) = digits(text, 2).or_else(|| digits(text, 1))?;
    let (minute, text) = digits(literal(text, b':')?, 2)?;
    let (second, text) = digits(literal(text, b':')?, 2)?;
    let text = match text {
        [b'.' | b',', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            let fraction = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.get(fraction..).unwrap_or_default()
        }
        _ => text,
    };
    let zone_fits = match text {
        b"Z" => true,
        [b'+' | b'-', rest @ ..] => {
            let (hours, rest) = digits(rest, 2)?;
            let (minutes, rest) = digits(literal(rest, b':')?, 2)?;
            hours <= 24 && minutes <= 60 && rest.is_empty()
        }
        _ => false,
    };
    let fits = (1..=12).contains(&month)
        && (1..=days(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && zone_fits;
    fits.then_some(())
}

fn literal(text: &[u8], wanted: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == wanted).map(|(_, rest)| rest)
}

fn digits(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(count)?;
    let value = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    number.iter().try_fold(0, |sum, byte| Some(sum * 10 + value(byte)?)).map(|sum| (sum, rest))
}

fn days(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
