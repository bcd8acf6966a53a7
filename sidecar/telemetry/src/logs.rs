//! The one subscriber of a program, and the panic hook.

use std::{io, sync::Arc};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt::writer::BoxMakeWriter,
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::{Format, Output, Settings, TelemetryError};

type Change = dyn Fn(EnvFilter) -> bool + Send + Sync;

/// Changes which log lines are written.
#[derive(Clone)]
pub struct FilterHandle(Arc<Change>);

impl std::fmt::Debug for FilterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FilterHandle")
    }
}

impl FilterHandle {
    /// Writes from now on what `filter` says, in the syntax of `RUST_LOG`. The error is a sentence.
    pub fn set(&self, filter: &str) -> Result<(), String> {
        let parsed = EnvFilter::try_new(filter)
            .map_err(|error| format!("{filter:?}: {error}; a filter is expected, as in info,async_nats=warn"))?;
        if (self.0)(parsed) { Ok(()) } else { Err("logs are shut down already".into()) }
    }
}

pub(crate) fn install(
    settings: &Settings,
    provider: Option<&SdkTracerProvider>,
) -> Result<FilterHandle, TelemetryError> {
    // `Settings` was checked; a filter that does not parse here would be a text changed in between.
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    let lines = lines(settings).with_filter(filter);
    // Spans of the program itself (fetch, compile, connect). Those of messages are made without `tracing`.
    let spans = provider.map(|provider| {
        let layer =
            tracing_opentelemetry::layer().with_tracer(provider.tracer("wasmgear")).with_tracked_inactivity(false);
        // What the exporter's own HTTP client does must not become spans again.
        let ours = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_targets(["hyper", "hyper_util", "opentelemetry", "opentelemetry_sdk"].map(|t| (t, LevelFilter::OFF)));
        layer.with_filter(ours)
    });
    let done = tracing_subscriber::registry().with(lines).with(spans).try_init();
    done.map_err(|_| TelemetryError::Twice)?;
    Ok(FilterHandle(Arc::new(move |filter| handle.reload(filter).is_ok())))
}

fn lines(settings: &Settings) -> Box<dyn Layer<Registry> + Send + Sync> {
    let writer = match settings.output {
        Output::Stdout => BoxMakeWriter::new(io::stdout),
        Output::Stderr => BoxMakeWriter::new(io::stderr),
    };
    layer(settings.format, writer)
}

fn layer<S>(format: Format, writer: BoxMakeWriter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let base = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Json => base.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        Format::Human { colour } => base.with_ansi(colour).with_target(false).boxed(),
    }
}

/// A panic becomes one log line, like every other fault; the thread's owner decides what follows.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(panic = text, place, thread = thread.name().unwrap_or("unnamed"), "a thread panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What `work` writes in this format.
    fn written(format: Format, work: impl FnOnce()) -> String {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&buffer);
        let writer = BoxMakeWriter::new(move || Shared(Arc::clone(&shared)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(format, writer)), work);
        let bytes = buffer.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_json_line_is_one_object_whatever_the_text_holds() {
        let line = written(Format::Json, || tracing::info!(gear = "a\"b", "two\nlines \u{1b}[31m"));
        assert_eq!(line.lines().count(), 1, "{line}");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&json["level"], &json["gear"]), (&"INFO".into(), &"a\"b".into()));
        assert_eq!(json["message"], "two\nlines \u{1b}[31m");
        assert!(!line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn a_line_for_people_has_colours_only_when_asked() {
        let plain = written(Format::Human { colour: false }, || tracing::warn!(n = 7, "text"));
        assert!(plain.contains("WARN text n=7") && !plain.contains('\u{1b}'), "{plain}");
        assert!(written(Format::Human { colour: true }, || tracing::warn!("text")).contains('\u{1b}'));
    }
}
