//! Walks over a record and masks what lies in `data` and `raw`.

use alloc::vec::Vec;

use crate::{
    Keep,
    cbor::{Count, DEEPEST, Error, Kind, end, head},
    digits,
    number::{self, Replacement},
};

/// Tags of bignums, positive and negative.
const BIGNUM: core::ops::RangeInclusive<u64> = 2..=3;

/// Masks texts where they are and collects what is to come in place of numbers.
pub(crate) fn mask(record: &mut [u8], keep: Keep, texts: &mut Vec<Replacement>) -> Result<(), Error> {
    let mut walk = Walk { record, at: 0, keep, texts };
    walk.top()?;
    if walk.at == walk.record.len() { Ok(()) } else { Err(Error::Trailing) }
}

struct Walk<'a> {
    record: &'a mut [u8],
    at: usize,
    keep: Keep,
    texts: &'a mut Vec<Replacement>,
}

/// What is done with the values of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Raw,
    Other,
}

impl Walk<'_> {
    fn next(&mut self) -> Result<Kind, Error> {
        let (kind, at) = head(self.record, self.at)?;
        self.at = at;
        Ok(kind)
    }

    fn top(&mut self) -> Result<(), Error> {
        loop {
            match self.next()? {
                // The mark "this is CBOR".
                Kind::Tag(_) => {}
                // An empty message.
                Kind::Simple => return Ok(()),
                Kind::Map(count) => return self.fields(count),
                _ => return Err(Error::NotAMap),
            }
        }
    }

    fn fields(&mut self, count: Count) -> Result<(), Error> {
        let mut left = count;
        while self.more(&mut left)? {
            let field = self.field()?;
            match head(self.record, self.at)? {
                // Bytes may also be written as an array of numbers.
                (Kind::Array(count), next) if field == Field::Raw => self.bytes_as_array(count, next)?,
                _ => self.value(field, 0)?,
            }
        }
        Ok(())
    }

    /// Whether an element follows; takes the break.
    fn more(&mut self, left: &mut Count) -> Result<bool, Error> {
        match left {
            Count::Known(0) => Ok(false),
            Count::Known(left) => {
                *left -= 1;
                Ok(true)
            }
            Count::UpToBreak => {
                let break_here = matches!(head(self.record, self.at)?, (Kind::Break, _));
                self.at += usize::from(break_here);
                Ok(!break_here)
            }
        }
    }

    /// Reads a key. fluxrig takes any mix of capitals for its fields.
    fn field(&mut self) -> Result<Field, Error> {
        let start = self.at;
        let name = match self.next()? {
            Kind::Text(Count::Known(len)) => {
                let from = self.at;
                self.at = end(self.record, from, len)?;
                self.record.get(from..self.at).unwrap_or_default()
            }
            Kind::Text(Count::UpToBreak) => {
                self.at = start;
                return self.field_in_pieces();
            }
            _ => {
                self.at = start;
                self.value(Field::Other, 0)?;
                return Ok(Field::Other);
            }
        };
        Ok(named(name))
    }

    fn field_in_pieces(&mut self) -> Result<Field, Error> {
        let mut name = Vec::new();
        self.pieces(|piece| name.extend_from_slice(piece))?;
        Ok(named(&name))
    }

    fn value(&mut self, field: Field, depth: usize) -> Result<(), Error> {
        self.tagged(field, depth, self.at)
    }

    /// A value whose tags, if it has some, begin at `start`. They go with a number that becomes text.
    fn tagged(&mut self, field: Field, depth: usize, start: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::Deep);
        }
        let here = self.at;
        match self.next()? {
            Kind::Unsigned(value) => self.number(field, value, false, start),
            // −1 − n; the largest has 20 digits, as one more has.
            Kind::Negative(value) => self.number(field, value.saturating_add(1), true, start),
            Kind::Float(value) => {
                let (magnitude, negative) = number::integer_part(value);
                self.number(field, magnitude, negative, start);
            }
            Kind::Bytes(Count::Known(len)) | Kind::Text(Count::Known(len)) => {
                let from = self.at;
                self.at = end(self.record, from, len)?;
                if let Some(longest) = field.longest() {
                    digits::mask(self.record.get_mut(from..self.at).unwrap_or_default(), self.keep, longest);
                }
            }
            Kind::Bytes(Count::UpToBreak) | Kind::Text(Count::UpToBreak) => {
                self.at = here;
                self.string_in_pieces(field)?;
            }
            Kind::Array(count) => self.items(field, depth, count, 1)?,
            Kind::Map(count) => self.items(field, depth, count, 2)?,
            Kind::Tag(tag) if BIGNUM.contains(&tag) => self.bignum(field, tag, start, depth)?,
            Kind::Tag(_) => self.tagged(field, depth + 1, start)?,
            Kind::Simple => {}
            Kind::Break => return Err(Error::Invalid),
        }
        Ok(())
    }

    /// Elements, or pairs.
    fn items(&mut self, field: Field, depth: usize, count: Count, each: usize) -> Result<(), Error> {
        let mut left = count;
        while self.more(&mut left)? {
            for _ in 0..each {
                self.value(field, depth + 1)?;
            }
        }
        Ok(())
    }

    fn number(&mut self, field: Field, magnitude: u64, negative: bool, start: usize) {
        if field == Field::Data {
            self.texts.extend(number::mask(magnitude, negative, start, self.at, self.keep));
        }
    }

    /// A bignum of up to eight bytes that is as long as a card number becomes text, tag and all.
    fn bignum(&mut self, field: Field, tag: u64, start: usize, depth: usize) -> Result<(), Error> {
        let content = self.at;
        if let Kind::Bytes(Count::Known(len)) = self.next()? {
            let until = end(self.record, self.at, len)?;
            let bytes = self.record.get(self.at..until).unwrap_or_default();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if len - zeros <= 8 {
                let value = bytes.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
                self.at = until;
                self.number(field, value.saturating_add(tag - BIGNUM.start()), tag != *BIGNUM.start(), start);
                return Ok(());
            }
        }
        self.at = content;
        self.tagged(field, depth + 1, start)
    }

    /// Bytes as an array of numbers, whose content starts at `next`. A star is as short as a digit, so it fits in the same place.
    fn bytes_as_array(&mut self, count: Count, next: usize) -> Result<(), Error> {
        self.at = next;
        let (mut bytes, mut places, mut left) = (Vec::new(), Vec::new(), count);
        while self.more(&mut left)? {
            let Kind::Unsigned(value) = self.next()? else { return Err(Error::Invalid) };
            bytes.push(u8::try_from(value).map_err(|_| Error::Invalid)?);
            places.push(self.at - 1);
        }
        digits::mask(&mut bytes, self.keep, usize::MAX);
        for (place, byte) in places.into_iter().zip(bytes) {
            // The low byte comes last. Numbers below 24 lie in the head itself, and are no digits.
            if byte == digits::STAR
                && let Some(old) = self.record.get_mut(place)
            {
                *old = byte;
            }
        }
        Ok(())
    }

    /// A string in pieces is masked over the joints, and stays in its pieces.
    fn string_in_pieces(&mut self, field: Field) -> Result<(), Error> {
        let start = self.at;
        let Some(longest) = field.longest() else { return self.pieces(|_| ()) };
        let mut whole = Vec::new();
        self.pieces(|piece| whole.extend_from_slice(piece))?;
        digits::mask(&mut whole, self.keep, longest);
        self.at = start;
        let mut masked = whole.into_iter();
        self.pieces(|piece| piece.iter_mut().zip(&mut masked).for_each(|(byte, new)| *byte = new))
    }

    /// Shows the pieces of the string that starts here, one by one, and goes behind it.
    fn pieces(&mut self, mut show: impl FnMut(&mut [u8])) -> Result<(), Error> {
        self.next()?;
        loop {
            match self.next()? {
                Kind::Break => return Ok(()),
                Kind::Bytes(Count::Known(len)) | Kind::Text(Count::Known(len)) => {
                    let from = self.at;
                    self.at = end(self.record, from, len)?;
                    show(self.record.get_mut(from..self.at).unwrap_or_default());
                }
                _ => return Err(Error::Invalid),
            }
        }
    }
}

impl Field {
    /// Digits without a gap that still may be a card number; nothing is masked where there is none.
    fn longest(self) -> Option<usize> {
        match self {
            Self::Data => Some(digits::LONGEST),
            Self::Raw => Some(usize::MAX),
            Self::Other => None,
        }
    }
}

fn named(name: &[u8]) -> Field {
    if name.eq_ignore_ascii_case(b"data") {
        Field::Data
    } else if name.eq_ignore_ascii_case(b"raw") {
        Field::Raw
    } else {
        Field::Other
    }
}
