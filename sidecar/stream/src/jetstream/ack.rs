//! The subject that settles a delivery tells where it comes from:
//! `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<timestamp>.<pending>`, or with domain and account
//! hash before the stream and possibly more behind.

/// What an ack subject tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AckInfo {
    pub(super) delivered: u64,
    pub(super) sequence: u64,
    pub(super) timestamp: i64,
    pub(super) pending: u64,
}

/// Reads an ack subject; `None` when it is none.
pub(super) fn read(subject: &str) -> Option<AckInfo> {
    let mut tokens = subject.strip_prefix("$JS.ACK.")?.split('.');
    // Short form: 7 tokens. Long form: 9 or more, the first two are domain and account hash.
    let skipped = if tokens.clone().count() >= 9 { 4 } else { 2 };
    let delivered = tokens.nth(skipped)?.parse().ok()?;
    let sequence = tokens.next()?.parse().ok()?;
    let timestamp = tokens.nth(1)?.parse().ok()?;
    let pending = tokens.next()?.parse().ok()?;
    Some(AckInfo { delivered, sequence, timestamp, pending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_tell_the_same() {
        let expected = AckInfo { delivered: 3, sequence: 42, timestamp: 1_767_225_600_000_000_001, pending: 7 };
        for subject in [
            "$JS.ACK.flux-msg.d.3.42.40.1767225600000000001.7",
            "$JS.ACK.hub.Ab12.flux-msg.d.3.42.40.1767225600000000001.7",
            "$JS.ACK._.Ab12.flux-msg.d.3.42.40.1767225600000000001.7.x9",
        ] {
            assert_eq!(read(subject), Some(expected), "{subject}");
        }
        for subject in ["", "$JS.ACK.", "flux.msg.a", "$JS.ACK.s.d.x.1.1.1.1", "$JS.ACK.s.d.1.1.1.1"] {
            assert_eq!(read(subject), None, "{subject}");
        }
    }
}
