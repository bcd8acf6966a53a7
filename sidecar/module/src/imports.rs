//! Every import that a gear can ever have, its type, and what it needs.
//!
//! * The table is the policy: an import that is not in it is refused by name, a known name with another type too.
//! * The operator reads it before any pod exists, the sidecar reads it again, and `gear-host` links exactly those entries
//!   that are [`KnownImport::built`] and granted; a test there compares its linker with this table.
//! * An entry that is not built is answered with `NotAvailable`: the module is refused, never started with a hole.

use std::fmt;

use crate::{Grants, ValType, signature::write_signature};

use ValType::{F64, I32};

mod wasi;

/// A function that a module may import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownImport {
    /// First half of the name.
    pub module: &'static str,
    /// Second half of the name.
    pub name: &'static str,
    /// Types of the parameters.
    pub params: &'static [ValType],
    /// Types of the results.
    pub results: &'static [ValType],
    /// What the resource has to grant.
    pub needs: Needs,
    /// Whether this release has it.
    pub built: bool,
}

/// What an import needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Nothing: every gear has it.
    Nothing,
    /// `allowKv`.
    Kv,
    /// `allowKv`, and a grant that is not read-only.
    KvWrite,
    /// `allowHttp`.
    Http,
    /// `allowKv` or `allowHttp`.
    KvOrHttp,
    /// A WASI descriptor.
    Wasi(Wasi),
}

/// The WASI descriptor that makes an import useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wasi {
    /// Any one of them; the function works the same with each.
    Any,
    /// Standard output and error.
    Stdio,
    /// Clocks and timers.
    Clocks,
    /// Random bytes.
    Random,
}

impl Needs {
    /// Whether `grants` give it.
    #[must_use]
    pub const fn met(self, grants: &Grants) -> bool {
        match self {
            Self::Nothing => true,
            Self::Kv | Self::KvWrite => grants.allow_kv,
            Self::Http => grants.allow_http,
            Self::KvOrHttp => grants.allow_kv || grants.allow_http,
            // No field of the resource gives a descriptor in this release.
            Self::Wasi(_) => false,
        }
    }

    /// The field that gives it, for tables of `wasmgear inspect`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Kv => "allowKv",
            Self::KvWrite => "allowKv (not readOnly)",
            Self::Http => "allowHttp",
            Self::KvOrHttp => "allowKv or allowHttp",
            Self::Wasi(Wasi::Any) => "wasi (any descriptor)",
            Self::Wasi(Wasi::Stdio) => "wasi: Stdio",
            Self::Wasi(Wasi::Clocks) => "wasi: Clocks",
            Self::Wasi(Wasi::Random) => "wasi: Random",
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl KnownImport {
    /// The entry for `module.name`, whatever its type.
    #[must_use]
    pub fn find(module: &str, name: &str) -> Option<&'static Self> {
        known().find(|known| known.module == module && known.name == name)
    }

    /// The type, as people read it.
    pub fn signature(&self) -> impl fmt::Display {
        struct Text(&'static [ValType], &'static [ValType]);
        impl fmt::Display for Text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_signature(f, self.0, self.1)
            }
        }
        Text(self.params, self.results)
    }
}

/// Every import that a gear can ever have.
pub fn known() -> impl Iterator<Item = &'static KnownImport> {
    ENV.iter().chain(wasi::PREVIEW1)
}

const fn env(name: &'static str, params: &'static [ValType], results: &'static [ValType]) -> KnownImport {
    KnownImport { module: "env", name, params, results, needs: Needs::Nothing, built: true }
}

/// An import of `env` that is known and that this release does not have.
const fn later(
    name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
    needs: Needs,
) -> KnownImport {
    KnownImport { module: "env", name, params, results, needs, built: false }
}

const ENV: &[KnownImport] = &[
    env("log", &[I32, I32, I32], &[]),
    env("flux_log_info", &[I32, I32], &[]),
    env("abort", &[I32, I32, I32, I32], &[]),
    env("trace", &[I32, I32, F64, F64, F64, F64, F64], &[]),
    env("console.log", &[I32], &[]),
    env("flux_config_get", &[I32, I32, I32, I32], &[I32]),
    later("flux_kv_get", &[I32, I32, I32, I32], &[I32], Needs::Kv),
    later("flux_kv_put", &[I32, I32, I32, I32], &[I32], Needs::KvWrite),
    later("flux_req_http", &[I32, I32, I32, I32, I32, I32], &[I32], Needs::Http),
    later("flux_result", &[I32, I32, I32], &[I32], Needs::KvOrHttp),
    later("seed", &[], &[F64], Needs::Wasi(Wasi::Random)),
    later("Date.now", &[], &[F64], Needs::Wasi(Wasi::Clocks)),
];
