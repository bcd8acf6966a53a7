//! Stage 3: from what is wanted to the children, byte for byte the same for the same wish. Pure.

use std::collections::BTreeSet;

use gear_config::{Document, Revision, VERSION};
use gear_module::Digest;
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::Time,
};

use super::validate::ValidGear;
use crate::{record::Record, settings::Sidecar};

mod config_map;
mod deployment;
mod meta;
mod pod;
mod policy;
mod small;

pub(crate) use meta::{MANAGED_BY, pod_selector};

/// The children of a gear.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Children {
    /// Who its pods are; it has no token.
    pub service_account: ServiceAccount,
    /// What pods of the namespace may reach and be reached by; shared by all gears of it.
    pub policy: NetworkPolicy,
    /// The document that sidecars read, and the operator's record.
    pub config_map: ConfigMap,
    /// How many pods may be taken away at once.
    pub budget: PodDisruptionBudget,
    /// The pods.
    pub deployment: Deployment,
}

/// What stage 3 makes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Built {
    /// The children.
    pub children: Children,
    /// The record, as it is in the ConfigMap.
    pub record: Record,
    /// The document, as it is in the ConfigMap.
    pub document: Document,
}

/// What surrounds a gear.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The operator's record so far.
    pub record: Option<&'a Record>,
    /// The document so far.
    pub document: Option<&'a Document>,
    /// Ports of the NATS servers that gears of the namespace connect to.
    pub nats_ports: &'a BTreeSet<u16>,
    /// What pods are made of.
    pub sidecar: &'a Sidecar,
    /// The time, for a revision that is new.
    pub now: &'a Time,
}

/// Something could not be written as JSON; a fault of the operator.
#[derive(Debug, thiserror::Error)]
#[error("the gear's document can't be written")]
pub(crate) struct BuildError(#[from] serde_json::Error);

/// Builds the children.
pub(crate) fn build(gear: &ValidGear, around: &Around<'_>) -> Result<Built, BuildError> {
    let hash = revision_hash(&gear.revision)?;
    let mut record = Record::next(around.record, gear.pin.clone(), &hash, gear.generation, around.now.clone());
    record.input_generation = input_generation(gear, around);
    let document = document(gear, &record);
    let children = Children {
        service_account: small::service_account(gear),
        policy: policy::policy(&gear.identity.namespace, around.nats_ports, around.sidecar),
        config_map: config_map::config_map(gear, &document, &record)?,
        budget: small::budget(gear),
        deployment: deployment::deployment(gear, around.sidecar, &document.stable.name, &settings_hash(&document)?),
    };
    Ok(Built { children, record, document })
}

fn document(gear: &ValidGear, record: &Record) -> Document {
    let mut input = gear.input.clone();
    input.generation = record.input_generation;
    let name = record.wanted().map(|entry| entry.name.clone()).unwrap_or_default();
    Document {
        version: VERSION,
        gear: gear.identity.clone(),
        epoch: record.epoch,
        stable: Revision { name, ..gear.revision.clone() },
        candidate: None,
        concurrency: gear.concurrency,
        input,
        nats: gear.connection.nats.clone(),
        registries: gear.registries.clone(),
    }
}

/// The generation that last changed the consumer: scaling a gear must not look like a change of it.
fn input_generation(gear: &ValidGear, around: &Around<'_>) -> i64 {
    match (around.record, around.document) {
        (Some(record), Some(last)) => {
            let mut input = gear.input.clone();
            input.generation = last.input.generation;
            if input == last.input { record.input_generation } else { gear.generation }
        }
        _ => gear.generation,
    }
}

/// Hash of what decides a message's result. The reference is not a part of it: the digest is.
fn revision_hash(revision: &Revision) -> Result<String, BuildError> {
    let bare = Revision { name: String::new(), module: String::new(), ..revision.clone() };
    Ok(Digest::of(&serde_json::to_vec(&bare)?).hex())
}

/// Hash of what else a sidecar reads at its start. What pods pick up from each other, through the consumer, is left out:
/// scaling must not replace pods.
fn settings_hash(document: &Document) -> Result<String, BuildError> {
    let mut bare = document.clone();
    bare.epoch = 0;
    bare.input.generation = 0;
    bare.input.max_ack_pending = 0;
    bare.stable.name.clear();
    bare.stable.module.clear();
    let mut hash = Digest::of(&serde_json::to_vec(&bare)?).hex();
    hash.truncate(16);
    Ok(hash)
}

#[cfg(test)]
mod tests;
