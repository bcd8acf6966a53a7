//! Records out of a file, one by one.
//!
//! * A CBOR sequence is cut where one item ends and the next begins; whether an item is a fluxMsg is the pipeline's business.
//!   Where the bytes are no CBOR nobody can say where the next record begins: all that is left counts as one record, which
//!   the pipeline finds malformed.
//! * A JSON line that is no record ends the run with its number: it is a mistake in the file, not a message.

use std::io::{BufRead, BufReader, Read};

use async_nats::Subject;
use bytes::Bytes;
use gear_stream::memory::Item;

use super::{Problem, Records, json::Json};
use crate::exit::Failed;

/// Longest record; a fluxMsg has at most 2 MiB of payload.
const LONGEST: usize = 64 << 20;

/// Is told how many bytes were read.
pub(super) type Progress = Box<dyn Fn(u64) + Send>;

/// Reads items until the file ends or something is wrong with it.
pub(super) struct Reader {
    input: BufReader<Box<dyn Read + Send>>,
    format: Records,
    subject: Subject,
    problem: Problem,
    progress: Progress,
    buffer: Vec<u8>,
    read: u64,
    line: u64,
    ended: bool,
}

impl Reader {
    pub(super) fn new(
        input: Box<dyn Read + Send>,
        format: Records,
        subject: Subject,
        problem: Problem,
        progress: Progress,
    ) -> Self {
        let input = BufReader::with_capacity(64 << 10, input);
        Self { input, format, subject, problem, progress, buffer: Vec::new(), read: 0, line: 0, ended: false }
    }

    fn cbor(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        loop {
            match item(&self.buffer) {
                Cut::Item(length) => return Ok(Some(self.take(length))),
                Cut::Broken => {
                    while self.fill()? {}
                    self.ended = true;
                    return Ok(Some(std::mem::take(&mut self.buffer)));
                }
                Cut::More if self.fill()? => {}
                Cut::More => {
                    self.ended = true;
                    return Ok((!self.buffer.is_empty()).then(|| std::mem::take(&mut self.buffer)));
                }
            }
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Reads more; false at the end of the file.
    fn fill(&mut self) -> Result<bool, Failed> {
        let piece = self.input.fill_buf().map_err(|error| Failed::fault(format!("input: {error}")))?;
        let length = piece.len();
        self.buffer.extend_from_slice(piece);
        self.input.consume(length);
        self.read += length as u64;
        (self.progress)(self.read);
        if self.buffer.len() > LONGEST {
            return Err(Failed::fault(format!("input: a record of more than {LONGEST} bytes")));
        }
        Ok(length > 0)
    }

    fn json(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        loop {
            let mut line = String::new();
            let limit = LONGEST as u64;
            let length = (&mut self.input).take(limit).read_line(&mut line);
            let length = length.map_err(|error| Failed::fault(format!("input, line {}: {error}", self.line + 1)))?;
            if length == 0 {
                self.ended = true;
                return Ok(None);
            }
            (self.line, self.read) = (self.line + 1, self.read + length as u64);
            (self.progress)(self.read);
            if !line.trim().is_empty() {
                let record = serde_json::from_str::<Json>(&line);
                let Json(message) =
                    record.map_err(|error| Failed::fault(format!("input, line {}: {error}", self.line)))?;
                return Ok(Some(message.encode()));
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.ended {
            return None;
        }
        let record = match self.format {
            Records::Cbor => self.cbor(),
            Records::Jsonl => self.json(),
        };
        let payload = record.unwrap_or_else(|failed| {
            self.ended = true;
            self.problem.set(failed);
            None
        })?;
        Some(Item { subject: self.subject.clone(), payload: Bytes::from(payload) })
    }
}

/// Where the first item of a sequence ends.
#[derive(Debug, PartialEq, Eq)]
enum Cut {
    Item(usize),
    More,
    Broken,
}

fn item(bytes: &[u8]) -> Cut {
    let mut decoder = minicbor::Decoder::new(bytes);
    match decoder.skip() {
        Ok(()) => Cut::Item(decoder.position()),
        Err(error) if error.is_end_of_input() => Cut::More,
        Err(_) => Cut::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], format: Records) -> (Vec<Vec<u8>>, Result<(), Failed>) {
        let problem = Problem::default();
        let reader = Reader::new(Box::new(bytes), format, "s".into(), problem.clone(), Box::new(|_| ()));
        (reader.map(|item| item.payload.to_vec()).collect(), problem.take())
    }

    #[test]
    fn a_sequence_is_cut_where_items_end() {
        // A map, an indefinite map with an indefinite text, null.
        let (records, problem) = read(b"\xa1\x61a\x01\xbf\x61a\x7f\x61b\xff\xff\xf6", Records::Cbor);
        assert_eq!(records, [&b"\xa1\x61a\x01"[..], b"\xbf\x61a\x7f\x61b\xff\xff", b"\xf6"]);
        assert!(problem.is_ok());
    }

    #[test]
    fn what_is_left_counts_as_one_record_when_it_is_no_cbor_or_cut_short() {
        assert_eq!(read(b"\xf6\xa1\x61", Records::Cbor).0, [&b"\xf6"[..], b"\xa1\x61"]);
        assert_eq!(read(b"\xf6\x1c\xf6\xf6", Records::Cbor).0, [&b"\xf6"[..], b"\x1c\xf6\xf6"]);
        assert!(read(b"", Records::Cbor).0.is_empty());
    }

    #[test]
    fn a_line_that_is_no_record_ends_the_run_with_its_number() {
        let (records, problem) = read(b"{\"data\":{}}\n\n{\"dta\":1}\n{}\n", Records::Jsonl);
        assert_eq!(records.len(), 1);
        let message = problem.unwrap_err().message;
        assert!(message.contains("line 3") && message.contains("dta"), "{message}");
    }
}
