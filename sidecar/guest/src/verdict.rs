//! What a gear makes of a message.

use alloc::{borrow::Cow, vec::Vec};

use gear_abi::Message;

/// A reason in words; a `&'static str` or a `String` by `.into()`.
pub type Text = Cow<'static, str>;

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<T = Message> {
    /// The message goes on. A gear that took it as `&mut [u8]` passes what it made of it; every other one what it was given.
    Pass,
    /// One record goes out in place of the message.
    Emit(T),
    /// Several records go out, or none. One with the key `flux.port` in its metadata goes out on that port.
    EmitAll(Vec<T>),
    /// The message is refused: it is dead-lettered, or goes to the error port.
    Reject(Text),
    /// The message is refused, with a number of the gear's own.
    RejectWith(Reason, Text),
    /// Nothing goes out.
    Drop,
}

impl<T> Verdict<T> {
    /// [`Verdict::Reject`] with any text.
    pub fn reject(text: impl Into<Text>) -> Self {
        Self::Reject(text.into())
    }

    /// [`Verdict::RejectWith`] with any text.
    pub fn reject_with(reason: Reason, text: impl Into<Text>) -> Self {
        Self::RejectWith(reason, text.into())
    }
}

/// Number of a reason to refuse a message, for people who count refusals by cause: 3 to 255, the rest has a meaning already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(u8);

impl Reason {
    /// The reason with this number. In a `const` a number below 3 does not compile.
    ///
    /// ```
    /// use gear_guest::Reason;
    ///
    /// const NO_AMOUNT: Reason = Reason::new(3);
    /// ```
    ///
    /// # Panics
    ///
    /// When the number is below 3.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!(number >= 3, "0, 1 and 2 are OK, Reject and Drop: a reason of the gear's own is 3 or more");
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Something that is a fluxMsg record.
pub trait Record {
    /// The record's bytes.
    fn into_bytes(self) -> Vec<u8>;
}

impl Record for Message {
    fn into_bytes(self) -> Vec<u8> {
        self.encode()
    }
}

/// Bytes that the gear itself made; the host looks at them as closely as at any.
impl Record for Vec<u8> {
    fn into_bytes(self) -> Vec<u8> {
        self
    }
}
