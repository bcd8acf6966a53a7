//! CBOR by hand.

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

pub(crate) fn head(major: u8, value: u64) -> Vec<u8> {
    let (info, width) = match value {
        0..24 => (u8::try_from(value).unwrap(), 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    let mut bytes = vec![major << 5 | info];
    bytes.extend_from_slice(&value.to_be_bytes()[8 - width..]);
    bytes
}

pub(crate) fn text(content: &str) -> Vec<u8> {
    string(3, content.as_bytes())
}

pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    string(2, content)
}

fn string(major: u8, content: &[u8]) -> Vec<u8> {
    [head(major, content.len() as u64), content.to_vec()].concat()
}

/// A map of already encoded keys and values.
pub(crate) fn map(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = head(5, pairs.len() as u64);
    for (key, value) in pairs {
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
    out
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

/// A record with one field.
pub(crate) fn record(field: &str, value: &[u8]) -> Vec<u8> {
    map(&[(text(field), value.to_vec())])
}

/// A record with one entry in `data`.
pub(crate) fn data(value: &[u8]) -> Vec<u8> {
    record("data", &record("k", value))
}

/// A record with one hop.
pub(crate) fn hop(value: &[u8]) -> Vec<u8> {
    record("path", &array(&[value.to_vec()]))
}

/// Arrays in one another.
pub(crate) fn nested(levels: usize, inner: &[u8]) -> Vec<u8> {
    [vec![0x81; levels], inner.to_vec()].concat()
}
