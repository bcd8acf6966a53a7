//! The words of conditions: every type and every reason that the operator writes, with what it means and what helps.
//!
//! * `Reconciling` and `Stalled` are present only while True, and never both. `Stalled` means: it will not get better
//!   without a change of the resource, a Secret or the registry's content; tools give up at its first sight.
//! * The reason of `Ready`, `Reconciling` and `Stalled` repeats the reason of what holds the resource up.
//! * Reasons that sidecars report are passed on in `StreamConnected` and `RolledOut`.

/// What a condition speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionType {
    /// The newest generation serves.
    Ready,
    /// Some revision serves.
    Available,
    /// The module was found, and is one that a gear can run.
    ModuleResolved,
    /// Every import of the module is granted.
    CapabilitiesGranted,
    /// The pods run the newest revision.
    RolledOut,
    /// The sidecars have their consumer.
    StreamConnected,
    /// The books of the sidecars balance.
    LedgerBalanced,
    /// Work goes on, or waits for something that comes back by itself.
    Reconciling,
    /// Nothing will change before somebody changes something.
    Stalled,
}

impl ConditionType {
    /// All types, in the order of the reference.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Available,
        Self::ModuleResolved,
        Self::CapabilitiesGranted,
        Self::RolledOut,
        Self::StreamConnected,
        Self::LedgerBalanced,
        Self::Reconciling,
        Self::Stalled,
    ];

    /// The word in the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Available => "Available",
            Self::ModuleResolved => "ModuleResolved",
            Self::CapabilitiesGranted => "CapabilitiesGranted",
            Self::RolledOut => "RolledOut",
            Self::StreamConnected => "StreamConnected",
            Self::LedgerBalanced => "LedgerBalanced",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }

    /// What True means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ready => "The newest generation serves: its revision runs in all pods, or there are none to run.",
            Self::Available => "Some revision serves, perhaps an older one.",
            Self::ModuleResolved => "The module was found, its digest is pinned, and a gear can run it.",
            Self::CapabilitiesGranted => "Everything that the module imports is granted.",
            Self::RolledOut => "All pods run the newest revision and are ready.",
            Self::StreamConnected => "Every sidecar that answers is connected and has its consumer.",
            Self::LedgerBalanced => {
                "The books of every sidecar that answers balance: each message is in exactly one class."
            }
            Self::Reconciling => "Work goes on, or waits for something that comes back by itself. Absent otherwise.",
            Self::Stalled => {
                "Nothing will change before somebody changes the resource, a Secret or the registry. Absent otherwise."
            }
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident: $($on:ident)|* => $act:literal;)*) => {
        /// Why a condition is what it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])* $name,)*
        }

        impl Reason {
            /// All reasons, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the status, in Events and in metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What it means.
            #[must_use]
            pub fn meaning(self) -> String {
                match self { $(Self::$name => [$($doc),*].concat().trim().to_owned(),)* }
            }

            /// What to do.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $act,)* }
            }

            /// The conditions that it is a reason of; none for a reason of Events alone. `Ready`, `Reconciling` and
            /// `Stalled` repeat those of the others.
            #[must_use]
            pub const fn conditions(self) -> &'static [ConditionType] {
                match self { $(Self::$name => &[$(ConditionType::$on,)*],)* }
            }
        }
    };
}

