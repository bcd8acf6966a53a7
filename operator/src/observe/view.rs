//! What a person would be told about sidecars.

use std::collections::BTreeMap;

use gear_config::status::Problem;
use wasmgear_crds::Lag;

/// What a person would be told about the sidecars of a gear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// The pods, by name.
    pub pods: BTreeMap<String, PodView>,
    /// Whether messages come.
    pub messages: Messages,
    /// How far behind the gear is; `None` before anybody knows.
    pub lag: Option<Lag>,
    /// Microseconds that an instance costs, the dearest pod.
    pub instance_cost: Option<u64>,
}

/// One pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PodView {
    /// Ready, says the kubelet.
    pub ready: bool,
    /// Asked to end: it finishes what it has in hand and takes nothing new.
    pub leaving: bool,
    /// Revision that its template names.
    pub revision: String,
    /// Modules that it has loaded.
    pub digests: Vec<String>,
    /// Why it is not ready, in its own words.
    pub problem: Option<Problem>,
    /// What it said of its stream, last time.
    pub link: Link,
    /// Why it is not connected.
    pub stream_problem: Option<Problem>,
    /// Its books do not balance.
    pub unbalanced: bool,
    /// What the kubelet or the scheduler says, when it does not run.
    pub waiting: Option<String>,
}

/// What a sidecar says of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Link {
    /// Nothing: it did not answer.
    #[default]
    Unknown,
    /// It is not connected.
    Down,
    /// Connected, with a consumer of its own.
    Up,
}

impl PodView {
    /// It answered, last time.
    pub(crate) fn answered(&self) -> bool {
        self.link != Link::Unknown
    }
}

/// Whether messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Messages {
    /// Nobody knows yet.
    #[default]
    Unknown,
    /// Connected for a while, and none came.
    Silent {
        /// The server says that some wait.
        waiting: bool,
    },
    /// Some came.
    Came,
}
