//! Logs, traces and metrics, set up once for a program.
//!
//! * [`init`] reads [`Settings`], installs the one subscriber and a panic hook, and gives a [`Guard`]: dropping it sends
//!   what is still in hand.
//! * Logs are JSON, one line each, unless the output is a terminal; then they are for people.
//! * Spans are sent by OTLP (HTTP, protobuf) when an endpoint is set. Without one nothing of it exists: no thread, no
//!   allocation, and [`Guard::messages`] is `None`, so that a message costs one branch.
//! * [`trace`] has the spans of a message as fluxrig names them and reads and writes W3C context in text maps.
//! * [`metrics`] renders a registry and says what is in it.
//!
//! What it is not: it knows no gear, no stream and no Kubernetes. It never sees a secret: headers of the OTLP endpoint
//! are read by the exporter alone, and [`Settings`] shows no value of them.
//! How it fails: [`SettingsError`] names every variable that can't be followed; later faults are log lines.
#![deny(missing_docs)]

mod export;
mod logs;
mod settings;

pub mod metrics;
pub mod trace;

pub use logs::FilterHandle;
pub use settings::{Format, Output, Settings, SettingsError};

use opentelemetry_sdk::trace::SdkTracerProvider;

/// Who speaks, for every log line's program and every span's resource.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Name of the program, `service.name`.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Unique id of the entity, `service.instance.id` and `flux.id`.
    pub id: String,
    /// Name of the entity, `flux.name`.
    pub name: String,
    /// Kind of the entity in fluxrig's words, `flux.type`; for example `GEAR`.
    pub kind: &'static str,
}

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter refused its settings.
    #[error("the exporter of spans could not be made for {endpoint}")]
    Exporter {
        /// The endpoint.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is one already.
    #[error("logs are set up already; a program does it once")]
    Twice,
}

/// Telemetry of a running program. Dropping it sends what is still in hand.
#[derive(Debug)]
pub struct Guard {
    filter: FilterHandle,
    provider: Option<SdkTracerProvider>,
}

/// Sets up logs, spans and the panic hook. Once for a program.
pub fn init(settings: &Settings, identity: &Identity) -> Result<Guard, TelemetryError> {
    let provider = settings.otlp.as_ref().map(|otlp| export::provider(otlp, identity)).transpose()?;
    let filter = logs::install(settings, provider.as_ref())?;
    logs::install_panic_hook();
    Ok(Guard { filter, provider })
}

impl Guard {
    /// Changes which log lines are written, while the program runs.
    #[must_use]
    pub fn filter(&self) -> FilterHandle {
        self.filter.clone()
    }

    /// Makes the spans of messages; `None` when spans go nowhere.
    #[must_use]
    pub fn messages(&self, gear: &str) -> Option<trace::MessageTracer> {
        self.provider.as_ref().map(|provider| trace::MessageTracer::new(provider, gear))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown_with_timeout(export::LAST_WORDS)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}
