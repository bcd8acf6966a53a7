//! The host's part in unit tests of a gear, on any target but wasm. Each test thread has its own.
//!
//! ```
//! use gear_guest::{Verdict, config, log, testing::{self, Outcome}};
//!
//! testing::set_config("limit", "100");
//! assert_eq!(config("limit").as_deref(), Some("100"));
//! log::warn("close to the limit");
//! assert_eq!(testing::take_logs(), [(log::Level::Warn, "close to the limit".to_owned())]);
//!
//! fn gear(record: &[u8]) -> Verdict<Vec<u8>> {
//!     if record == b"\xa0" { Verdict::Pass } else { Verdict::reject("not empty") }
//! }
//!
//! assert_eq!(testing::call(gear, b"\xa0"), Outcome::Output(b"\xa0".to_vec()));
//! assert_eq!(testing::call(gear, b"\xa1\x01\x02"), Outcome::Reject { number: 1, reason: "not empty".to_owned() });
//! ```

use std::{cell::RefCell, collections::BTreeMap, string::String, vec::Vec};

use crate::{answer::Bytes, entry::Entry, log::Level};

std::thread_local! {
    static CONFIG: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    static LOGS: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Gives the gear a value of its configuration.
pub fn set_config(key: &str, value: &str) {
    CONFIG.with_borrow_mut(|config| config.insert(key.into(), value.into()));
}

/// The lines that were logged since the last call.
pub fn take_logs() -> Vec<(Level, String)> {
    LOGS.take()
}

/// What the host would see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A record, or a CBOR array of several.
    Output(Vec<u8>),
    /// A refusal; number 1 when the gear gave none.
    Reject {
        /// The number of the reason.
        number: u8,
        /// The reason in words.
        reason: String,
    },
    /// Nothing.
    Drop,
}

/// Gives a record to a gear as the host does.
///
/// # Panics
///
/// When the gear does.
#[allow(clippy::needless_pass_by_value, reason = "the gear is a function: it is named here as it is named in gear!")]
pub fn call<Takes>(gear: impl Entry<Takes>, record: &[u8]) -> Outcome {
    let mut input = record.to_vec();
    let answer = gear.call(&mut input).0;
    let bytes = match answer.bytes {
        Bytes::Input => input,
        Bytes::None => Vec::new(),
        Bytes::Own(bytes) => bytes.into_vec(),
    };
    match u8::try_from(answer.code) {
        Ok(0) => Outcome::Output(bytes),
        Ok(2) => Outcome::Drop,
        // Every code of a verdict fits a byte, and every reason is text.
        number => {
            Outcome::Reject { number: number.unwrap_or(u8::MAX), reason: String::from_utf8_lossy(&bytes).into_owned() }
        }
    }
}

/// As the host answers `flux_config_get`.
pub(crate) fn config_get(key: &str, buffer: &mut [u8]) -> Option<usize> {
    CONFIG.with_borrow(|config| {
        let value = config.get(key)?;
        buffer.iter_mut().zip(value.bytes()).for_each(|(slot, byte)| *slot = byte);
        Some(value.len())
    })
}

/// Keeps a line.
pub(crate) fn log(level: Level, text: &str) {
    LOGS.with_borrow_mut(|logs| logs.push((level, text.into())));
}
