//! Stage 2: from what was read to what is wanted, or to the one sentence why not. Pure.
//!
//! Order of judgement, so that a person is told first what they can do something about:
//! 1. the resource contradicts itself; 2. it is not permitted; 3. somebody else has its output; 4. the module;
//! 5. what the module imports; 6. a Secret that it names.
//!
//! Nothing behind this stage reads the specification again.

use gear_config::{Deliver, Identity, Input, Instance, OnReject, Output, Registry, Revision, names};
use gear_module::{Abi, Grants, Inspection};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource as _, ResourceExt as _};
use wasmgear_crds::{Reason, WasmGear};

use super::fetch::{Examined, ModuleFault, Observed};
use crate::{Settings, failure::Failure, modules::Judgement, record::Pin, tenant::Ask};

mod nats;
mod placement;
mod spec;

pub(crate) use nats::{CA_FILE, CONFIG, Connection, MOUNT, Mount};
pub(crate) use placement::Placement;

/// Pipeline window of a pod, in messages.
const WINDOW: u32 = 2_000;
/// Least ceiling of un-acked messages.
const LEAST_PENDING: u32 = 4_096;
/// Guest calls at once when the resource does not say.
const CONCURRENCY: u32 = 16;

/// A gear that may run: everything that is wanted, checked and in units.
#[derive(Debug, Clone)]
pub(crate) struct ValidGear {
    /// Who it is.
    pub identity: Identity,
    /// The reference that its children carry.
    pub owner: OwnerReference,
    /// Generation that this is made from.
    pub generation: i64,
    /// What its reference stands for.
    pub pin: Pin,
    /// What decides a message's result; its name is given later.
    pub revision: Revision,
    /// Guest calls at once.
    pub concurrency: u32,
    /// Where messages come from; the generation is filled in later.
    pub input: Input,
    /// How sidecars reach NATS.
    pub connection: Connection,
    /// Where sidecars get modules.
    pub registries: Vec<Registry>,
    /// Where and how pods run.
    pub placement: Placement,
}

/// Judges what was read.
pub(crate) fn validate(observed: &Observed, settings: &Settings, cluster_id: &str) -> Result<ValidGear, Failure> {
    let gear = &observed.gear;
    spec::refuse_absent(gear)?;
    let plain = spec::read(gear)?;
    permitted(observed, settings, &plain)?;
    let module = sound(&observed.module)?;
    let entrypoint = module
        .inspection
        .entrypoint(gear.spec.entrypoint.as_deref())
        .and_then(|entrypoint| module.inspection.fits(plain.limits.memory.get()).map(|()| entrypoint))
        .map_err(|refusal| super::judge::refused(&refusal))?;
    let grants = Grants { allow_http: gear.spec.allow_http, allow_kv: gear.spec.allow_kv };
    super::judge::granted(module.inspection, &grants)?;
    let chosen = gear.spec.instance.is_some();
    let instance = plain.instance.unwrap_or(match entrypoint.abi {
        Abi::Flux1 => Instance::Fresh,
        Abi::Rack => Instance::Persistent { max_messages: spec::MAX_MESSAGES },
    });
    // Authors of rack modules rely on one call at a time over globals that live on.
    let one = entrypoint.abi == Abi::Rack && !chosen;
    let concurrency = gear.spec.concurrency.unwrap_or(if one { 1 } else { CONCURRENCY });
    let connection = nats::connection(observed, settings)?;
    let revision = Revision {
        name: String::new(),
        module: gear.spec.module.clone(),
        digest: module.pin.digest,
        size: module.pin.size,
        entrypoint: entrypoint.name,
        grants,
        limits: plain.limits,
        instance,
        config: gear.spec.config.clone(),
        output: Output {
            prefix: names::emission_prefix(&plain.output.0, &plain.output.1),
            ports: gear.spec.output.as_ref().map(|output| output.ports.clone()).unwrap_or_default(),
        },
        on_reject: plain.on_reject,
        retry: plain.retry,
    };
    Ok(ValidGear {
        identity: Identity {
            cluster_id: cluster_id.to_owned(),
            namespace: observed.namespace.clone(),
            name: gear.name_any(),
            uid: observed.uid.clone(),
        },
        owner: gear
            .controller_owner_ref(&())
            .ok_or_else(|| Failure::on_change(Reason::InvalidSpec, "the resource has no name or UID"))?,
        generation: gear.metadata.generation.unwrap_or_default(),
        pin: module.pin.clone(),
        placement: placement::placement(gear, &plain, concurrency),
        input: input(gear, &plain),
        revision,
        concurrency,
        connection,
        registries: settings.sidecar.registries.clone(),
    })
}

