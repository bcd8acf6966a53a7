//! Heads in their shortest form, as the library writes them.

use alloc::vec::Vec;

use super::kind;

/// The shortest head, and its length.
pub(crate) fn head(major: u8, value: u64) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    let (info, width) = match value {
        0..24 => (value.to_be_bytes()[7], 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    let [first, argument @ ..] = &mut bytes;
    *first = major << 5 | info;
    let significant = value.to_be_bytes().into_iter().skip(8 - width);
    argument.iter_mut().zip(significant).for_each(|(to, from)| *to = from);
    (bytes, 1 + width)
}

pub(crate) fn put_head(out: &mut Vec<u8>, major: u8, value: usize) {
    put_long_head(out, major, u64::try_from(value).unwrap_or(u64::MAX));
}

pub(crate) fn put_long_head(out: &mut Vec<u8>, major: u8, value: u64) {
    let (bytes, len) = head(major, value);
    out.extend(bytes.into_iter().take(len));
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_head(out, kind::TEXT, text.len());
    out.extend_from_slice(text.as_bytes());
}
