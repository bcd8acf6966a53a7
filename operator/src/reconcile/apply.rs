//! Stage 4: server-side apply in order, one field manager, and only where the server has something else.
//!
//! * An object by the name of a child that belongs to somebody else is left alone, and said so.
//! * `force` is right: every field that is applied is the operator's by contract.
//! * Each object carries a hash of what was applied. When the server has something else under the same hash, somebody
//!   edited it: it is put back, once for each edit, with an Event.
//! * The server may store a value in another form than it was sent (`0.5` CPU as `500m`). What it made of it is
//!   remembered, so that the same wish is not sent again and again.
//!
//! No child is optional in this release, so there is nothing to remove here; the policy of a namespace goes with its last
//! gear (`departure`).

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use gear_module::Digest;
use k8s_openapi::{NamespaceResourceScope, api::apps::v1::Deployment};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use wasmgear_crds::{Reason, words};

use super::{
    build::{Built, Children},
    fetch::Found,
};
use crate::failure::{Failure, Retry, chain};

mod differ;

use differ::{paths, project};

/// What stage 4 leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    /// The Deployment, as the server has it now.
    pub deployment: Deployment,
    /// Edits of others that were put back: one sentence each.
    pub restored: Vec<String>,
}

/// What could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// It belongs to somebody else.
    #[error("{kind} {name} exists and belongs to {owner}; rename or delete it, or choose another name for the gear")]
    Foreign {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Who controls it, in words.
        owner: String,
    },
    /// It belonged to a gear by the same name that is gone; the cluster is still removing it.
    #[error("{kind} {name} of an earlier gear by this name is still being removed")]
    Leaving {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The server refuses it.
    #[error("the API server refuses {kind} {name}: {message}")]
    Refused {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What the server says.
        message: String,
    },
    /// The server did not answer, or failed.
    #[error("{kind} {name} can't be applied")]
    Api {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: kube::Error,
    },
    /// It can't be written as JSON; a fault of the operator.
    #[error("a child can't be written")]
    Json(#[from] serde_json::Error),
}

impl ApplyError {
    /// In the words of conditions.
    #[must_use]
    pub(crate) fn failure(&self) -> Failure {
        let (reason, retry) = match self {
            Self::Foreign { .. } => (Reason::ChildConflict, Retry::Outside),
            Self::Refused { .. } => (Reason::ChildRefused, Retry::OnChange),
            Self::Leaving { .. } => (Reason::Progressing, Retry::Backoff),
            Self::Api { .. } | Self::Json(_) => (Reason::ApiUnavailable, Retry::Backoff),
        };
        Failure { reason, message: chain(self), retry }
    }
}

/// What the server made of what was applied, by object: the hash that was sent and the form that came back.
#[derive(Debug, Default)]
pub(crate) struct Forms(Mutex<HashMap<String, (String, Digest)>>);

impl Forms {
    fn knows(&self, key: &str, hash: &str, form: &Digest) -> bool {
        let forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.get(key).is_some_and(|(known, known_form)| known == hash && known_form == form)
    }

    fn learn(&self, key: String, hash: String, form: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (hash, form));
    }

    /// The gear is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| !key.starts_with(uid));
    }
}

/// Applies the children.
pub(crate) async fn apply(
    client: &Client,
    forms: &Forms,
    uid: &str,
    built: &Built,
    found: &Found,
) -> Result<Applied, ApplyError> {
    let Children { service_account, policy, config_map, budget, deployment } = &built.children;
    let mut hand = Hand { client, forms, uid, restored: Vec::new() };
    hand.apply(service_account, found.service_account.as_ref()).await?;
    hand.apply(policy, found.policy.as_ref()).await?;
    // Before the pods that read it, and with them in view: a new pod never starts on an old document.
    hand.apply(config_map, found.config_map.as_ref()).await?;
    hand.apply(budget, found.budget.as_ref()).await?;
    let deployment = hand.apply(deployment, found.deployment.as_ref()).await?;
    Ok(Applied { deployment, restored: hand.restored })
}

