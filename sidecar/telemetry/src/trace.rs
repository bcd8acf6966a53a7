//! Spans of messages as fluxrig names them, and W3C context in text maps.
//!
//! | span | tracer | kind | attributes |
//! |---|---|---|---|
//! | `handle_msg <subject>` | `fluxrig/bus` | consumer | `messaging.system`, `messaging.destination`, `messaging.trace_id`, `flux.id` |
//! | `gear_process <gear>` | `fluxrig/runtime` | internal | `gear`, `flux_id` |
//! | `gear_output <gear>` | `fluxrig/runtime` | producer | `gear.name`, `messaging.system`, `messaging.destination` |
//!
//! They nest in this order. The context of a message is in its `meta` under [`TRACEPARENT`] and [`TRACESTATE`].

use std::{borrow::Cow, collections::HashMap};

use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};

/// Key of the W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Key of the W3C vendor state.
pub const TRACESTATE: &str = "tracestate";

/// The W3C context of a message, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-<trace id>-<span id>-<flags>`.
    pub traceparent: String,
    /// What other vendors put beside it.
    pub tracestate: Option<String>,
}

struct Pair<'a>(&'a str, Option<&'a str>);

impl Extractor for Pair<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.0),
            TRACESTATE => self.1,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

/// Reads the context that `traceparent` and `tracestate` name; text that is none gives an empty context, from which a
/// span begins a new trace.
#[must_use]
pub fn extract(traceparent: Option<&str>, tracestate: Option<&str>) -> Context {
    let Some(traceparent) = traceparent else { return Context::new() };
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Pair(traceparent, tracestate))
}

/// Writes the context's span as text; `None` when it has none.
#[must_use]
pub fn inject(context: &Context) -> Option<TraceContext> {
    let mut map = HashMap::new();
    TraceContextPropagator::new().inject_context(context, &mut map);
    let traceparent = map.remove(TRACEPARENT)?;
    Some(TraceContext { traceparent, tracestate: map.remove(TRACESTATE).filter(|state| !state.is_empty()) })
}

/// Makes the spans of one gear's messages.
#[derive(Debug, Clone)]
pub struct MessageTracer {
    bus: SdkTracer,
    runtime: SdkTracer,
    gear: String,
}

/// The spans of a message in work. Dropping it ends them.
#[derive(Debug)]
pub struct MessageSpan<'a> {
    tracer: &'a MessageTracer,
    handle: Context,
    process: Context,
}

impl MessageTracer {
    pub(crate) fn new(provider: &SdkTracerProvider, gear: &str) -> Self {
        let (bus, runtime) = (provider.tracer("fluxrig/bus"), provider.tracer("fluxrig/runtime"));
        Self { bus, runtime, gear: gear.to_owned() }
    }

    /// Begins the spans of a message that came on `subject` with this id and this context.
    #[must_use]
    pub fn begin(
        &self,
        subject: &str,
        flux_id: &str,
        traceparent: Option<&str>,
        tracestate: Option<&str>,
    ) -> MessageSpan<'_> {
        let parent = extract(traceparent, tracestate);
        let trace_id = parent.span().span_context().trace_id();
        let handle = self
            .bus
            .span_builder(format!("handle_msg {subject}"))
            .with_kind(SpanKind::Consumer)
            .with_attributes([
                KeyValue::new("messaging.system", "nats"),
                KeyValue::new("messaging.destination", subject.to_owned()),
                KeyValue::new("messaging.trace_id", trace_id.to_string()),
                KeyValue::new("flux.id", flux_id.to_owned()),
            ])
            .start_with_context(&self.bus, &parent);
        let handle = parent.with_span(handle);
        let process = self
            .runtime
            .span_builder(format!("gear_process {}", self.gear))
            .with_kind(SpanKind::Internal)
            .with_attributes([KeyValue::new("gear", self.gear.clone()), KeyValue::new("flux_id", flux_id.to_owned())])
            .start_with_context(&self.runtime, &handle);
        let process = handle.with_span(process);
        MessageSpan { tracer: self, handle, process }
    }
}

