//! Spans to a collector: OTLP over plain HTTP, protobuf, in batches, from a thread of its own.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, hyper::HyperClient};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Runtime;

use crate::{Identity, TelemetryError, settings::Otlp};

/// For one request to the collector.
const PATIENCE: Duration = Duration::from_secs(5);
/// For what is still in hand when the program ends.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(3);

pub(crate) fn provider(otlp: &Otlp, identity: &Identity) -> Result<SdkTracerProvider, TelemetryError> {
    let failed = |source| TelemetryError::Exporter { endpoint: otlp.endpoint.clone(), source };
    let client = Blocking::new().map_err(|error| failed(error.into()))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&otlp.endpoint)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| failed(error.into()))?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(otlp.ratio)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource(identity))
        .build())
}

fn resource(identity: &Identity) -> Resource {
    Resource::builder_empty()
        .with_service_name(identity.service)
        .with_attributes([
            KeyValue::new("service.version", identity.version),
            KeyValue::new("service.instance.id", identity.id.clone()),
            KeyValue::new("flux.id", identity.id.clone()),
            KeyValue::new("flux.name", identity.name.clone()),
            KeyValue::new("flux.type", identity.kind),
        ])
        .build()
}

/// The batch processor runs its exports on a plain thread, and hyper needs a reactor: this client brings its own and
/// runs it on that thread, for as long as a request takes.
#[derive(Debug)]
struct Blocking {
    runtime: Runtime,
    client: HyperClient,
}

impl Blocking {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, client: HyperClient::with_default_connector(PATIENCE, None) })
    }
}

#[async_trait::async_trait]
impl HttpClient for Blocking {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime.block_on(self.client.send_bytes(request))
    }
}
