//! From a verdict to the fate of its delivery: is what came out fit to be sent, and what does the table say.

use std::{future::Future, num::NonZeroU16, sync::Arc};

use smallvec::SmallVec;

use gear_config::status::Problem;

use super::{Engine, Key, apply::unix_ns, send::header_len, window::Made};
use crate::{
    Failure, Input, Outcome, Output, RevisionTag, Verdict,
    attempts::Attempts,
    dead_letter::Letter,
    disposition::{Disposition, dispose, is_crash},
    ledger::Reason,
    link::{Sink, Source},
    outcome::Kind,
    problem::{self, problem},
    settle::{Event, Fate, Recalled},
};

impl<S, K, C, F> Engine<'_, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    pub(super) fn verdict(&mut self, key: Key, verdict: Verdict) {
        let fate = self.fate(key, verdict);
        if let Some(fate) = fate {
            self.apply(key, Event::Verdict(fate));
        }
    }

    fn fate(&mut self, key: Key, verdict: Verdict) -> Option<Fate> {
        let Verdict { revision, outcome, trace } = verdict;
        let outcome = self.fit(outcome, &revision);
        let kind = outcome.kind();
        let attempts = self.window.get(key)?.attempts.attempts;
        let disposition = dispose(kind, attempts, revision.retry.attempts);
        let (outputs, why) = taken_apart(outcome);
        let parts = match (disposition, &why) {
            (Disposition::Bury(..), Some((reason, detail))) => {
                let failed = attempts + u32::from(matches!(kind, Kind::Failed(_)));
                self.letter(key, &revision, *reason, detail, failed, trace.as_deref())
            }
            _ => Vec::new(),
        };
        let count = |what| u16::try_from(what).unwrap_or(u16::MAX);
        let fate = match disposition {
            Disposition::Ack(class) => Fate::Ack(class),
            Disposition::Retry(attempts) => Fate::Retry(attempts),
            Disposition::Publish(class) => Fate::Publish { outputs: count(outputs.len()), class },
            // A dead letter always has a part; the check is for the type.
            Disposition::Bury(class, end) => Fate::Bury { parts: NonZeroU16::new(count(parts.len()))?, class, end },
        };
        let buried = matches!(disposition, Disposition::Bury(..));
        let reason = why.map(|(reason, _)| reason);
        self.forget(key);
        let in_hand = self.window.get(key)?;
        in_hand.made = Some(Made {
            revision,
            outputs,
            letter: reason.filter(|_| buried),
            parts,
            there: SmallVec::new(),
            failure: reason.map(Reason::as_str),
            out: (0, 0),
        });
        Some(fate)
    }

    /// The fate of a message that is not called any more.
    fn crashed(&mut self, key: Key, revision: Arc<RevisionTag>, suspects: u32) -> Option<Fate> {
        let detail = format!(
            "{} deliveries of this message ended without an outcome: the process that had it in hand died each time",
            suspects.saturating_sub(1)
        );
        let outcome = Outcome::Failed { failure: Failure::Crash, detail };
        self.fate(key, Verdict { revision, outcome, trace: None })
    }

    /// What an attempts record says about a redelivery.
    pub(super) fn recalled(&mut self, key: Key, record: Option<&[u8]>) {
        let Some(in_hand) = self.window.get(key) else { return };
        let attempts = record.map(Attempts::read).unwrap_or_default();
        let (sequence, delivered) = (in_hand.input.sequence, in_hand.delivered);
        let tag = (self.asides.revision)(&in_hand.input);
        in_hand.attempts = attempts.clone();
        let suspects = attempts.suspects.saturating_add(1);
        let recalled = if self.carry.forgiven.take(sequence) || attempts.accounts_for(delivered) {
            Some(Recalled::Accounted)
        } else if is_crash(suspects, tag.retry.attempts) {
            self.crashed(key, tag, suspects).map(Recalled::Crashed)
        } else {
            Some(Recalled::Suspect(suspects))
        };
        if let Some(recalled) = recalled {
            self.apply(key, Event::Recalled(recalled));
        }
    }

    /// A record that the stream will not take, for its own sake. An output: the outcome was not what it seemed. A dead
    /// letter must be taken; what is in the way is a problem of the stream.
    pub(super) fn unfit(&mut self, key: Key, detail: String) -> Option<Problem> {
        let made = self.window.get(key)?.made.as_ref()?;
        if made.letter.is_some() {
            return Some(problem(
                problem::STREAM_REFUSES,
                format!("the dead-letter stream takes no message of this size: {detail}"),
            ));
        }
        let outcome = Outcome::Failed { failure: Failure::Output, detail };
        let revision = Arc::clone(&made.revision);
        self.verdict(key, Verdict { revision, outcome, trace: None });
        None
    }

    fn letter(
        &mut self,
        key: Key,
        revision: &RevisionTag,
        reason: Reason,
        detail: &str,
        attempts: u32,
        trace: Option<&str>,
    ) -> Vec<crate::dead_letter::Part> {
        let max_payload = self.sink.max_payload();
        let Some(in_hand) = self.window.get(key) else { return Vec::new() };
        Letter {
            stream: &self.plan.stream,
            durable: &self.plan.durable,
            version: &self.plan.version,
            input: &in_hand.input,
            reason,
            detail,
            attempts,
            revision,
            trace,
            now: unix_ns(),
        }
        .parts(max_payload)
    }

    /// Outputs are checked before the first of them is sent: an input is emitted whole or not at all.
    fn fit(&self, outcome: Outcome, revision: &RevisionTag) -> Outcome {
        let outputs = match &outcome {
            Outcome::Emit(outputs) => outputs.as_slice(),
            Outcome::Reject { to_port: Some(output), .. } => std::slice::from_ref(output),
            _ => return outcome,
        };
        let limit = self.sink.max_payload();
        let size = |output: &Output| output.payload.len() + header_len(output, revision, &self.plan.stream);
        let detail = if outputs.len() > usize::from(u16::MAX) {
            format!("{} outputs of one message, at most {} are possible", outputs.len(), u16::MAX)
        } else if let Some(large) = outputs.iter().find(|output| size(output) > limit) {
            format!(
                "an output for {} has {} bytes with its headers, the NATS server takes at most {limit}",
                large.subject,
                size(large)
            )
        } else if let Some(bad) = outputs.iter().find(|output| !output.subject.is_valid() || has_wildcard(output)) {
            format!("an output is meant for {:?}, which is no subject to publish on", bad.subject.as_str())
        } else {
            return outcome;
        };
        Outcome::Failed { failure: Failure::Output, detail }
    }
}

fn has_wildcard(output: &Output) -> bool {
    // Hardly any subject has one of these at all.
    let suspicious = output.subject.contains(['*', '>']);
    suspicious && output.subject.split('.').any(|token| token == "*" || token == ">")
}

/// The outputs of an outcome, or why there are none.
fn taken_apart(outcome: Outcome) -> (Vec<Output>, Option<(Reason, String)>) {
    match outcome {
        Outcome::Probe | Outcome::Drop => (Vec::new(), None),
        Outcome::Emit(outputs) => (outputs, None),
        Outcome::Reject { to_port: Some(output), .. } => (vec![output], None),
        Outcome::Reject { code, reason, to_port: None } => {
            let detail = if code == 1 { reason } else { format!("{code}: {reason}") };
            (Vec::new(), Some((Reason::Rejected, detail)))
        }
        Outcome::Malformed { detail } => (Vec::new(), Some((Reason::Malformed, detail))),
        Outcome::Failed { failure, detail } => (Vec::new(), Some((Reason::Failed(failure), detail))),
    }
}
