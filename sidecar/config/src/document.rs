//! The document as a whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Input, Instance, Nats, Revision, names};

/// Version of the document's shape. A sidecar reads its own version only and says so.
pub const VERSION: u32 = 1;
/// Key of the ConfigMap, and so the name of the file in the mounted directory.
pub const FILE_NAME: &str = "gear.json";

/// What a sidecar is told: who it is, what it runs, where messages come from and go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// Shape of this document, [`VERSION`].
    pub version: u32,
    /// Whose sidecar this is.
    pub gear: Identity,
    /// Rises with every change of `stable`, `candidate` or the share between them.
    pub epoch: u64,
    /// The revision that serves.
    pub stable: Revision,
    /// The revision that wants to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// Guest calls at once.
    pub concurrency: u32,
    /// Where messages come from.
    pub input: Input,
    /// How to reach NATS.
    pub nats: Nats,
    /// Where modules are fetched by digest, in this order.
    pub registries: Vec<Registry>,
}

/// The revision that wants to serve, and its share of the messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    /// The revision.
    pub revision: Revision,
    /// Share of the messages, 0 to 100. At 0 it is loaded and tested, and gets none.
    pub percent: u8,
}

/// Whose sidecar this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// First 8 hex digits of the UID of the namespace `kube-system`, or what the chart sets.
    pub cluster_id: String,
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// UID of the resource; a consumer whose metadata has another one is foreign.
    pub uid: String,
}

impl Identity {
    /// Name of the durable consumer.
    #[must_use]
    pub fn durable(&self) -> String {
        names::durable(&self.cluster_id, &self.namespace, &self.name)
    }
}

/// A place that has module bytes by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// Name given by the chart's values, for conditions and metrics.
    pub name: String,
    /// What it is.
    pub source: RegistrySource,
}

/// What kind of place a registry is, for somebody who has a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", from = "RegistrySourceForm")]
pub enum RegistrySource {
    /// Object store `wasm_modules` of the NATS that the gear uses.
    Nats,
    /// HTTP: `GET <url>/modules/<digest>`; the operator serves its folder registries so.
    Operator {
        /// Base, for example `http://wasmgear-operator.wasmgear-system:8083`.
        url: String,
    },
    /// A directory; `wasmgear run` alone uses it.
    Folder {
        /// The directory.
        path: PathBuf,
    },
}

/// As it is read: serde lets a variant without fields pass with any field; one with an empty list of them refuses.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum RegistrySourceForm {
    Nats {},
    Operator { url: String },
    Folder { path: PathBuf },
}

impl From<RegistrySourceForm> for RegistrySource {
    fn from(form: RegistrySourceForm) -> Self {
        match form {
            RegistrySourceForm::Nats {} => Self::Nats,
            RegistrySourceForm::Operator { url } => Self::Operator { url },
            RegistrySourceForm::Folder { path } => Self::Folder { path },
        }
    }
}

/// A document that a sidecar can't follow.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON of this shape.
    #[error("{file}: not a gear document of version {VERSION}")]
    Json {
        /// Name of the file.
        file: &'static str,
        /// What the parser said, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of this shape that contradicts itself.
    #[error("{FILE_NAME}: {}", .0.join("; "))]
    Invalid(Vec<String>),
}

impl Document {
    /// Reads a document and checks it: every problem is reported, not only the first.
    pub fn parse(json: &[u8]) -> Result<Self, DocumentError> {
        let document: Self =
            serde_json::from_slice(json).map_err(|source| DocumentError::Json { file: FILE_NAME, source })?;
        let problems = document.problems();
        if problems.is_empty() { Ok(document) } else { Err(DocumentError::Invalid(problems)) }
    }

    /// The document as it is stored: JSON, two spaces, fields in the order of the types.
    pub fn render(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |ok: bool, sentence: String| {
            if !ok {
                found.push(sentence);
            }
        };
        check(self.version == VERSION, format!("version is {}, this sidecar reads version {VERSION}", self.version));
        check(!self.input.subjects.is_empty(), "input.subjects is empty, at least one subject is expected".into());
        check(
            (1..=1024).contains(&self.concurrency),
            format!("concurrency is {}, 1 to 1024 is expected", self.concurrency),
        );
        let candidate = self.candidate.iter();
        check(
            candidate.clone().all(|c| c.percent <= 100),
            "candidate.percent is above 100, 0 to 100 is expected".into(),
        );
        for revision in candidate.map(|c| &c.revision).chain([&self.stable]) {
            let (name, limits) = (&revision.name, &revision.limits);
            check(
                limits.guest_time <= limits.message_time,
                format!(
                    "{name}: limits.guestTime {} is above limits.messageTime {}",
                    limits.guest_time, limits.message_time
                ),
            );
            check(
                limits.message_time < self.input.ack_wait,
                format!(
                    "{name}: limits.messageTime {} is not below input.ackWait {}",
                    limits.message_time, self.input.ack_wait
                ),
            );
            check(revision.retry.attempts > 0, format!("{name}: retry.attempts is 0, at least 1 is expected"));
            check(
                revision.instance != (Instance::Persistent { max_messages: 0 }),
                format!("{name}: instance.maxMessages is 0, at least 1 is expected"),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests;
