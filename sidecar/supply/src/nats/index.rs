//! The index: name and version to digest, written once.

use async_nats::{
    HeaderMap, HeaderValue,
    header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
    jetstream::stream::{Config, DiscardPolicy},
};
use futures_util::TryStreamExt;
use gear_module::{Digest, Reference};
use serde::{Deserialize, Serialize};

use super::{Ask, NatsRegistry};
use crate::{Pushed, SupplyError, Verified};

/// Versions that [`NatsRegistry::list`] reads at most.
const MAX_LISTED: usize = 10_000;
/// An entry is about 120 bytes; more is no entry.
const MAX_ENTRY: usize = 4 << 10;

/// Value of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

/// One version of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// `urn:wasm:<name>:<version>`.
    pub reference: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl NatsRegistry {
    pub(super) async fn entry(&self, reference: &Reference) -> Result<Entry, SupplyError> {
        self.find(reference).await?.ok_or_else(|| SupplyError::NotFound {
            registry: self.name.clone(),
            what: reference.to_string(),
            next: format!("put it there with: wasmgear push <file> {reference}"),
        })
    }

    async fn find(&self, reference: &Reference) -> Result<Option<Entry>, SupplyError> {
        let key = reference.index_key();
        let subject = format!("$KV.{}.{key}", self.index_bucket);
        let doing = format!("reading key {key} of bucket {}", self.index_bucket);
        let found = self.get(&self.index_stream(), Ask::Last(&subject), &doing).await?;
        found.map(|message| self.parse(&reference.to_string(), &message.payload)).transpose()
    }

    fn parse(&self, what: &str, value: &[u8]) -> Result<Entry, SupplyError> {
        let expected = "a JSON object with digest and size is expected in the index";
        if value.len() > MAX_ENTRY {
            return Err(self.invalid(what, format!("{} bytes; {expected}", value.len())));
        }
        serde_json::from_slice(value).map_err(|error| self.invalid(what, format!("{error}; {expected}")))
    }

    /// What the index has for `reference`: nothing, the same digest, or an error.
    pub(super) async fn compare(&self, reference: &Reference, offered: Digest) -> Result<Option<Pushed>, SupplyError> {
        match self.find(reference).await? {
            None => Ok(None),
            Some(entry) if entry.digest == offered => Ok(Some(Pushed::AlreadyThere)),
            Some(entry) => Err(SupplyError::VersionTaken {
                registry: self.name.clone(),
                reference: reference.to_string(),
                has: entry.digest,
                offered,
            }),
        }
    }

    pub(super) async fn write_entry(&self, reference: &Reference, module: &Verified) -> Result<Pushed, SupplyError> {
        let entry = Entry { digest: module.digest(), size: module.bytes().len() as u64 };
        let value = serde_json::to_vec(&entry).map_err(|error| self.fault("writing the index", Box::new(error)))?;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, HeaderValue::from(0u64));
        let subject = format!("$KV.{}.{}", self.index_bucket, reference.index_key());
        match self.publish(subject, headers, value.into()).await {
            Ok(_) => Ok(Pushed::New),
            // Refused, or the answer was lost: what the index has now decides.
            Err(error) => match self.compare(reference, module.digest()).await? {
                Some(pushed) => Ok(pushed),
                None => Err(self.fault("writing the index", Box::new(error))),
            },
        }
    }

    /// The settings that make the server itself refuse a second value.
    pub(super) async fn require_write_once(&self) -> Result<(), SupplyError> {
        let stream = self.context.get_stream(self.index_stream()).await;
        let stream = stream.map_err(|error| self.fault("reading the settings of the index", Box::new(error)))?;
        match weakness(&stream.cached_info().config) {
            None => Ok(()),
            Some(problem) => Err(SupplyError::IndexMutable {
                registry: self.name.clone(),
                bucket: self.index_bucket.clone(),
                problem: problem.into(),
            }),
        }
    }

    pub(super) async fn read_index(&self) -> Result<Vec<Listed>, SupplyError> {
        let doing = "listing the index";
        let subjects = format!("$KV.{}.>", self.index_bucket);
        let stream = self.stream(&self.index_stream()).await?;
        let mut keys = stream.info_with_subjects(subjects).await.map_err(|error| self.fault(doing, Box::new(error)))?;
        let mut listed = Vec::new();
        while let Some((subject, _)) = keys.try_next().await.map_err(|error| self.fault(doing, Box::new(error)))? {
            if listed.len() == MAX_LISTED {
                tracing::warn!("more than {MAX_LISTED} versions; the list is cut");
                break;
            }
            if let Some(reference) = reference_of(&subject)
                && let Some(message) = self.get(&self.index_stream(), Ask::Last(&subject), doing).await?
            {
                // One bad entry must not hide the others.
                match self.parse(&reference, &message.payload) {
                    Ok(Entry { digest, size }) => listed.push(Listed { reference, digest, size }),
                    Err(error) => tracing::warn!(error = error.chain(), "an entry is left out of the list"),
                }
            }
        }
        listed.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(listed)
    }

    fn index_stream(&self) -> String {
        format!("KV_{}", self.index_bucket)
    }
}

/// `$KV.<bucket>.<name>.<version>` back to `urn:wasm:<name>:<version>`; names have no dots, versions no underscores.
fn reference_of(subject: &str) -> Option<String> {
    let (_, key) = subject.strip_prefix("$KV.")?.split_once('.')?;
    let (name, version) = key.rsplit_once('.')?;
    let text = format!("urn:wasm:{}:{}", name.replace('.', "/"), version.replace('_', "."));
    text.parse::<Reference>().ok().map(|reference| reference.to_string())
}

fn weakness(config: &Config) -> Option<&'static str> {
    [
        (config.max_messages_per_subject == 1, "max_msgs_per_subject: 1 is expected"),
        (config.discard == DiscardPolicy::New, "discard: new is expected"),
        (config.discard_new_per_subject, "discard_new_per_subject: true is expected"),
        (config.deny_delete, "deny_delete: true is expected"),
        (config.deny_purge, "deny_purge: true is expected"),
        (!config.allow_rollup, "allow_rollup_hdrs: false is expected"),
    ]
    .into_iter()
    .find_map(|(held, problem)| (!held).then_some(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_index_lead_back_to_their_references() {
        for text in ["urn:wasm:fraud-scorer:v2.1", "urn:wasm:a/b-c/d:v1.2.3-rc.1", "urn:wasm:x:v2"] {
            let key = text.parse::<Reference>().unwrap().index_key();
            assert_eq!(reference_of(&format!("$KV.wasm_index.{key}")).as_deref(), Some(text));
        }
        for subject in ["$KV.wasm_index.x", "$KV.wasm_index.X.v1", "$KV.wasm_index.x.latest", "other"] {
            assert_eq!(reference_of(subject), None, "{subject}");
        }
    }

    #[test]
    fn each_setting_that_makes_the_index_write_once_is_asked_for() {
        let strict = Config {
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            deny_delete: true,
            deny_purge: true,
            allow_rollup: false,
            ..Config::default()
        };
        assert_eq!(weakness(&strict), None);
        for weak in [
            Config { max_messages_per_subject: 2, ..strict.clone() },
            Config { discard: DiscardPolicy::Old, ..strict.clone() },
            Config { discard_new_per_subject: false, ..strict.clone() },
            Config { deny_delete: false, ..strict.clone() },
            Config { deny_purge: false, ..strict.clone() },
            Config { allow_rollup: true, ..strict.clone() },
        ] {
            assert!(weakness(&weak).is_some());
        }
    }
}
