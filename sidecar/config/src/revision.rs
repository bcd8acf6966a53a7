//! A revision: everything that decides what becomes of a message.

use std::collections::BTreeMap;

use gear_module::{Digest, Grants};
use serde::{Deserialize, Serialize};

use crate::{ByteSize, Span};

/// Everything that decides a message's result. Two messages handled by equal revisions are handled alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// `r<n>-<first 8 hex of the hash of all other fields>`.
    pub name: String,
    /// Reference as the resource has it, for people to read; never used to look anything up.
    pub module: String,
    /// SHA-256 of the module's bytes. The sidecar asks for this and compares.
    pub digest: Digest,
    /// Size of the module in bytes, as the operator saw it.
    pub size: u64,
    /// Export to call for each message.
    pub entrypoint: String,
    /// What the guest may do beyond computing.
    #[serde(default)]
    pub grants: Grants,
    /// Bounds for each message.
    pub limits: Limits,
    /// How long an instance lives.
    pub instance: Instance,
    /// The gear's own parameters, read by `flux_config_get`.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Where outputs go.
    pub output: Output,
    /// What becomes of a message that the guest rejects.
    pub on_reject: OnReject,
    /// How often and how fast a failed message is tried again.
    pub retry: Retry,
}

/// Bounds for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Linear memory of an instance.
    pub memory: ByteSize,
    /// CPU time inside the guest.
    pub guest_time: Span,
    /// Wall time of the call, host functions included.
    pub message_time: Span,
    /// Records that one call may emit.
    pub output_messages: u32,
    /// Bytes that one call may emit, all records together.
    pub output_size: ByteSize,
    /// Bytes of log text that one call may write.
    pub log_size: ByteSize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: ByteSize::new(64 << 20),
            guest_time: Span::from_millis(100),
            message_time: Span::from_secs(5),
            output_messages: 64,
            output_size: ByteSize::new(1 << 20),
            log_size: ByteSize::new(16 << 10),
        }
    }
}

/// How long an instance lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", from = "InstanceForm")]
pub enum Instance {
    /// A new instance for each message; no message ever sees another one's memory.
    Fresh,
    /// Guest globals live on; retired after a trap, a timeout, a denied growth or `maxMessages`.
    #[serde(rename_all = "camelCase")]
    Persistent {
        /// Messages after which the instance is replaced.
        max_messages: u32,
    },
}

/// As it is read: serde lets a variant without fields pass with any field; one with an empty list of them refuses.
#[derive(Deserialize)]
#[serde(tag = "mode", rename_all_fields = "camelCase", deny_unknown_fields)]
enum InstanceForm {
    Fresh {},
    Persistent { max_messages: u32 },
}

impl From<InstanceForm> for Instance {
    fn from(form: InstanceForm) -> Self {
        match form {
            InstanceForm::Fresh {} => Self::Fresh,
            InstanceForm::Persistent { max_messages } => Self::Persistent { max_messages },
        }
    }
}

/// `maxMessages` of a persistent instance when the resource does not say.
pub(crate) const DEFAULT_MAX_MESSAGES: u32 = 100_000;

impl Instance {
    /// A persistent instance with the default life of 100,000 messages.
    #[must_use]
    pub const fn persistent() -> Self {
        Self::Persistent { max_messages: DEFAULT_MAX_MESSAGES }
    }
}

/// Where outputs go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Output {
    /// `flux.msg.<rack>.<gear>`; a port is appended with a dot.
    pub prefix: String,
    /// Ports beyond `out` that the meta key `flux.port` may pick.
    #[serde(default)]
    pub ports: Vec<String>,
}

/// What becomes of a message that the guest rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnReject {
    /// It becomes a dead letter.
    DeadLetter,
    /// It leaves by the port `error`.
    ErrorPort,
}

/// How often and how fast a failed message is tried again. Delays double and are jittered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Failures of the guest after which a message becomes a dead letter; at least 1.
    pub attempts: u32,
    /// Delay before the second attempt.
    pub backoff: Span,
    /// Longest delay.
    pub max_backoff: Span,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, backoff: Span::from_secs(1), max_backoff: Span::from_secs(30) }
    }
}
