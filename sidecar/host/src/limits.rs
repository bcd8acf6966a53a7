//! What an instance may hold.

use std::fmt;

use wasmtime::ResourceLimiter;

/// Table elements that the pool has room for.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;

/// Meter and limit of one instance: one memory, one table, and how large they may become.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: usize,
    refused: Option<Refused>,
}

/// A growth of memory that was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    wanted: usize,
    limit: usize,
    /// The module's own maximum was the smaller one.
    own: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.own { "the module's own maximum" } else { "limits.memory" };
        write!(f, "memory of {} bytes was refused, {whose} is {} bytes", self.wanted, self.limit)
    }
}

impl Meter {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, refused: None }
    }

    /// The last growth that was refused since this was asked last.
    pub(crate) const fn take_refused(&mut self) -> Option<Refused> {
        self.refused.take()
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let own = maximum.filter(|own| *own < self.limit && desired > *own);
        if desired > self.limit || own.is_some() {
            self.refused = Some(Refused { wanted: desired, limit: own.unwrap_or(self.limit), own: own.is_some() });
            return Ok(false);
        }
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}