reasons! {
    /// All is as it should be.
    Serving: Ready | Available => "Nothing.";
    /// `replicas` is 0: the newest revision is in place and no pod runs.
    ScaledToZero: Ready | Available | RolledOut | StreamConnected | LedgerBalanced => "Raise `replicas` to serve; the consumer keeps its position for `input.forgetAfter`.";
    /// No pod is ready.
    NoReadyPods: Available => "Look at `RolledOut`, `StreamConnected` and `status.pods`, which say why.";
    /// No revision was ever good enough to run.
    NothingToServe: Available | RolledOut | StreamConnected | LedgerBalanced => "Look at the reason of `Ready`.";
    /// The module was found and its digest is pinned.
    Resolved: ModuleResolved => "Nothing.";
    /// The registry has no module of this name and version.
    ModuleNotFound: ModuleResolved => "Push the module (`wasmgear push`) or correct `module`. The operator looks again by itself.";
    /// No registry of the operator takes modules of this name.
    RegistryNotAllowed: ModuleResolved => "Correct `module`, or let a registry of the chart's `registries` match it.";
    /// The registry does not answer, or not in time.
    RegistryUnavailable: ModuleResolved => "Nothing, if the registry is coming back: the operator tries again. Else look at the registry.";
    /// The registry's index can be changed after the fact, so a version would not stay the same module.
    IndexMutable: ModuleResolved => "Run `wasmgear init` to see the setting that is missing, and put it right on the server.";
    /// What the registry holds of the module contradicts itself.
    RegistryInvalid: ModuleResolved => "Push the module again.";
    /// The bytes in the registry, or the digest in its index, are not those that `module` names.
    DigestMismatch: ModuleResolved => "Do not trust the registry before you know why; push the right bytes or correct the digest in `module`.";
    /// The module exceeds a bound that holds for every module.
    ModuleTooLarge: ModuleResolved => "Build a smaller module; the message names the bound.";
    /// Compiling the module would cost more than it may, as far as can be told without doing it.
    CompileLimit: ModuleResolved => "Split up the function that the message names, or build the module with fewer functions, locals or loops inside each other.";
    /// The bytes are no core wasm module.
    NotAWasmModule: ModuleResolved => "Build a core module, for example for wasm32-unknown-unknown, and push it.";
    /// The module uses a proposal of WebAssembly that gears can't use.
    UnsupportedProposal: ModuleResolved => "Build it without the feature that the message names.";
    /// The module imports a memory, a table or a global.
    ImportRefused: ModuleResolved => "Link the module with a memory and table of its own.";
    /// The module lacks an export that a gear needs.
    MissingExport: ModuleResolved => "Export what the message names, or set `entrypoint`.";
    /// An export that a gear needs has another type.
    WrongExportType: ModuleResolved => "Change the function to a type that the message names, or set `entrypoint` to another export.";
    /// The module is a program with `_start`, not a library.
    NotAReactor: ModuleResolved => "Build a reactor; the message names the flags.";
    /// The module's memory starts larger than `limits.memory`.
    MemoryMinimum: ModuleResolved => "Raise `limits.memory`, or link the module with a smaller memory.";
    /// The module can't be a gear, for a reason that this release has no word for.
    ModuleRefused: ModuleResolved => "The message says what was found.";
    /// Nothing was looked at, because something before it failed.
    NotJudged: ModuleResolved | CapabilitiesGranted | RolledOut => "Look at the reason of `Ready`.";
    /// Every import is granted.
    Granted: CapabilitiesGranted => "Nothing.";
    /// The module imports something that the resource does not grant.
    NotGranted: CapabilitiesGranted => "Grant it, if you trust the module with it; the message names import and field.";
    /// The module imports, or the resource asks for, something that this release does not have.
    NotAvailable: CapabilitiesGranted | ModuleResolved => "Build the module without it, or wait for a release that has it.";
    /// The module imports something that no gear can have.
    UnknownImport: CapabilitiesGranted => "Build the module without it; `docs/reference/abi.md` lists what exists.";
    /// The module imports something that exists, with another type.
    WrongImportType: CapabilitiesGranted => "Correct the declaration in the module; the message names both types.";
    /// The specification contradicts itself in a way that the schema could not see.
    InvalidSpec: Ready => "Correct what the message names.";
    /// The resource can't be read: it was stored under another version of the definition.
    Unreadable: Ready => "Upgrade the chart, so that definition and operator fit, or write the resource anew.";
    /// The operator's allow rules do not permit this namespace to do it.
    NotPermitted: Ready => "Correct what the message names, or ask who installed the operator to extend `tenants`.";
    /// An older gear already writes to this output.
    OutputConflict: Ready => "Give one of the two another `output.gear` or `output.rack`.";
    /// The gear would read what it writes.
    OutputFeedsInput: Ready => "Set `output.gear` or `output.rack` to something that `input` does not match.";
    /// A Secret that the resource names is not there, or lacks a key.
    SecretMissing: Ready => "Make the Secret; the operator looks again by itself.";
    /// An object by the name of a child exists and belongs to somebody else.
    ChildConflict: Ready => "Rename or delete the object that the message names, or choose another name for the gear.";
    /// The API server refuses a child, usually for something in `template`.
    ChildRefused: Ready => "Correct what the message names.";
    /// The API server did not answer, or failed.
    ApiUnavailable: Ready => "Nothing: the operator tries again.";
    /// All pods run the newest revision.
    Complete: RolledOut => "Nothing.";
    /// Pods of the newest revision replace those of the old one.
    Progressing: RolledOut => "Nothing.";
    /// A rollout made no progress within `rollout.progressDeadline`.
    ProgressDeadlineExceeded: RolledOut => "Look at `status.pods` and the Events of the pods; the old revision serves on.";
    /// The sidecars have their consumer.
    Connected: StreamConnected => "Nothing.";
    /// Connected, and no message came for 60 s.
    NoMessagesYet: StreamConnected => "Check that somebody publishes on the subject in the message; fluxrig puts a wire on the bus only if its consumer is elsewhere.";
    /// Connected, and messages came.
    Receiving: StreamConnected => "Nothing.";
    /// No sidecar answers.
    SidecarsUnknown: StreamConnected | LedgerBalanced => "Nothing while pods start. Else check that the operator reaches port 8082 of the pods.";
    /// A sidecar has no connection to NATS.
    NatsUnavailable: StreamConnected => "Nothing, if NATS is coming back: sidecars connect again by themselves. Else check `nats.url` and the network between pods and server.";
    /// The settings of the connection to NATS can't work.
    NatsSettings: StreamConnected => "Correct what the message names, for example a url, a certificate or a credentials file.";
    /// The gear's NATS user may not do what a sidecar needs.
    PermissionDenied: StreamConnected => "Grant the subject in the message; `docs/reference/nats-permissions.md` lists all that are needed.";
    /// The input stream is not there, or no stream takes an output.
    StreamMissing: StreamConnected => "Make the stream, or correct `input.stream` or `output`. Sidecars look again by themselves.";
    /// The consumer went away while it was used.
    ConsumerMissing: StreamConnected => "Nothing: it is made anew where the last one was. Find out who deleted it.";
    /// The consumer by this gear's name belongs to another gear.
    ConsumerForeign: StreamConnected => "Delete the consumer in the message if nobody uses it; clusters that share a server need different values of the chart's `clusterId`.";
    /// The server refuses the consumer's configuration.
    ConsumerRefused: StreamConnected => "Correct in `input` what the message names.";
    /// The consumer is gone and nobody knows how far it was.
    PositionUnknown: StreamConnected => "Decide where to begin; the message says how. Nothing is processed until then, so that nothing is skipped silently.";
    /// The bucket `wasmgear_state` is not there.
    StateMissing: StreamConnected => "Run `wasmgear init`, or let the operator do it (`nats.init.enabled` of the chart).";
    /// The stream `flux-dlq` for dead letters is not there.
    DeadLetterMissing: StreamConnected => "Run `wasmgear init`, or let the operator do it (`nats.init.enabled` of the chart).";
    /// A stream does not store what is sent to it.
    StreamRefuses: StreamConnected => "Look at the stream's limits and subjects; the message holds the server's answer.";
    /// A sidecar reports a problem that this release of the operator has no word for.
    SidecarProblem: StreamConnected => "The message says what the sidecar reports.";
    /// Each message is in exactly one class.
    Balanced: LedgerBalanced => "Nothing.";
    /// An instance is dear, and each message gets one (`instance.mode` Fresh).
    InstanceCost: => "Set `instance.mode` to Persistent, if the module allows it, or make its start cheaper.";
    /// Somebody edited a child of the gear; the operator put it back.
    ChildRestored: => "Change the WasmGear in place of its children.";
    /// The books of a sidecar do not balance.
    Unbalanced: LedgerBalanced => "Keep the logs of the pod in the message and report it: this must not happen.";
}

impl Reason {
    /// The reason with this word, if it is one of ours.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_again_and_says_what_it_means() {
        for reason in Reason::ALL {
            assert_eq!(Reason::find(reason.as_str()), Some(*reason));
            assert!(reason.meaning().ends_with('.') && reason.action().ends_with('.'), "{reason:?}");
        }
        assert_eq!(Reason::find("Serving "), None);
    }
}
