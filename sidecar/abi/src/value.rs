//! Values of `data`.

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::Map;

/// A value of any type. Whole numbers and floats keep their value, not their width; everything else is kept as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null or undefined.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number from 0 on.
    Uint(u64),
    /// A negative whole number: −1 − n. See [`Value::as_i64`].
    Nint(u64),
    /// A floating-point number.
    Float(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// Pairs with keys of any type.
    Map(Map<Value, Value>),
    /// A tagged value: 0 and 1 are times, 2 and 3 are numbers beyond 64 bits.
    Tag(u64, Box<Value>),
    /// A simple value without a name: 0 to 19, 32 to 255.
    Simple(u8),
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The bytes, if they are.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if it is one from 0 on.
    #[must_use]
    pub const fn as_u64(&self) -> Option<u64> {
        if let Self::Uint(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Uint(value) => i64::try_from(*value).ok(),
            Self::Nint(value) => i64::try_from(*value).ok().map(|value| !value),
            _ => None,
        }
    }

    /// The number, if it is one; whole numbers above 2⁵³ are rounded.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a float was asked for; the documentation names the rounding")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Uint(value) => Some(*value as f64),
            Self::Nint(value) => Some(-1.0 - *value as f64),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<Value, Value>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The map, to change, if it is one.
    #[must_use]
    pub fn as_map_mut(&mut self) -> Option<&mut Map<Value, Value>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The value of a text key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let is_key = |own: &Value| own.as_str() == Some(key);
        self.as_map()?.iter().rev().find(|(own, _)| is_key(own)).map(|(_, value)| value)
    }

    /// The value of a text key, to change, if this is a map that has it.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let is_key = |own: &Value| own.as_str() == Some(key);
        self.as_map_mut()?.iter_mut().rev().find(|(own, _)| is_key(own)).map(|(_, value)| value)
    }
}

macro_rules! from_unsigned {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(value: $number) -> Self {
                Self::Uint(u64::from(value))
            }
        }
    )*};
}
from_unsigned!(u8, u16, u32, u64);

macro_rules! from_signed {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(value: $number) -> Self {
                let value = i64::from(value);
                u64::try_from(value).map_or(Self::Nint((!value).unsigned_abs()), Self::Uint)
            }
        }
    )*};
}
from_signed!(i8, i16, i32, i64);

macro_rules! from_parts {
    ($($part:ty => $variant:ident),*) => {$(
        impl From<$part> for Value {
            fn from(value: $part) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from_parts!(bool => Bool, f64 => Float, &str => Text, String => Text, &[u8] => Bytes, Vec<Value> => Array,
    Map<Value, Value> => Map);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_value() {
        for number in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(Value::from(number).as_i64(), Some(number));
        }
        assert_eq!(Value::from(-1i64), Value::Nint(0));
        assert_eq!(Value::Uint(u64::MAX).as_i64(), None);
        assert_eq!(Value::Nint(u64::MAX).as_i64(), None);
        assert_eq!(Value::Nint(u64::MAX).as_f64(), Some(-18_446_744_073_709_551_616.0));
    }

    #[test]
    fn getters_answer_for_their_type_alone() {
        let text = Value::from("x");
        assert_eq!((text.as_str(), text.as_u64(), text.as_bytes(), text.as_map()), (Some("x"), None, None, None));
        assert_eq!(Value::from(true).as_bool(), Some(true));
        assert_eq!(Value::from(1.5).as_f64(), Some(1.5));
    }
}
