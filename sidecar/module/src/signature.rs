//! Types of functions, as people read them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of values that a module of this release can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValType {
    /// A 32-bit integer; addresses and lengths too.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A SIMD vector.
    V128,
    /// A reference to a function.
    Funcref,
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::V128 => "v128",
            Self::Funcref => "funcref",
        })
    }
}

/// The type of a function. Text form: `(i32, i32) -> i32`; without results only the parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// Types of the parameters.
    pub params: Vec<ValType>,
    /// Types of the results.
    pub results: Vec<ValType>,
}

impl Signature {
    /// Whether parameters and results are exactly these.
    #[must_use]
    pub fn is(&self, params: &[ValType], results: &[ValType]) -> bool {
        self.params == params && self.results == results
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_signature(f, &self.params, &self.results)
    }
}

pub(crate) fn write_signature(f: &mut fmt::Formatter<'_>, params: &[ValType], results: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    write_list(f, params)?;
    f.write_str(")")?;
    match results {
        [] => Ok(()),
        [one] => write!(f, " -> {one}"),
        many => {
            f.write_str(" -> (")?;
            write_list(f, many)?;
            f.write_str(")")
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    types.iter().enumerate().try_for_each(|(n, ty)| write!(f, "{}{ty}", if n == 0 { "" } else { ", " }))
}
