//! The gear's own configuration: `spec.config` and `spec.configFrom` of the resource.

use alloc::{string::String, vec};

use crate::raw;

/// Room for a value at the first try; most are shorter.
const GUESS: usize = 64;

/// The value of `key`, or `None` when the resource does not give one.
///
/// The configuration is part of the revision: it never changes while an instance lives. Read it once, see
/// [`PerInstance`](crate::PerInstance).
pub fn config(key: &str) -> Option<String> {
    let mut value = vec![0; GUESS];
    loop {
        let len = raw::config_get(key, &mut value)?;
        if len <= value.len() {
            value.truncate(len);
            return String::from_utf8(value).ok();
        }
        value = vec![0; len];
    }
}
