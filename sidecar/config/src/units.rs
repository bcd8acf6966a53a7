//! Durations and sizes as people write them in Kubernetes.
//!
//! * [`Span`]: GEP-2257, `([0-9]{1,5}(h|m|s|ms)){1,4}`, for example `1m30s`.
//! * [`ByteSize`]: a Kubernetes quantity without fractions and exponents, for example `64Mi`.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A text that is no duration or no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a GEP-2257 duration.
    #[error("{0:?} is not a duration; write whole numbers with h, m, s or ms, as in 1m30s or 100ms")]
    Duration(String),
    /// Not a size.
    #[error("{0:?} is not a size; write a whole number of bytes, or with Ki, Mi, Gi, k, M or G, as in 64Mi")]
    Size(String),
}

/// A span of time, whole milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

impl Span {
    /// A span of `n` milliseconds.
    #[must_use]
    pub const fn from_millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }

    /// A span of `n` seconds.
    #[must_use]
    pub const fn from_secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// The span as the standard library has it.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_span(text).ok_or_else(|| UnitError::Duration(text.to_owned()))
    }
}

fn parse_span(text: &str) -> Option<Span> {
    let (mut rest, mut parts, mut total) = (text, 0u8, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let (unit, after) = split_unit(tail)?;
        if number.len() > 5 || parts == 4 {
            return None;
        }
        total += number.parse::<u64>().ok()? * unit;
        (rest, parts) = (after, parts + 1);
    }
    (parts > 0).then(|| Span::from_millis(total))
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        .into_iter()
        .find_map(|(unit, factor)| Some((factor, text.strip_prefix(unit)?)))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_millis();
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
            let n = left / size;
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
            left %= size;
        }
        Ok(())
    }
}

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// A size of `n` bytes.
    #[must_use]
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The size in bytes where a `usize` is needed; saturates on small machines.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const SIZE_UNITS: [(&str, u64); 6] =
    [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_size(text).ok_or_else(|| UnitError::Size(text.to_owned()))
    }
}

fn parse_size(text: &str) -> Option<ByteSize> {
    let (number, factor) =
        SIZE_UNITS.into_iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor))).unwrap_or((text, 1));
    if number.is_empty() || number.len() > 12 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor).map(ByteSize)
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZE_UNITS.into_iter().take(3).rev();
        for (unit, factor) in binary {
            if self.0 > 0 && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}", self.0)
    }
}

macro_rules! as_text {
    ($($ty:ty),*) => {$(
        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}
as_text!(Span, ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_gep_2257() {
        for (text, ms) in
            [("100ms", 100), ("1m30s", 90_000), ("0s", 0), ("1h2m3s4ms", 3_723_004), ("99999h", 359_996_400_000)]
        {
            assert_eq!(text.parse(), Ok(Span::from_millis(ms)), "{text}");
        }
        for text in ["", "1", "s", "-1s", "1.5s", "1d", "100000s", "1h1h1h1h1h", "1 s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_whole_kubernetes_quantities() {
        for (text, n) in [("64Mi", 64 << 20), ("1k", 1_000), ("0", 0), ("1073741824", 1 << 30)] {
            assert_eq!(text.parse(), Ok(ByteSize::new(n)), "{text}");
        }
        for text in ["", "Mi", "1.5Gi", "-1", "1e3", "1Ti", "1000000000000000"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn both_units_survive_their_own_text() {
        for ms in [0, 1, 999, 1_000, 61_001, 3_600_000, 90_061_001] {
            let span = Span::from_millis(ms);
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for n in [0, 1, 1_023, 1_024, 1_536, 1 << 20, (1 << 30) + 1] {
            let size = ByteSize::new(n);
            assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
