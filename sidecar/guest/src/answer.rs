//! A verdict in the form that the host reads: a code, and bytes.

use alloc::{boxed::Box, vec::Vec};

use crate::verdict::{Record, Verdict};

const OK: u32 = 0;
const REJECT: u32 = 1;
const DROP: u32 = 2;

/// A code, and bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u32,
    pub(crate) bytes: Bytes,
}

/// The bytes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Those that the host put there.
    Input,
    /// None.
    None,
    /// These. The host gives them back by their length, so there is no capacity beyond it.
    Own(Box<[u8]>),
}

impl<T: Record> From<Verdict<T>> for Answer {
    fn from(verdict: Verdict<T>) -> Self {
        match verdict {
            Verdict::Pass => Self { code: OK, bytes: Bytes::Input },
            Verdict::Emit(record) => Self { code: OK, bytes: Bytes::from(record.into_bytes()) },
            Verdict::EmitAll(records) => Self { code: OK, bytes: Bytes::from(array(records)) },
            Verdict::Reject(text) => Self { code: REJECT, bytes: Bytes::from(text.into_owned().into_bytes()) },
            Verdict::RejectWith(reason, text) => {
                Self { code: reason.number().into(), bytes: Bytes::from(text.into_owned().into_bytes()) }
            }
            Verdict::Drop => Self { code: DROP, bytes: Bytes::None },
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() { Self::None } else { Self::Own(bytes.into_boxed_slice()) }
    }
}

/// A CBOR array of records.
fn array<T: Record>(records: Vec<T>) -> Vec<u8> {
    let mut out = array_head(records.len());
    for record in records {
        out.append(&mut record.into_bytes());
    }
    out
}

/// The shortest head of an array of `len` items.
fn array_head(len: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(16);
    match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
        (Ok(len), ..) if len < 24 => head.push(0x80 | len),
        (Ok(len), ..) => head.extend([0x98, len]),
        (_, Ok(len), _) => {
            head.push(0x99);
            head.extend(len.to_be_bytes());
        }
        (_, _, Ok(len)) => {
            head.push(0x9a);
            head.extend(len.to_be_bytes());
        }
        _ => {
            head.push(0x9b);
            head.extend((len as u64).to_be_bytes());
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::verdict::Reason;

    fn own(bytes: &[u8]) -> Bytes {
        Bytes::Own(bytes.into())
    }

    #[test]
    fn each_verdict_has_its_code_and_bytes() {
        type Raw = Verdict<Vec<u8>>;
        let cases: [(Raw, u32, Bytes); 9] = [
            (Verdict::Pass, 0, Bytes::Input),
            (Verdict::Emit(vec![0xa0]), 0, own(&[0xa0])),
            (Verdict::EmitAll(vec![]), 0, own(&[0x80])),
            (Verdict::EmitAll(vec![vec![0xa0], vec![0xa1, 1, 2]]), 0, own(&[0x82, 0xa0, 0xa1, 1, 2])),
            (Verdict::reject("no"), 1, own(b"no")),
            (Verdict::reject(String::new()), 1, Bytes::None),
            (Verdict::reject_with(Reason::new(3), "no"), 3, own(b"no")),
            (Verdict::reject_with(Reason::new(255), ""), 255, Bytes::None),
            (Verdict::Drop, 2, Bytes::None),
        ];
        for (verdict, code, bytes) in cases {
            assert_eq!(Answer::from(verdict.clone()), Answer { code, bytes }, "{verdict:?}");
        }
    }

    #[test]
    fn heads_of_arrays_are_as_short_as_they_can_be() {
        for (len, head) in [
            (0, &[0x80][..]),
            (23, &[0x97]),
            (24, &[0x98, 24]),
            (255, &[0x98, 255]),
            (256, &[0x99, 1, 0]),
            (65_536, &[0x9a, 0, 1, 0, 0]),
            (1 << 32, &[0x9b, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            assert_eq!(array_head(len), head, "{len}");
        }
    }
}
