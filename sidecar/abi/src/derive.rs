//! Identities that are computed, so that every pod and every retry comes to the same ones.
//!
//! All of them have the shape of a UUID of version 7 (RFC 9562): 48 bits of time, the version, the variant, and the rest
//! from SHA-256. The parts that go into a hash are preceded by their length, so that no two lists of parts look alike.

use alloc::{format, string::String};

use sha2::{Digest as _, Sha256};

use crate::{Id, Uuid};

/// What an entity is: byte 13 of its identity, as in fluxrig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EntityKind {
    /// A gear.
    Gear = 0x05,
    /// A port by which messages come in.
    InputPort = 0x06,
    /// A port by which messages leave.
    OutputPort = 0x07,
}

/// The stored message that an output comes from, and the gear that made it.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Stream of the input.
    pub stream: &'a str,
    /// Sequence of the input in the stream.
    pub sequence: u64,
    /// When the stream stored the input, Unix nanoseconds.
    pub timestamp: i64,
    /// Namespace of the gear.
    pub namespace: &'a str,
    /// Name of the gear.
    pub gear: &'a str,
}

/// Identity of a gear (`port` empty) or of one of its ports, where no scenario gives one. There is no time in it: the
/// bits of the time come from the hash too.
#[must_use]
pub fn entity_id(kind: EntityKind, cluster: &str, namespace: &str, name: &str, port: &str) -> Uuid {
    let kind = kind as u8;
    let mut bytes = [0; 16];
    fill(
        &mut bytes,
        &hash(&[
            b"wasmgear.entity",
            &[kind],
            cluster.as_bytes(),
            namespace.as_bytes(),
            name.as_bytes(),
            port.as_bytes(),
        ]),
    );
    // Where fluxrig has the end of a machine's identity: the same for all gears of a cluster.
    let cluster = hash(&[b"wasmgear.cluster", cluster.as_bytes()]);
    fill(bytes.get_mut(9..13).unwrap_or_default(), &cluster);
    fill(bytes.get_mut(13..14).unwrap_or_default(), &[kind]);
    version_7(bytes)
}

/// Identity of the output with this index, for a guest that left it nil.
#[must_use]
pub fn output_id(origin: &Origin<'_>, index: u32) -> Uuid {
    let mut bytes = [0; 16];
    fill(
        &mut bytes,
        &hash(&[
            b"wasmgear.output",
            origin.stream.as_bytes(),
            &origin.sequence.to_be_bytes(),
            &origin.timestamp.to_be_bytes(),
            origin.namespace.as_bytes(),
            origin.gear.as_bytes(),
            &index.to_be_bytes(),
        ]),
    );
    let milliseconds = origin.timestamp.div_euclid(1_000_000).to_be_bytes();
    let [_, _, time @ ..] = milliseconds;
    fill(&mut bytes, &time);
    version_7(bytes)
}

/// `Nats-Msg-Id` of an output: fluxrig's own form, and behind the `@` the stored input that it comes from, so that
/// outputs of different inputs are never taken for duplicates. `hops` are those of the record as it is published.
#[must_use]
pub fn message_id(id: Id, hops: usize, subject: &str, origin: &Origin<'_>, index: u32) -> String {
    format!("{id}-{hops}-{subject}@{}.{:x}.{index}", origin.sequence, origin.timestamp)
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn fill(target: &mut [u8], source: &[u8]) {
    target.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
}

const fn version_7(mut bytes: [u8; 16]) -> Uuid {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x70;
    *variant = *variant & 0x3f | 0x80;
    Uuid(bytes)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, string::ToString};

    use super::*;

    const ORIGIN: Origin<'_> = Origin {
        stream: "flux-msg",
        sequence: 4711,
        timestamp: 1_730_000_000_123_456_789,
        namespace: "payments",
        gear: "pan-masker",
    };

    fn is_version_7(uuid: Uuid) -> bool {
        uuid.0[6] >> 4 == 7 && uuid.0[8] >> 6 == 2
    }

    #[test]
    fn an_entity_has_its_kind_in_byte_13_and_the_cluster_in_bytes_9_to_12() {
        let gear = entity_id(EntityKind::Gear, "0a1b2c3d", "payments", "pan-masker", "");
        let port = entity_id(EntityKind::InputPort, "0a1b2c3d", "shop", "other", "in");
        assert!(is_version_7(gear) && is_version_7(port));
        assert_eq!((gear.0[13], port.0[13]), (0x05, 0x06));
        assert_eq!(gear.0[9..13], port.0[9..13]);
        assert_ne!(gear.0[9..13], entity_id(EntityKind::Gear, "ffffffff", "payments", "pan-masker", "").0[9..13]);
    }

    #[test]
    fn an_entity_id_never_changes() {
        // A changed value here would give every gear of every cluster a new identity.
        let id = entity_id(EntityKind::OutputPort, "0a1b2c3d", "payments", "pan-masker", "out");
        assert_eq!(id.to_string(), "a919345a-75cb-7d8a-b2b1-257a2e0779e4");
    }

    #[test]
    fn every_part_of_a_name_changes_the_entity() {
        let kind = EntityKind::Gear;
        let ids: HashSet<Uuid> = [
            entity_id(kind, "c", "ns", "name", ""),
            entity_id(kind, "d", "ns", "name", ""),
            entity_id(kind, "c", "nsn", "ame", ""),
            entity_id(kind, "c", "ns", "name", "x"),
            entity_id(kind, "c", "ns", "namex", ""),
            entity_id(EntityKind::InputPort, "c", "ns", "name", ""),
        ]
        .into();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn an_output_id_begins_with_the_time_of_the_input_and_never_changes() {
        let id = output_id(&ORIGIN, 0);
        assert!(is_version_7(id));
        let mut time = [0; 8];
        time[2..].copy_from_slice(&id.0[..6]);
        assert_eq!(u64::from_be_bytes(time), 1_730_000_000_123);
        assert_eq!(id.to_string(), "0192cc09-147b-760c-9231-4284198f51b0");
    }

    #[test]
    fn every_part_of_an_origin_changes_the_output_id() {
        let ids: HashSet<Uuid> = [
            output_id(&ORIGIN, 0),
            output_id(&ORIGIN, 1),
            output_id(&Origin { stream: "other", ..ORIGIN }, 0),
            output_id(&Origin { sequence: 4712, ..ORIGIN }, 0),
            output_id(&Origin { timestamp: ORIGIN.timestamp + 1, ..ORIGIN }, 0),
            output_id(&Origin { namespace: "payment", gear: "span-masker", ..ORIGIN }, 0),
            output_id(&Origin { gear: "x", ..ORIGIN }, 0),
        ]
        .into();
        assert_eq!(ids.len(), 7);
    }

    #[test]
    fn a_message_id_names_the_stored_input() {
        let uuid: Uuid = "0192f3a0-1111-7abc-8def-000102030405".parse().unwrap();
        let subject = "flux.msg.edge-a.pan-masker.out";
        assert_eq!(
            message_id(uuid.into(), 4, subject, &ORIGIN, 2),
            "0192f3a0-1111-7abc-8def-000102030405-4-flux.msg.edge-a.pan-masker.out@4711.180231d58cc8cd15.2"
        );
        assert!(message_id(Id::Number(77), 4, subject, &ORIGIN, 2).starts_with("77-4-flux.msg."));
    }
}
