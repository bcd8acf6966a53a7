//! Names and texts on the wire that belong to the stream; `docs/reference/wire.md` lists them.

use async_nats::HeaderName;

/// Header of outputs and dead letters: `<stream>:<sequence>` of the input.
pub const INPUT: HeaderName = HeaderName::from_static(INPUT_NAME);
pub(crate) const INPUT_NAME: &str = "Wasmgear-Input";
/// Header of outputs and dead letters: digest of the module.
pub const DIGEST: HeaderName = HeaderName::from_static("Wasmgear-Digest");
/// Header of dead letters: why, from a closed list.
pub const REASON: HeaderName = HeaderName::from_static("Wasmgear-Reason");
/// Header of dead letters: a sentence, a backtrace, a reason of the guest.
pub const DETAIL: HeaderName = HeaderName::from_static("Wasmgear-Detail");
/// Header of dead letters: failures of the guest.
pub const ATTEMPTS: HeaderName = HeaderName::from_static("Wasmgear-Attempts");
/// Header of dead letters: subject of the input.
pub const SUBJECT: HeaderName = HeaderName::from_static("Wasmgear-Subject");
/// Header of dead letters: name of the revision.
pub const REVISION: HeaderName = HeaderName::from_static("Wasmgear-Revision");
/// Header of dead letters: version of the sidecar.
pub const VERSION: HeaderName = HeaderName::from_static("Wasmgear-Version");
/// Header of dead letters: when the input was stored.
pub const STORED: HeaderName = HeaderName::from_static("Wasmgear-Stored");
/// Header of dead letters: when the letter was written.
pub const WRITTEN: HeaderName = HeaderName::from_static("Wasmgear-Written");
/// Header of dead letters that had to be split: `i/n`, from 1.
pub const PART: HeaderName = HeaderName::from_static("Wasmgear-Part");
/// Header of dead letters: trace context.
pub const TRACE: HeaderName = HeaderName::from_static("traceparent");

/// Metadata key of the consumer: UID of the gear.
pub const META_UID: &str = "wasmgear.uid";
/// Metadata key of the consumer: cluster id.
pub const META_CLUSTER: &str = "wasmgear.cluster";
/// Metadata key of the consumer: generation that its configuration comes from.
pub const META_GENERATION: &str = "wasmgear.generation";

/// `Nats-Msg-Id` of an output whose own id is taken by something else.
pub(crate) fn copy_id(id: &str, copy: u8) -> String {
    if copy == 0 { id.to_owned() } else { format!("{id}.x{copy}") }
}

/// Value of [`INPUT`].
pub(crate) fn input_of(stream: &str, sequence: u64) -> String {
    format!("{stream}:{sequence}")
}

/// Key in the bucket `wasmgear_state` with the attempts of one message.
pub(crate) fn attempts_key(durable: &str, sequence: u64) -> String {
    format!("a.{durable}.{sequence}")
}

/// Key in the bucket `wasmgear_state` with the position of one consumer.
pub(crate) fn position_key(durable: &str) -> String {
    format!("p.{durable}")
}

/// RFC 3339 in UTC, milliseconds, of Unix nanoseconds.
pub(crate) fn rfc3339(nanos: i64) -> String {
    let (seconds, millis) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000) / 1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil from days, after Howard Hinnant: eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_709_164_799_999_000_000, "2024-02-28T23:59:59.999Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000Z"),
            (1_767_225_600_123_456_789, "2026-01-01T00:00:00.123Z"),
            (-1_000_000, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(nanos), text);
        }
    }

    #[test]
    fn a_collision_changes_the_id_and_nothing_else() {
        assert_eq!(copy_id("a-1-s@1.ff.0", 0), "a-1-s@1.ff.0");
        assert_eq!(copy_id("a-1-s@1.ff.0", 2), "a-1-s@1.ff.0.x2");
    }
}