/// Allow rules, and outputs that belong to somebody else or feed the gear itself.
fn permitted(observed: &Observed, settings: &Settings, plain: &spec::Plain) -> Result<(), Failure> {
    let (gear, (rack, name)) = (&observed.gear, &plain.output);
    let ask = Ask {
        module: &gear.spec.module,
        stream: &gear.spec.input.stream,
        subjects: &plain.subjects,
        rack,
        gear: name,
        replicas: gear.spec.replicas,
    };
    settings
        .tenants
        .check(&observed.namespace, &observed.labels, ask)
        .map_err(|sentence| Failure::on_change(Reason::NotPermitted, sentence))?;
    if let Some((output, input)) = plain.feeds_itself() {
        return Err(Failure::on_change(
            Reason::OutputFeedsInput,
            format!(
                "output {output} is matched by input {input}, and each message would come back for ever; set output.gear or output.rack"
            ),
        ));
    }
    match &observed.rival {
        Some(rival) => Err(Failure::on_change(
            Reason::OutputConflict,
            format!(
                "output flux.msg.{rack}.{name} belongs to the older gear {}/{}; give one of the two another output.gear or output.rack",
                rival.namespace, rival.name
            ),
        )),
        None => Ok(()),
    }
}

struct Module<'a> {
    pin: &'a Pin,
    inspection: &'a Inspection,
}

fn sound(module: &Result<Examined, ModuleFault>) -> Result<Module<'_>, Failure> {
    match module {
        Ok(Examined { pin, judgement: Judgement::Sound(inspection) }) => Ok(Module { pin, inspection }),
        Ok(Examined { judgement: Judgement::Refused(refusal), .. }) => Err(super::judge::refused(refusal)),
        Err(fault) => Err(super::judge::fault(fault)),
    }
}

fn input(gear: &WasmGear, plain: &spec::Plain) -> Input {
    let created = gear.creation_timestamp().map(|time| time.0.to_string()).unwrap_or_default();
    let replicas = u32::try_from(gear.spec.replicas).unwrap_or(0);
    Input {
        stream: gear.spec.input.stream.clone(),
        subjects: plain.subjects.clone(),
        deliver: match gear.spec.input.deliver {
            wasmgear_crds::Deliver::All => Deliver::All,
            wasmgear_crds::Deliver::New => Deliver::Time { start: created },
        },
        ack_wait: plain.ack_wait,
        ordered: gear.spec.input.ordered,
        forget_after: plain.forget_after,
        max_ack_pending: if gear.spec.input.ordered {
            1
        } else {
            LEAST_PENDING.max(2 * WINDOW.saturating_mul(replicas))
        },
        generation: gear.metadata.generation.unwrap_or_default(),
    }
}

/// The same word on both sides.
pub(crate) fn on_reject(choice: wasmgear_crds::OnReject) -> OnReject {
    match choice {
        wasmgear_crds::OnReject::DeadLetter => OnReject::DeadLetter,
        wasmgear_crds::OnReject::ErrorPort => OnReject::ErrorPort,
    }
}

#[cfg(test)]
mod tests;
