//! The answer of a guest, taken apart.
//!
//! A guest of ABI flux1 answers with one record or an array of them, a guest of ABI rack with one record. Nothing of it
//! is trusted: each record is checked as one from the stream is, and the bounds on count and size apply before
//! anything is copied.

use core::fmt;

use crate::{
    Limits, Malformed, Peek, Why,
    cbor::{Items, Reader, kind},
    error::Fault,
    peek::first,
};

/// What a guest may answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One record: ABI rack.
    One,
    /// One record, or an array of records, which may be empty: ABI flux1.
    OneOrMany,
}

/// Bounds of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// Records (`limits.outputMessages`).
    pub messages: usize,
    /// Bytes, all together (`limits.outputSize`).
    pub size: usize,
    /// Each record.
    pub record: Limits,
}

/// An answer that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputError {
    /// Too many bytes.
    Size {
        /// Bytes of the answer.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Too many records.
    Messages {
        /// Records allowed.
        limit: usize,
    },
    /// A record is none.
    Record {
        /// Its place in the answer, from 0.
        index: usize,
        /// What is wrong with it; bytes are counted from the beginning of the answer.
        error: Malformed,
    },
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { found, limit } => {
                write!(f, "the guest emitted {found} bytes, limits.outputSize allows {limit}")
            }
            Self::Messages { limit } => {
                write!(f, "the guest emitted more messages than limits.outputMessages allows, {limit}")
            }
            Self::Record { index, error } => write!(f, "output {index} is {error}"),
        }
    }
}

impl core::error::Error for OutputError {}

/// The records of an answer. Ends at the first error.
#[derive(Debug, Clone)]
pub struct Outputs<'a> {
    bytes: &'a [u8],
    at: usize,
    count: usize,
    limits: OutputLimits,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// One record, not read yet.
    One,
    /// Inside of an array.
    Many(Items),
    Ended,
}

/// Begins to take an answer apart.
pub fn outputs<'a>(bytes: &'a [u8], shape: Shape, limits: &OutputLimits) -> Result<Outputs<'a>, OutputError> {
    if bytes.len() > limits.size {
        return Err(OutputError::Size { found: bytes.len(), limit: limits.size });
    }
    let mut reader = Reader::new(bytes);
    let mut outputs = Outputs { bytes, at: 0, count: 0, limits: *limits, state: State::One };
    if shape == Shape::OneOrMany && reader.next_is(kind::ARRAY) {
        let items = reader.head().and_then(|head| Ok((head, reader.open(head, 0)?)));
        let (head, items) = items.map_err(|fault| OutputError::Record { index: 0, error: fault.into() })?;
        if head.is_definite() && head.value > limits.messages as u64 {
            return Err(OutputError::Messages { limit: limits.messages });
        }
        (outputs.at, outputs.state) = (reader.at(), State::Many(items));
    }
    Ok(outputs)
}

impl<'a> Outputs<'a> {
    fn step(&mut self) -> Result<Option<Peek<'a>>, OutputError> {
        let refuse = |index, error| OutputError::Record { index, error };
        let mut reader = Reader::starting_at(self.bytes, self.at);
        match &mut self.state {
            State::Ended => return Ok(None),
            State::One => self.state = State::Ended,
            State::Many(items) => {
                if !reader.more(items).map_err(|fault| refuse(self.count, fault.into()))? {
                    self.at = reader.at();
                    return if reader.is_at_end() {
                        Ok(None)
                    } else {
                        Err(refuse(self.count, Fault::new(self.at, Why::Trailing).into()))
                    };
                }
            }
        }
        if self.count == self.limits.messages {
            return Err(OutputError::Messages { limit: self.limits.messages });
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let record = first(rest, &self.limits.record).map_err(|error| refuse(self.count, error.shifted(self.at)))?;
        self.at += record.bytes.len();
        if matches!(self.state, State::Ended) && self.at != self.bytes.len() {
            return Err(refuse(self.count, Fault::new(self.at, Why::Trailing).into()));
        }
        self.count += 1;
        Ok(Some(record))
    }
}

impl<'a> Iterator for Outputs<'a> {
    type Item = Result<Peek<'a>, OutputError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if !matches!(step, Some(Ok(_))) {
            self.state = State::Ended;
        }
        step
    }
}

#[cfg(test)]
mod tests;
