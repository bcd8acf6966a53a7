//! NATS subjects with wildcards: does one pattern cover another, do two overlap.
//!
//! `*` stands for one token, a last `>` for one or more.

/// Whether everything that `inner` matches is matched by `outer`.
#[must_use]
pub fn covers(outer: &str, inner: &str) -> bool {
    let (mut outer, mut inner) = (outer.split('.'), inner.split('.'));
    loop {
        match (outer.next(), inner.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// Whether some subject is matched by both.
#[must_use]
pub fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) | (None, None) => return true,
            (Some("*"), Some(_)) | (Some(_), Some("*")) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_matches_and_no_more() {
        for (outer, inner, expected) in [
            ("a.b", "a.b", true),
            ("a.*", "a.b", true),
            ("a.>", "a.b.c", true),
            ("a.>", "a.*.c", true),
            (">", "a", true),
            ("a.>", "a", false),
            ("a.*", "a.>", false),
            ("a.b", "a.*", false),
            ("a.*.c", "a.b.c", true),
            ("a.b.c", "a.b", false),
            ("a.*", "a.b.c", false),
            (">", "a.*.>", true),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} covers {inner}");
        }
    }

    #[test]
    fn two_patterns_overlap_when_one_subject_fits_both() {
        for (a, b, expected) in [
            ("a.b", "a.b", true),
            ("a.*", "*.b", true),
            ("a.>", "*.b.c", true),
            (">", "a.b", true),
            ("a.b", "a.c", false),
            ("a.*", "a.b.c", false),
            ("a", "a.b", false),
            ("a.>", "a", false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a} and {b}");
            assert_eq!(overlap(b, a), expected, "{b} and {a}");
        }
    }
}
