//! What a cluster would add to the API server: a Deployment controller with a kubelet, and sidecars.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, routing::get};
use gear_config::{
    Document,
    status::{LedgerStatus, RevisionStatus, SidecarStatus, StreamStatus},
};
use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::{ConfigMap, Pod},
};
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::task::JoinSet;
use wasmgear_crds::words;

/// Makes pods of Deployments when it is told to.
pub(crate) struct Cluster {
    client: Client,
    namespace: String,
    port: u16,
    answer: Arc<Mutex<Option<SidecarStatus>>>,
    _server: JoinSet<std::io::Result<()>>,
}

impl Cluster {
    pub(crate) async fn new(client: Client, namespace: &str) -> Self {
        let answer = Arc::new(Mutex::new(None));
        let router = Router::new()
            .route(
                "/status",
                get(async |State(answer): State<Arc<Mutex<Option<SidecarStatus>>>>| {
                    serde_json::to_string(&*answer.lock().unwrap()).unwrap()
                }),
            )
            .with_state(Arc::clone(&answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Self { client, namespace: namespace.to_owned(), port, answer, _server: server }
    }

    fn api<K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// What every sidecar says from now on.
    pub(crate) fn say(&self, change: impl FnOnce(&mut SidecarStatus)) {
        change(self.answer.lock().unwrap().as_mut().expect("roll out first"));
    }

    /// Replaces pods as a Deployment controller would, and answers for them as healthy sidecars would.
    pub(crate) async fn roll_out(&self, gear: &str) {
        Box::pin(self.roll_out_to(gear, true)).await;
    }

    pub(crate) async fn roll_out_to(&self, gear: &str, ready: bool) {
        let name = words::child_name(gear);
        let deployment = self.api::<Deployment>().get(&name).await.unwrap();
        let map = self.api::<ConfigMap>().get(&name).await.unwrap();
        let document = Document::parse(map.data.unwrap()["gear.json"].as_bytes()).unwrap();
        *self.answer.lock().unwrap() = Some(healthy(&document));
        let set = self.replica_set(&deployment, &document.stable.name).await;
        let wanted = deployment.spec.as_ref().unwrap().replicas.unwrap();
        self.pods(&deployment, &set, wanted, ready).await;
        let ready = if ready { wanted } else { 0 };
        let status = json!({ "status": {
            "observedGeneration": deployment.metadata.generation, "replicas": wanted, "updatedReplicas": wanted,
            "readyReplicas": ready, "availableReplicas": ready,
        } });
        self.api::<Deployment>().patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    async fn replica_set(&self, deployment: &Deployment, revision: &str) -> ReplicaSet {
        let spec = deployment.spec.as_ref().unwrap();
        let mut owner = deployment.controller_owner_ref(&()).unwrap();
        owner.block_owner_deletion = None;
        let name = format!("{}-{}", deployment.name_any(), revision.split('-').next().unwrap());
        let api = self.api::<ReplicaSet>();
        if let Some(set) = api.get_opt(&name).await.unwrap() {
            return set;
        }
        let mut metadata = spec.template.metadata.clone().unwrap();
        metadata.name = Some(name);
        metadata.owner_references = Some(vec![owner]);
        let set = json!({ "metadata": metadata, "spec": { "selector": spec.selector, "template": spec.template } });
        api.create(&PostParams::default(), &serde_json::from_value(set).unwrap()).await.unwrap()
    }

    async fn pods(&self, deployment: &Deployment, set: &ReplicaSet, wanted: i32, ready: bool) {
        let api = self.api::<Pod>();
        self.remove_pods(&deployment.labels()[words::GEAR_LABEL]).await;
        let template = deployment.spec.as_ref().unwrap().template.clone();
        for number in 0..wanted {
            let mut owner = set.controller_owner_ref(&()).unwrap();
            owner.block_owner_deletion = None;
            let mut pod =
                Pod { metadata: template.metadata.clone().unwrap(), spec: template.spec.clone(), status: None };
            pod.metadata.name = Some(format!("{}-{number}", set.name_any()));
            pod.metadata.owner_references = Some(vec![owner]);
            // No ServiceAccount of a namespace without controllers has a token, and none is wanted.
            for port in pod.spec.as_mut().unwrap().containers[0].ports.iter_mut().flatten() {
                if port.name.as_deref() == Some("status") {
                    port.container_port = self.port.into();
                }
            }
            let name = pod.name_any();
            api.create(&PostParams::default(), &pod).await.unwrap();
            let ready = if ready { "True" } else { "False" };
            let status = json!({ "status": { "phase": "Running", "podIP": "127.0.0.1", "podIPs": [{ "ip": "127.0.0.1" }],
                "conditions": [{ "type": "Ready", "status": ready }] } });
            api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        }
    }

    /// What a garbage collector and a kubelet do after a gear is gone.
    pub(crate) async fn remove_pods(&self, gear: &str) {
        let label = ListParams::default().labels(&format!("{}={gear}", words::GEAR_LABEL));
        let now = DeleteParams::default().grace_period(0);
        for pod in self.api::<Pod>().list(&label).await.unwrap() {
            self.api::<Pod>().delete(&pod.name_any(), &now).await.unwrap();
        }
    }
}

fn healthy(document: &Document) -> SidecarStatus {
    SidecarStatus {
        version: "test".into(),
        uid: document.gear.uid.clone(),
        epoch: document.epoch,
        revisions: vec![RevisionStatus {
            name: document.stable.name.clone(),
            digest: document.stable.digest,
            prepared: true,
            problem: None,
            instance_cost_us: Some(12),
        }],
        stream: StreamStatus { connected: true, ..StreamStatus::default() },
        ledger: LedgerStatus::default(),
        not_ready: None,
    }
}
