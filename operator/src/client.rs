//! The client for the API server, with every write counted on its way out, so that none can be forgotten.

use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
};
use tower::util::MapRequestLayer;

use crate::metrics::Metrics;

/// Makes the client.
pub(crate) fn counted(config: Config, metrics: Metrics) -> Result<Client, kube::Error> {
    let count = move |request: hyper::Request<Body>| {
        metrics.request(request.method().as_str(), request.uri().path());
        request
    };
    Ok(ClientBuilder::try_from(config)?.with_layer(&MapRequestLayer::new(count)).build())
}
