//! The operator's own record, key `record.json` of a gear's ConfigMap: what must not be forgotten or decided twice.
//!
//! It is a help of memory, not a source of trust: the digest of a reference is taken from it, and the bytes of that digest
//! are looked at all the same; grants, limits and everything else come from the resource, each time.

use gear_module::Digest;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

/// Key of the ConfigMap.
pub(crate) const FILE_NAME: &str = "record.json";
/// Revisions that are remembered.
const REMEMBERED: usize = 10;

/// What must not be forgotten or decided twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// Shape of this record.
    pub version: u32,
    /// Number of the newest revision.
    pub counter: u64,
    /// Epoch of the document.
    pub epoch: u64,
    /// What the reference stands for.
    pub pin: Pin,
    /// Generation that last changed the consumer.
    pub input_generation: i64,
    /// Revisions, newest first; the first one is wanted.
    pub revisions: Vec<Entry>,
}

/// What a reference stands for. A reference is looked up once and then pinned, until it is written differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pin {
    /// The reference in the resource.
    pub module: String,
    /// SHA-256.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Registry that had it.
    pub registry: String,
    /// Generation that it was looked up for.
    pub generation: i64,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// `r<n>-<first 8 hex of the hash>`.
    pub name: String,
    /// Hash of what decides a message's result.
    pub hash: String,
    /// Digest of the module.
    pub digest: Digest,
    /// Reference that the resource had.
    pub module: String,
    /// Generation that first asked for it.
    pub generation: i64,
    /// When it became the wanted one.
    pub since: Time,
}

impl Record {
    /// Reads a record. One that can't be read is none: the next one begins anew, with the pin looked up again.
    #[must_use]
    pub(crate) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|record: &Self| record.version == 1 && !record.revisions.is_empty())
    }

    /// The revision that is wanted.
    #[must_use]
    pub(crate) fn wanted(&self) -> Option<&Entry> {
        self.revisions.first()
    }

    /// The revision before it.
    #[must_use]
    pub(crate) fn previous(&self) -> Option<&Entry> {
        self.revisions.get(1)
    }

    /// What is wanted now, after `last`: the same, or one revision and one epoch more.
    #[must_use]
    pub(crate) fn next(last: Option<&Self>, pin: Pin, hash: &str, generation: i64, now: Time) -> Self {
        let (counter, epoch) = last.map_or((0, 0), |last| (last.counter, last.epoch));
        let input_generation = last.map_or(generation, |last| last.input_generation);
        let mut revisions = last.map(|last| last.revisions.clone()).unwrap_or_default();
        if revisions.first().is_some_and(|newest| newest.hash == hash) {
            return Self { version: 1, counter, epoch, pin, input_generation, revisions };
        }
        let counter = counter + 1;
        let name = format!("r{counter}-{}", hash.chars().take(8).collect::<String>());
        let (digest, module) = (pin.digest, pin.module.clone());
        revisions.insert(0, Entry { name, hash: hash.to_owned(), digest, module, generation, since: now });
        revisions.truncate(REMEMBERED);
        Self { version: 1, counter, epoch: epoch + 1, pin, input_generation, revisions }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn pin(version: &str) -> Pin {
        let module = format!("urn:wasm:x:{version}");
        Pin { digest: Digest::of(module.as_bytes()), module, size: 1, registry: "nats".into(), generation: 1 }
    }

    fn now() -> Time {
        Time(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_same_hash_is_the_same_revision_and_epoch() {
        let first = Record::next(None, pin("v1"), "aaaaaaaaaa", 1, now());
        assert_eq!((first.counter, first.epoch, first.wanted().unwrap().name.as_str()), (1, 1, "r1-aaaaaaaa"));
        assert_eq!(Record::next(Some(&first), pin("v1"), "aaaaaaaaaa", 2, now()), first);
    }

    #[test]
    fn going_back_is_a_new_revision_with_the_old_hash() {
        let one = Record::next(None, pin("v1"), "aaaaaaaaaa", 1, now());
        let two = Record::next(Some(&one), pin("v2"), "bbbbbbbbbb", 2, now());
        let three = Record::next(Some(&two), pin("v1"), "aaaaaaaaaa", 3, now());
        let names: Vec<_> = three.revisions.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["r3-aaaaaaaa", "r2-bbbbbbbb", "r1-aaaaaaaa"]);
        assert_eq!(three.epoch, 3);
    }

    #[test]
    fn old_revisions_are_forgotten_and_numbers_are_not() {
        let mut record = None;
        for n in 0..30 {
            record = Some(Record::next(record.as_ref(), pin("v1"), &format!("{n:010}"), n, now()));
        }
        let record = record.unwrap();
        assert_eq!((record.revisions.len(), record.counter), (10, 30));
    }

    #[test]
    fn a_record_survives_its_own_text_and_another_shape_is_none() {
        let record = Record::next(None, pin("v1"), "aaaaaaaaaa", 1, now());
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(Record::parse(&text), Some(record));
        assert_eq!(Record::parse(&text.replace("\"version\":1", "\"version\":2")), None);
        assert_eq!(Record::parse("{"), None);
    }
}
