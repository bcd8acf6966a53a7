//! Identities: 16 bytes since fluxrig v0.5, 64-bit numbers before.

use core::{fmt, str::FromStr};

/// Sixteen bytes, read and written as UUIDs are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Sixteen zero bytes.
    pub const NIL: Self = Self([0; 16]);
}

/// A text that is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseUuidError;

impl fmt::Display for ParseUuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID; 8-4-4-4-12 hexadecimal digits are expected")
    }
}

impl core::error::Error for ParseUuidError {}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, nibble) in places.zip(nibbles) {
            if let (Some(to), Some(digit)) = (text.get_mut(place), DIGITS.get(usize::from(nibble))) {
                *to = *digit;
            }
        }
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, ParseUuidError> {
        let dashes = [8, 13, 18, 23];
        if text.len() != 36 || dashes.iter().any(|place| text.as_bytes().get(*place) != Some(&b'-')) {
            return Err(ParseUuidError);
        }
        let mut digits = text.bytes().enumerate().filter(|(place, _)| !dashes.contains(place)).map(|(_, digit)| digit);
        let mut nibble = || {
            let digit = digits.next().and_then(|digit| char::from(digit).to_digit(16));
            digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(ParseUuidError)
        };
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = nibble()? << 4 | nibble()?;
        }
        Ok(Self(bytes))
    }
}

/// Identity of a message, a gear or a port, in either of the two forms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// Sixteen bytes.
    Uuid(Uuid),
    /// A number, as written by fluxrig up to v0.4.5.
    Number(u64),
}

impl Id {
    /// The identity of nothing.
    pub const NIL: Self = Self::Uuid(Uuid::NIL);

    /// Whether this is the identity of nothing: sixteen zero bytes, or the number 0.
    #[must_use]
    pub fn is_nil(self) -> bool {
        self == Self::NIL || self == Self::Number(0)
    }
}

impl Default for Id {
    fn default() -> Self {
        Self::NIL
    }
}

impl From<Uuid> for Id {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl From<[u8; 16]> for Id {
    fn from(bytes: [u8; 16]) -> Self {
        Self::Uuid(Uuid(bytes))
    }
}

/// As in `Nats-Msg-Id`: the text of the UUID, or the decimal number.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => fmt::Display::fmt(uuid, f),
            Self::Number(number) => fmt::Display::fmt(number, f),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_uuid_survives_its_own_text() {
        let text = "0192f3a0-1111-7abc-8def-000102030405";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.0, [0x01, 0x92, 0xf3, 0xa0, 0x11, 0x11, 0x7a, 0xbc, 0x8d, 0xef, 0, 1, 2, 3, 4, 5]);
        assert_eq!(uuid.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(uuid));
    }

    #[test]
    fn only_the_dashed_form_is_a_uuid() {
        for text in [
            "",
            "0192f3a011117abc8def000102030405",
            "{0192f3a0-1111-7abc-8def-000102030405}",
            "0192f3a0-1111-7abc-8def-00010203040",
            "0192f3a0-1111-7abc-8def-00010203040g",
            "0192f3a0-1111-7abc-8def+000102030405",
            "0192f3a0-1111-7abc-8def-0001020304é",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(ParseUuidError), "{text}");
        }
    }

    #[test]
    fn both_forms_have_a_nil() {
        assert!(Id::NIL.is_nil() && Id::Number(0).is_nil());
        assert!(!Id::Number(1).is_nil() && !Id::from([1; 16]).is_nil());
        assert_eq!(Id::Number(u64::MAX).to_string(), "18446744073709551615");
    }
}
