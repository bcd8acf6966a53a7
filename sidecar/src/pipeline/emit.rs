//! What a guest answered becomes what is published.

use bytes::Bytes;
use gear_abi::{Edit, Hop, Id, Origin, OutputError, Peek, message_id, output_id, outputs, peek, splice};
use gear_config::OnReject;
use gear_host::log::{Masking, printable};
use gear_stream::{Failure, Input, Outcome, Output};
use gear_telemetry::trace::{MessageSpan, TRACEPARENT, TRACESTATE};

use super::{Answer, Inner, RECORD, now};
use crate::identity::Port;

/// Bytes of a rejection's reason that are kept: a header's share of a dead letter.
const REASON: usize = 1 << 10;
/// Key of `meta` by which fluxrig says why a message went to an error port.
const ERROR_REASON: &str = "error.reason";

/// One message in the guest, and what is needed to emit its outputs.
pub(super) struct Emission<'a> {
    pub(super) input: &'a Input,
    pub(super) record: &'a Peek<'a>,
    pub(super) arrival: Hop,
    pub(super) span: Option<&'a MessageSpan<'a>>,
    pub(super) revision: &'a Inner,
}

impl Emission<'_> {
    /// Takes the answer while it lies in guest memory.
    pub(super) fn take(&self, answer: Answer<'_>) -> Outcome {
        match answer {
            Answer::Drop => Outcome::Drop,
            Answer::Output(bytes) => match self.outputs(bytes) {
                Ok(outputs) => Outcome::Emit(outputs),
                Err(detail) => Outcome::Failed { failure: Failure::Output, detail },
            },
            Answer::Reject { code, reason } => {
                // A guest may quote the message in its reason, and a dead letter's headers are read by many.
                let reason = printable(shortened(reason), Masking::On).into_owned();
                let to_port = match self.revision.on_reject {
                    OnReject::DeadLetter => None,
                    OnReject::ErrorPort => self.to_error_port(&reason),
                };
                Outcome::Reject { code: u32::from(code), reason, to_port }
            }
        }
    }

    fn outputs(&self, bytes: &[u8]) -> Result<Vec<Output>, String> {
        let told = |error: OutputError| error.to_string();
        let records = outputs(bytes, self.revision.shape, &self.revision.limits).map_err(told)?;
        let mut emitted = Vec::with_capacity(1);
        for (record, index) in records.zip(0u32..) {
            let record = record.map_err(told)?;
            let port = self.pick(&record).map_err(|problem| format!("output {index}: {problem}"))?;
            let output = self.emit(&record, port, index, &[]);
            emitted.push(output.map_err(|problem| format!("output {index}: {problem}"))?);
        }
        Ok(emitted)
    }

    /// The port that the guest picked.
    fn pick(&self, record: &Peek<'_>) -> Result<&Port, String> {
        let (wire, name) = (&self.revision.parts.wire, record.port());
        wire.port(name.as_deref()).ok_or_else(|| {
            let name = name.as_deref().map(|name| printable(shortened(name), Masking::On)).unwrap_or_default();
            format!("meta flux.port is {name:?}, this gear has the ports {} (output.ports)", wire.port_names())
        })
    }

    /// Id, output hop, trace context: all at once, while the record is copied out.
    fn emit(&self, record: &Peek<'_>, port: &Port, index: u32, meta: &[(&str, &str)]) -> Result<Output, String> {
        let (wire, origin) = (&self.revision.parts.wire, self.origin());
        let context = self.span.and_then(|span| span.output(&port.subject));
        let mut entries: Vec<(&str, &str)> = Vec::new();
        entries.extend_from_slice(meta);
        if let Some(context) = &context {
            entries.push((TRACEPARENT, &context.traceparent));
            entries.extend(context.tracestate.as_deref().map(|state| (TRACESTATE, state)));
        }
        let mut edit = Edit::hop(Hop::new(wire.gear, port.id, now())).with_meta(&entries).without_port();
        if record.id().is_nil() {
            edit = edit.with_id(output_id(&origin, index));
        }
        let parts = splice(record, &edit, &RECORD).map_err(|error| error.to_string())?;
        let id: Id = parts.id();
        Ok(Output {
            subject: port.subject.clone(),
            message_id: message_id(id, parts.hops(), &port.subject, &origin, index),
            payload: Bytes::from(parts.to_vec()),
        })
    }

    /// The message as it came, with both hops and the reason. `None` when it has no room for them: then it becomes a dead
    /// letter after all.
    fn to_error_port(&self, reason: &str) -> Option<Output> {
        let arrived = splice(self.record, &Edit::hop(self.arrival), &RECORD).ok()?.to_vec();
        let record = peek(&arrived, &RECORD).ok()?;
        self.emit(&record, self.revision.parts.wire.error_port(), 0, &[(ERROR_REASON, reason)]).ok()
    }

    fn origin(&self) -> Origin<'_> {
        let wire = &self.revision.parts.wire;
        Origin {
            stream: &wire.stream,
            sequence: self.input.sequence,
            timestamp: self.input.timestamp,
            namespace: &wire.namespace,
            gear: &wire.name,
        }
    }
}

fn shortened(text: &str) -> &str {
    let end = (0..=REASON.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "é".repeat(REASON);
        assert_eq!(shortened(&long).len(), REASON);
        assert_eq!(shortened(&format!("x{long}")).len(), REASON - 1);
    }
}
