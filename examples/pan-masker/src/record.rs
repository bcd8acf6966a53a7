//! Walks over a record and masks what lies in `data` and `raw`.
//!
//! One loop counts items: a map or array of known length adds what it holds to the count, so that depth costs nothing. What goes up to a
//! break is walked by a call of its own. What is rare stands apart from the loop, which then has registers for what it needs.

use alloc::vec::Vec;
use core::mem;

use crate::{
    Keep,
    cbor::{BREAK, DEEPEST, Error, Head, end, head, major},
    digits::{self, Rule},
    number::{self, Replacement},
    plain,
};

/// Tags of bignums, positive and negative.
const BIGNUM: core::ops::RangeInclusive<u64> = 2..=3;

/// Masks texts where they are and collects what is to come in place of numbers.
pub(crate) fn mask(record: &mut [u8], keep: Keep, texts: &mut Vec<Replacement>) -> Result<(), Error> {
    let mut walk = Walk { record, at: 0, left: 0, keep, texts };
    walk.top()?;
    if walk.at == walk.record.len() { Ok(()) } else { Err(Error::Trailing) }
}

struct Walk<'a> {
    record: &'a mut [u8],
    at: usize,
    /// Items to come, of those that are counted now.
    left: usize,
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
    /// Reads a head and goes behind it.
    #[inline]
    fn next(&mut self) -> Result<Head, Error> {
        let head = head(self.record, self.at)?;
        self.at = head.next;
        Ok(head)
    }

    /// The bytes of a string whose head was read; goes behind them.
    #[inline]
    fn content(&mut self, len: u64) -> Result<&mut [u8], Error> {
        let from = self.at;
        self.at = end(self.record, from, len)?;
        Ok(self.record.get_mut(from..self.at).unwrap_or_default())
    }

    /// Takes the break, if it is what follows.
    fn take_break(&mut self) -> Result<bool, Error> {
        let found = *self.record.get(self.at).ok_or(Error::Short)? == BREAK;
        self.at += usize::from(found);
        Ok(found)
    }

    fn top(&mut self) -> Result<(), Error> {
        loop {
            let head = self.next()?;
            match head.major {
                // The mark "this is CBOR".
                major::TAG => {}
                // An empty message.
                major::SIMPLE => return Ok(()),
                major::MAP if head.is_open() => {
                    while !self.take_break()? {
                        self.field()?;
                    }
                    return Ok(());
                }
                major::MAP => {
                    for _ in 0..head.argument {
                        self.field()?;
                    }
                    return Ok(());
                }
                _ => return Err(Error::NotAMap),
            }
        }
    }

    /// A field of the record, name and value.
    #[inline]
    fn field(&mut self) -> Result<(), Error> {
        let name = head(self.record, self.at)?;
        let field = if name.major == major::TEXT && !name.is_open() {
            self.at = name.next;
            named(self.content(name.argument)?)
        } else {
            self.odd_name(name)?
        };
        if field == Field::Raw {
            return self.raw();
        }
        self.items(field, 0, 1)
    }

    /// A name in pieces, or one that is no text.
    #[cold]
    fn odd_name(&mut self, name: Head) -> Result<Field, Error> {
        if name.major != major::TEXT {
            self.items(Field::Other, 0, 1)?;
            return Ok(Field::Other);
        }
        let mut whole = Vec::new();
        self.pieces(|piece| whole.extend_from_slice(piece))?;
        Ok(named(&whole))
    }

    /// Bytes may also be written as an array of numbers.
    fn raw(&mut self) -> Result<(), Error> {
        if head(self.record, self.at)?.major == major::ARRAY {
            self.bytes_as_array()
        } else {
            self.items(Field::Raw, 0, 1)
        }
    }

    /// Goes over `left` items and all that they hold.
    fn items(&mut self, field: Field, depth: usize, left: usize) -> Result<(), Error> {
        let outside = mem::replace(&mut self.left, left);
        while self.plain(field) {
            self.left -= 1;
            self.item(field, depth)?;
        }
        self.left = outside;
        if self.at <= self.record.len() { Ok(()) } else { Err(Error::Short) }
    }

    /// Goes over what needs no look; says whether something is left that does.
    #[inline]
    fn plain(&mut self, field: Field) -> bool {
        let Self { record, at, left, .. } = self;
        if field == Field::Other { plain::over_any(record, at, left) } else { plain::over_data(record, at, left) }
    }

    /// Goes over one item, but not over what it holds when it says how much that is. That is added to the count.
    fn item(&mut self, field: Field, depth: usize) -> Result<(), Error> {
        // Tags go with a number that becomes text.
        let start = self.at;
        loop {
            let here = self.at;
            let head = self.next()?;
            match head.major {
                major::BYTES | major::TEXT if head.is_open() => {
                    self.at = here;
                    self.string_in_pieces(field)?;
                }
                major::BYTES | major::TEXT => {
                    let keep = self.keep;
                    let content = self.content(head.argument)?;
                    if let Some(longest) = field.longest() {
                        digits::mask(content, &Rule { keep, longest });
                    }
                }
                major::ARRAY | major::MAP => {
                    let each = if head.major == major::MAP { 2 } else { 1 };
                    if !head.is_open() {
                        // An item has at least one byte, so a count beyond the end is wrong, whatever comes.
                        self.left += (end(self.record, self.at, head.argument)? - self.at) * each;
                        return Ok(());
                    }
                    if depth == DEEPEST {
                        return Err(Error::Deep);
                    }
                    while !self.take_break()? {
                        self.items(field, depth + 1, each)?;
                    }
                }
                major::TAG if BIGNUM.contains(&head.argument) && self.bignum(field, head.argument, start)? => {}
                major::TAG => continue,
                _ if field == Field::Data && head.info >= 26 => self.number(head, start),
                _ => {}
            }
            return Ok(());
        }
    }

    /// A number of four or eight bytes; shorter ones are no card numbers.
    fn number(&mut self, head: Head, start: usize) {
        let (magnitude, negative) = match (head.major, head.info) {
            (major::UNSIGNED, _) => (head.argument, false),
            // −1 − n; the largest has 20 digits, as one more has.
            (major::NEGATIVE, _) => (head.argument.saturating_add(1), true),
            (_, 26) => number::integer_part(f64::from(f32::from_bits(u32::try_from(head.argument).unwrap_or(0)))),
            _ => number::integer_part(f64::from_bits(head.argument)),
        };
        if number::may_be_card(magnitude) {
            self.texts.push(number::mask(magnitude, negative, start, self.at, self.keep));
        }
    }

    /// A bignum of up to eight bytes: says whether it is one and goes behind it. One as long as a card number becomes text, tag and all.
    #[cold]
    #[inline(never)]
    fn bignum(&mut self, field: Field, tag: u64, start: usize) -> Result<bool, Error> {
        let head = head(self.record, self.at)?;
        if head.major != major::BYTES || head.is_open() {
            return Ok(false);
        }
        let until = end(self.record, head.next, head.argument)?;
        let bytes = self.record.get(head.next..until).unwrap_or_default();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if bytes.len() - zeros > 8 {
            return Ok(false);
        }
        let value = bytes.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        self.at = until;
        if field == Field::Data {
            let (magnitude, negative) = (value.saturating_add(tag - BIGNUM.start()), tag != *BIGNUM.start());
            if number::may_be_card(magnitude) {
                self.texts.push(number::mask(magnitude, negative, start, until, self.keep));
            }
        }
        Ok(true)
    }

    /// Bytes as an array of numbers. A star is as short as a digit, so it fits in the same place.
    #[cold]
    #[inline(never)]
    fn bytes_as_array(&mut self) -> Result<(), Error> {
        let array = self.next()?;
        let (mut bytes, mut places, mut left) = (Vec::new(), Vec::new(), array.argument);
        while if array.is_open() { !self.take_break()? } else { left > 0 } {
            left = left.saturating_sub(1);
            let number = self.next()?;
            if number.major != major::UNSIGNED {
                return Err(Error::Invalid);
            }
            bytes.push(u8::try_from(number.argument).map_err(|_| Error::Invalid)?);
            places.push(self.at - 1);
        }
        digits::mask(&mut bytes, &Rule { keep: self.keep, longest: usize::MAX });
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
    #[cold]
    #[inline(never)]
    fn string_in_pieces(&mut self, field: Field) -> Result<(), Error> {
        let start = self.at;
        let Some(longest) = field.longest() else { return self.pieces(|_| ()) };
        let mut whole = Vec::new();
        self.pieces(|piece| whole.extend_from_slice(piece))?;
        digits::mask(&mut whole, &Rule { keep: self.keep, longest });
        self.at = start;
        let mut masked = whole.into_iter();
        self.pieces(|piece| piece.iter_mut().zip(&mut masked).for_each(|(byte, new)| *byte = new))
    }

    /// Shows the pieces of the string that starts here, one by one, and goes behind it.
    fn pieces(&mut self, mut show: impl FnMut(&mut [u8])) -> Result<(), Error> {
        let string = self.next()?;
        while !self.take_break()? {
            let piece = self.next()?;
            if piece.major != string.major || piece.is_open() {
                return Err(Error::Invalid);
            }
            show(self.content(piece.argument)?);
        }
        Ok(())
    }
}

impl Field {
    /// Digits without a gap that still may be a card number; nothing is masked where there is none.
    #[inline]
    fn longest(self) -> Option<usize> {
        match self {
            Self::Data => Some(digits::LONGEST),
            Self::Raw => Some(usize::MAX),
            Self::Other => None,
        }
    }
}

/// fluxrig takes any mix of capitals for its fields.
fn named(name: &[u8]) -> Field {
    /// What tells a small letter from a capital one.
    const SMALL: u8 = 0x20;
    match name {
        [d, a1, t, a2] if [d | SMALL, a1 | SMALL, t | SMALL, a2 | SMALL] == *b"data" => Field::Data,
        [r, a, w] if [r | SMALL, a | SMALL, w | SMALL] == *b"raw" => Field::Raw,
        _ => Field::Other,
    }
}
