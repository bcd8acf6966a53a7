//! Figures of the operator. Label values come from closed lists: never from a name that a person chose.

use std::time::Duration;

use gear_supply::{Class, SupplyError};
use gear_telemetry::metrics::{Process, Registry};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
};

/// Figures of the operator. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    reconciles: Family<ResultLabel, Counter>,
    seconds: Histogram,
    writes: Family<WriteLabel, Counter>,
    modules: Family<ModuleLabel, Counter>,
    probes: Family<ResultLabel, Counter>,
    consumers: Family<ResultLabel, Counter>,
    gears: Family<StateLabel, Gauge>,
    leader: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabel {
    verb: &'static str,
    resource: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModuleLabel {
    step: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// What the operator writes to the API server; everything else is `other`.
const RESOURCES: [&str; 9] = [
    "configmaps",
    "deployments",
    "events",
    "leases",
    "networkpolicies",
    "poddisruptionbudgets",
    "serviceaccounts",
    "wasmgears/status",
    "other",
];

/// How a gear stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Ready.
    Ready,
    /// Work goes on, or waits.
    Reconciling,
    /// Somebody has to do something.
    Stalled,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
            Self::Stalled => "stalled",
        }
    }
}

impl Metrics {
    /// Makes the figures and adds them to a registry.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            reconciles: Family::default(),
            seconds: Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]),
            writes: Family::default(),
            modules: Family::default(),
            probes: Family::default(),
            consumers: Family::default(),
            gears: Family::default(),
            leader: Gauge::default(),
        };
        Process::register(registry);
        registry.register(
            "wasmgear_operator_build",
            "Version of the operator",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "wasmgear_operator_reconciles",
            "Passes over a gear, by how they ended",
            this.reconciles.clone(),
        );
        registry.register("wasmgear_operator_reconcile_seconds", "Time of one pass over a gear", this.seconds.clone());
        registry.register(
            "wasmgear_operator_api_writes",
            "Requests to the API server that write, by verb and resource; at rest only leases move",
            this.writes.clone(),
        );
        registry.register(
            "wasmgear_operator_modules",
            "Look-ups (resolve) and downloads (fetch) of modules, by result",
            this.modules.clone(),
        );
        registry.register("wasmgear_operator_probes", "Questions to sidecars, by result", this.probes.clone());
        registry.register(
            "wasmgear_operator_consumers",
            "Consumers of gears that are gone, by what became of them",
            this.consumers.clone(),
        );
        registry.register("wasmgear_operator_gears", "Gears, by how they stand", this.gears.clone());
        registry.register("wasmgear_operator_leader", "1 while this operator leads", this.leader.clone());
        this.start();
        this
    }

    /// Makes every series, so that rates are right from the first event on.
    fn start(&self) {
        for result in ["ok", "refused", "error"] {
            drop(self.reconciles.get_or_create(&ResultLabel { result }));
        }
        for result in ["ok", "unreachable", "foreign"] {
            drop(self.probes.get_or_create(&ResultLabel { result }));
        }
        for result in ["deleted", "absent", "foreign", "failed"] {
            drop(self.consumers.get_or_create(&ResultLabel { result }));
        }
        for resource in RESOURCES {
            for verb in ["create", "update", "patch", "delete"] {
                drop(self.writes.get_or_create(&WriteLabel { verb, resource }));
            }
        }
        for step in ["resolve", "fetch"] {
            for result in ["ok"].into_iter().chain(Class::ALL.map(Class::as_str)) {
                drop(self.modules.get_or_create(&ModuleLabel { step, result }));
            }
        }
        self.gears([0; 3]);
    }

    /// One pass over a gear ended.
    pub(crate) fn reconcile(&self, result: &'static str, time: Duration) {
        self.reconciles.get_or_create(&ResultLabel { result }).inc();
        self.seconds.observe(time.as_secs_f64());
    }

    /// One request to the API server. Reads are not counted.
    pub(crate) fn request(&self, method: &str, path: &str) {
        let verb = match method {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => return,
        };
        self.writes.get_or_create(&WriteLabel { verb, resource: resource(path) }).inc();
    }

    /// One look-up or download ended.
    pub(crate) fn module(&self, step: &'static str, error: Option<&SupplyError>) {
        let result = error.map_or("ok", |error| error.class().as_str());
        self.modules.get_or_create(&ModuleLabel { step, result }).inc();
    }

    /// One question to a sidecar ended.
    pub(crate) fn probe(&self, result: &'static str) {
        self.probes.get_or_create(&ResultLabel { result }).inc();
    }

    /// The consumer of a gear that is gone was dealt with.
    pub(crate) fn consumer(&self, result: &'static str) {
        self.consumers.get_or_create(&ResultLabel { result }).inc();
    }

    /// How gears stand: ready, reconciling, stalled.
    pub(crate) fn gears(&self, counts: [i64; 3]) {
        for (state, count) in [State::Ready, State::Reconciling, State::Stalled].into_iter().zip(counts) {
            self.gears.get_or_create(&StateLabel { state: state.as_str() }).set(count);
        }
    }

    /// Whether this operator leads.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }
}

/// `/apis/<group>/<version>/namespaces/<ns>/<resource>/<name>/<subresource>` → a word of the closed list.
fn resource(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = parts.as_slice() else { return "other" };
    let rest = if let ["namespaces", _, inside @ ..] = rest { inside } else { rest };
    let found = match rest {
        ["wasmgears", _, "status"] => "wasmgears/status",
        [kind] | [kind, _] => kind,
        _ => "other",
    };
    RESOURCES.into_iter().find(|known| *known == found).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes so far, apart from Lease renewals.
    fn writes(metrics: &Metrics) -> u64 {
        let verbs = ["create", "update", "patch", "delete"];
        let resources = RESOURCES.into_iter().filter(|resource| *resource != "leases");
        let labels = resources.flat_map(|resource| verbs.map(|verb| WriteLabel { verb, resource }));
        labels.map(|label| metrics.writes.get_or_create(&label).get()).sum()
    }

    #[test]
    fn writes_are_counted_by_resource_and_reads_are_not() {
        let metrics = Metrics::register(&mut Registry::default());
        metrics.request("GET", "/api/v1/namespaces/a/configmaps/b");
        metrics.request("PATCH", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b");
        assert_eq!(writes(&metrics), 0);
        metrics.request("PATCH", "/apis/gears.fluxrig.org/v1alpha1/namespaces/a/wasmgears/b/status");
        metrics.request("POST", "/apis/events.k8s.io/v1/namespaces/a/events");
        metrics.request("DELETE", "/apis/somebody.else/v1/things/x");
        assert_eq!(writes(&metrics), 3);
    }

    #[test]
    fn paths_become_words_of_a_closed_list() {
        for (path, word) in [
            ("/api/v1/namespaces/a/configmaps/b", "configmaps"),
            ("/apis/apps/v1/namespaces/a/deployments/b", "deployments"),
            ("/apis/events.k8s.io/v1/namespaces/a/events", "events"),
            ("/apis/gears.fluxrig.org/v1alpha1/namespaces/a/wasmgears/b/status", "wasmgears/status"),
            ("/apis/gears.fluxrig.org/v1alpha1/namespaces/a/wasmgears/b", "other"),
            ("/api/v1/namespaces/a/pods/b/status", "other"),
            ("/version", "other"),
        ] {
            assert_eq!(resource(path), word, "{path}");
        }
    }
}
