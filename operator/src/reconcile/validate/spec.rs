//! The specification alone: texts become units and names, contradictions that the schema can't see are told.

use gear_config::{ByteSize, Instance, Limits, OnReject, Retry, Span, names, subject};
use wasmgear_crds::{Duration, InstanceMode, Reason, Size, WasmGear};

use crate::{failure::Failure, reconcile::fetch};

/// `instance.maxMessages` when the resource does not say.
pub(super) const MAX_MESSAGES: u32 = 100_000;

/// The specification in units and names.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    pub(super) limits: Limits,
    pub(super) instance: Option<Instance>,
    pub(super) retry: Retry,
    pub(super) on_reject: OnReject,
    pub(super) ack_wait: Span,
    pub(super) forget_after: Span,
    pub(super) progress_deadline: Span,
    /// Filter subjects.
    pub(super) subjects: Vec<String>,
    /// Rack and gear of the output.
    pub(super) output: (String, String),
    /// Ports of the output.
    ports: Vec<String>,
}

/// Fields that this release does not have. The schema refuses them; a resource that was stored under another one is told
/// here.
pub(super) fn refuse_absent(gear: &WasmGear) -> Result<(), Failure> {
    let spec = &gear.spec;
    let fields = [
        ("configFrom", spec.config_from.is_some()),
        ("http", spec.http.is_some()),
        ("kv", spec.kv.is_some()),
        ("wasi", spec.wasi.is_some()),
        ("limits.kvCalls", spec.limits.kv_calls.is_some()),
        ("limits.httpCalls", spec.limits.http_calls.is_some()),
        ("deadLetter", spec.dead_letter.is_some()),
        ("verify", spec.verify.is_some()),
        ("registrySecretRef", spec.registry_secret_ref.is_some()),
        ("rollout.steps", spec.rollout.steps.is_some()),
        ("rollout.bake", spec.rollout.bake.is_some()),
        ("rollout.maxErrorPercent", spec.rollout.max_error_percent.is_some()),
        ("rollout.minMessages", spec.rollout.min_messages.is_some()),
        ("rollout.paused", spec.rollout.paused.is_some()),
        ("rollout.historyLimit", spec.rollout.history_limit.is_some()),
        ("rollout.strategy", spec.rollout.strategy != "Immediate"),
    ];
    match fields.iter().find(|(_, written)| *written) {
        Some((field, _)) => Err(Failure::on_change(
            Reason::NotAvailable,
            format!("spec.{field} is not available in this release: remove it"),
        )),
        None => Ok(()),
    }
}

/// Reads the specification.
pub(super) fn read(gear: &WasmGear) -> Result<Plain, Failure> {
    let spec = &gear.spec;
    let limits = Limits {
        memory: size("limits.memory", &spec.limits.memory)?,
        guest_time: span("limits.guestTime", &spec.limits.guest_time)?,
        message_time: span("limits.messageTime", &spec.limits.message_time)?,
        output_messages: spec.limits.output_messages,
        output_size: size("limits.outputSize", &spec.limits.output_size)?,
        log_size: size("limits.logSize", &spec.limits.log_size)?,
    };
    let instance = spec.instance.as_ref().map(|instance| match instance.mode {
        InstanceMode::Fresh => Instance::Fresh,
        InstanceMode::Persistent => {
            Instance::Persistent { max_messages: instance.max_messages.unwrap_or(MAX_MESSAGES) }
        }
    });
    let retry = Retry {
        attempts: spec.retry.attempts,
        backoff: span("retry.backoff", &spec.retry.backoff)?,
        max_backoff: span("retry.maxBackoff", &spec.retry.max_backoff)?,
    };
    let output = fetch::output_of(gear).ok_or_else(|| {
        Failure::on_change(Reason::InvalidSpec, "output.rack is missing: name the rack that outputs leave under")
    })?;
    let on_reject = super::on_reject(spec.on_reject);
    let mut ports = vec![names::DEFAULT_PORT.to_owned()];
    ports.extend(spec.output.iter().flat_map(|output| output.ports.iter().cloned()));
    if on_reject == OnReject::ErrorPort {
        ports.push(names::ERROR_PORT.to_owned());
    }
    Ok(Plain {
        limits,
        instance,
        retry,
        on_reject,
        ack_wait: span("input.ackWait", &spec.input.ack_wait)?,
        forget_after: span("input.forgetAfter", &spec.input.forget_after)?,
        progress_deadline: span("rollout.progressDeadline", &spec.rollout.progress_deadline)?,
        subjects: subjects(gear)?,
        output,
        ports,
    })
}

impl Plain {
    /// An output subject and the input that matches it.
    pub(super) fn feeds_itself(&self) -> Option<(String, &str)> {
        let prefix = names::emission_prefix(&self.output.0, &self.output.1);
        self.ports.iter().map(|port| format!("{prefix}.{port}")).find_map(|output| {
            let input = self.subjects.iter().find(|input| subject::covers(input, &output))?;
            Some((output, input.as_str()))
        })
    }
}

fn subjects(gear: &WasmGear) -> Result<Vec<String>, Failure> {
    let input = &gear.spec.input;
    let mut subjects = match (&input.subjects, &input.rack, &input.gear) {
        (Some(subjects), None, None) => subjects.clone(),
        (None, Some(rack), Some(gear)) => {
            let port = input.port.as_deref().unwrap_or(names::DEFAULT_PORT);
            vec![format!("{}.{port}", names::emission_prefix(rack, gear))]
        }
        _ => {
            let sentence = "input needs either rack and gear, or subjects";
            return Err(Failure::on_change(Reason::InvalidSpec, sentence));
        }
    };
    // A set: its order is nobody's meaning, and must not make a difference.
    subjects.sort();
    for (index, subject) in subjects.iter().enumerate() {
        if let Some(other) = subjects.iter().skip(index + 1).find(|other| subject::overlap(subject, other)) {
            return Err(Failure::on_change(
                Reason::InvalidSpec,
                format!("input.subjects {subject} and {other} overlap, which no consumer may have; remove one of them"),
            ));
        }
    }
    Ok(subjects)
}

fn span(field: &str, text: &Duration) -> Result<Span, Failure> {
    let read = text.as_str().parse();
    read.map_err(|error| Failure::on_change(Reason::InvalidSpec, format!("{field}: {error}")))
}

fn size(field: &str, text: &Size) -> Result<ByteSize, Failure> {
    let read = text.as_str().parse();
    read.map_err(|error| Failure::on_change(Reason::InvalidSpec, format!("{field}: {error}")))
}