impl MessageSpan<'_> {
    /// A span for an output on `subject`, ended at once, and the context that goes into the output's `meta`.
    #[must_use]
    pub fn output(&self, subject: &str) -> Option<TraceContext> {
        let MessageTracer { runtime, gear, .. } = self.tracer;
        let span = runtime
            .span_builder(format!("gear_output {gear}"))
            .with_kind(SpanKind::Producer)
            .with_attributes([
                KeyValue::new("gear.name", gear.clone()),
                KeyValue::new("messaging.system", "nats"),
                KeyValue::new("messaging.destination", subject.to_owned()),
            ])
            .start_with_context(runtime, &self.process);
        inject(&self.process.with_span(span))
    }

    /// Says that the message failed, with a reason out of a closed list.
    pub fn failed(&self, reason: &'static str) {
        self.process.span().set_status(Status::Error { description: Cow::Borrowed(reason) });
    }
}

impl Drop for MessageSpan<'_> {
    fn drop(&mut self) {
        self.process.span().end();
        self.handle.span().end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{Sampler, SpanData, SpanExporter},
    };

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    fn recorded(work: impl FnOnce(&MessageTracer)) -> Vec<SpanData> {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(kept.clone())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .build();
        work(&MessageTracer::new(&provider, "masker"));
        kept.0.lock().unwrap().clone()
    }

    #[test]
    fn context_survives_its_own_text_and_other_text_begins_a_new_trace() {
        let context = extract(Some(PARENT), Some("a=1,b=2"));
        let written = inject(&context).unwrap();
        assert_eq!(written, TraceContext { traceparent: PARENT.into(), tracestate: Some("a=1,b=2".into()) });
        for text in [None, Some(""), Some("00-zz"), Some("01-0-0-0-0"), Some("00-0-0-00")] {
            assert!(!extract(text, None).span().span_context().is_valid(), "{text:?}");
        }
        assert_eq!(inject(&Context::new()), None);
    }

    #[test]
    fn spans_have_fluxrigs_names_and_nest_under_the_senders() {
        let spans = recorded(|tracer| {
            let span = tracer.begin("flux.msg.a.b.out", "0192", Some(PARENT), None);
            let context = span.output("flux.msg.a.masker.out").unwrap();
            assert!(context.traceparent.contains("0af7651916cd43dd8448eb211c80319c"), "{context:?}");
            span.failed("Trap");
        });
        let shown: Vec<_> = spans
            .iter()
            .map(|span| (span.name.to_string(), span.instrumentation_scope.name().to_owned(), span.span_kind.clone()))
            .collect();
        assert_eq!(
            shown,
            [
                ("gear_output masker".into(), "fluxrig/runtime".into(), SpanKind::Producer),
                ("gear_process masker".into(), "fluxrig/runtime".into(), SpanKind::Internal),
                ("handle_msg flux.msg.a.b.out".into(), "fluxrig/bus".into(), SpanKind::Consumer),
            ]
        );
        let [output, process, handle] = &spans[..] else { panic!("three spans") };
        assert_eq!(output.parent_span_id, process.span_context.span_id());
        assert_eq!(process.parent_span_id, handle.span_context.span_id());
        assert_eq!(handle.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(process.status, Status::error("Trap"));
    }

    #[test]
    fn a_message_without_context_begins_a_trace_and_an_unsampled_one_stays_unsampled() {
        let spans = recorded(|tracer| drop(tracer.begin("s", "1", None, None)));
        assert_eq!(spans.len(), 2);
        let unsampled = PARENT.replace("-01", "-00");
        let spans = recorded(|tracer| {
            let span = tracer.begin("s", "1", Some(&unsampled), None);
            assert!(span.output("t").unwrap().traceparent.ends_with("-00"));
        });
        assert_eq!(spans.len(), 0);
    }
}