struct Hand<'a> {
    client: &'a Client,
    forms: &'a Forms,
    uid: &'a str,
    restored: Vec<String>,
}

impl Hand<'_> {
    async fn apply<K>(&mut self, wanted: &K, found: Option<&K>) -> Result<K, ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let (kind, name) = (K::kind(&()).into_owned(), wanted.name_any());
        if let Some(found) = found {
            ours(wanted, found)?;
        }
        let (sent, hash) = stamped(wanted)?;
        let key = format!("{}/{kind}", self.uid);
        let mut edited = None;
        if let Some(found) = found {
            let live = serde_json::to_value(found)?;
            let form = project(&sent, &live);
            if form == sent || self.forms.knows(&key, &hash, &digest(&form)?) {
                return Ok(found.clone());
            }
            let same_wish = found.annotations().get(words::APPLIED_ANNOTATION) == Some(&hash);
            edited = same_wish.then(|| paths(&sent, &form));
        }
        let api: Api<K> = Api::namespaced(self.client.clone(), &wanted.namespace().unwrap_or_default());
        let applied = api
            .patch(&name, &PatchParams::apply(words::MANAGER).force(), &Patch::Apply(&sent))
            .await
            .map_err(|source| classify(source, &kind, &name))?;
        if let Some(fields) = edited {
            self.restored.push(format!("{kind} {name} was edited ({}) and put back", fields.join(", ")));
        }
        let form = project(&sent, &serde_json::to_value(&applied)?);
        self.forms.learn(key, hash, digest(&form)?);
        Ok(applied)
    }
}

/// The object as it is sent, with the hash of itself.
fn stamped<K: Resource<DynamicType = ()> + Serialize>(wanted: &K) -> Result<(Value, String), ApplyError> {
    let mut sent = serde_json::to_value(wanted)?;
    let mut hash = digest(&sent)?.hex();
    hash.truncate(16);
    if let Some(metadata) = sent.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(words::APPLIED_ANNOTATION.to_owned(), hash.clone().into());
        }
    }
    Ok((sent, hash))
}

fn digest(value: &Value) -> Result<Digest, serde_json::Error> {
    Ok(Digest::of(&serde_json::to_vec(value)?))
}

/// Whether what was found is the child of this gear, or at least was made by this operator for no gear alone.
fn ours<K: Resource<DynamicType = ()>>(wanted: &K, found: &K) -> Result<(), ApplyError> {
    let controller =
        |object: &K| object.owner_references().iter().find(|owner| owner.controller == Some(true)).cloned();
    let (kind, name) = (K::kind(&()).into_owned(), wanted.name_any());
    match (controller(wanted), controller(found)) {
        (Some(wanted), Some(found)) if wanted.uid == found.uid => Ok(()),
        (Some(wanted), Some(found)) if (&wanted.kind, &wanted.name) == (&found.kind, &found.name) => {
            Err(ApplyError::Leaving { kind, name })
        }
        (None, None)
            if found.labels().get("app.kubernetes.io/managed-by").map(String::as_str) == Some(words::MANAGER) =>
        {
            Ok(())
        }
        (_, Some(owner)) => Err(ApplyError::Foreign { kind, name, owner: format!("{} {}", owner.kind, owner.name) }),
        (_, None) => Err(ApplyError::Foreign { kind, name, owner: "nobody that the operator knows".to_owned() }),
    }
}

fn classify(source: kube::Error, kind: &str, name: &str) -> ApplyError {
    let (kind, name) = (kind.to_owned(), name.to_owned());
    match source {
        // The namespace or the gear is on its way out, or a quota is in the way: time may help.
        kube::Error::Api(status) if matches!(status.code, 400 | 422) => {
            ApplyError::Refused { kind, name, message: status.message }
        }
        source => ApplyError::Api { kind, name, source },
    }
}

#[cfg(test)]
mod tests;
