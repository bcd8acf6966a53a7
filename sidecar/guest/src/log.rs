//! Log lines. The host escapes them, limits how much a message may write, and masks what looks like a card number.

use crate::raw;

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For those who look for a fault.
    Debug = 1,
    /// What normally happens.
    Info = 2,
    /// What should be looked at some day.
    Warn = 3,
    /// What went wrong.
    Error = 4,
}

/// Logs a line at level debug.
pub fn debug(text: &str) {
    raw::log(Level::Debug, text);
}

/// Logs a line at level info.
pub fn info(text: &str) {
    raw::log(Level::Info, text);
}

/// Logs a line at level warn.
pub fn warn(text: &str) {
    raw::log(Level::Warn, text);
}

/// Logs a line at level error.
pub fn error(text: &str) {
    raw::log(Level::Error, text);
}
