//! The module of a document: from the store on disk, or from the registries.
//!
//! A NATS that forbids something, or goes away, does not answer. Where all registries are on NATS a fetch ends as soon as
//! that is known, with the cause: a deadline that passed would explain nothing.

use gear_config::{Document, RegistrySource};
use gear_nats::{ConnectError, Endpoint, Session};
use gear_stream::problem as stream;
use gear_supply::{NatsRegistry, Policy, Registries, RegistryConfig, SupplyError, Verified};

use crate::{
    load::{Loader, limit},
    problem::{Trouble, chain},
};

/// The module's bytes: from the store, or fetched and kept.
pub(crate) async fn module(loader: &Loader, document: &Document, pod: &str) -> Result<Verified, Trouble> {
    let revision = &document.stable;
    if let Some(module) = loader.stored(revision).await? {
        return Ok(module);
    }
    let (registries, session) = registries(document, pod).await?;
    let fetching = registries.fetch(&revision.digest, limit(revision));
    let module = match &session {
        Some(session) => watched(session, fetching).await?,
        None => fetching.await?,
    };
    loader.keep(&module).await?;
    Ok(module)
}

/// The registries of the document, and the session that they live from when all of them are on NATS.
async fn registries(document: &Document, pod: &str) -> Result<(Registries, Option<Session>), Trouble> {
    let (on_nats, others): (Vec<_>, Vec<_>) =
        document.registries.iter().partition(|registry| registry.source == RegistrySource::Nats);
    let only_others = || {
        let configs: Vec<RegistryConfig> = others.iter().copied().map(RegistryConfig::from).collect();
        Ok((Registries::new(&configs, None, once())?, None))
    };
    if on_nats.is_empty() {
        return only_others();
    }
    match connect(document, pod).await {
        Ok(session) => {
            let (jetstream, domain) = (session.jetstream(), document.nats.js_domain.as_deref());
            let nats = |name: &str| NatsRegistry::new(name, jetstream.clone(), domain);
            let registries = Registries::of_document(&document.registries, &nats, once())?;
            Ok((registries, others.is_empty().then_some(session)))
        }
        Err(trouble) if others.is_empty() => Err(trouble),
        Err(trouble) => {
            tracing::warn!(problem = trouble.problem.message, "the registries on NATS are left out this time");
            only_others()
        }
    }
}

/// One try: whoever prepares the gear tries again, and tells people meanwhile what is wrong.
fn once() -> Policy {
    Policy { tries: 1, ..Policy::default() }
}

async fn connect(document: &Document, pod: &str) -> Result<Session, Trouble> {
    let told = |error: ConnectError| {
        let transient = error.may_pass();
        let reason = if transient { stream::NATS_UNAVAILABLE } else { stream::NATS_SETTINGS };
        Trouble { transient, ..Trouble::passing(reason, chain(&error)) }
    };
    let endpoint = Endpoint::new(&document.nats).map_err(told)?;
    let durable = document.gear.durable();
    Session::open(&endpoint, &format!("{durable} {pod} modules"), &format!("_INBOX_{durable}")).await.map_err(told)
}

async fn watched(
    session: &Session,
    fetching: impl Future<Output = Result<Verified, SupplyError>>,
) -> Result<Verified, Trouble> {
    tokio::select! {
        fetched = fetching => fetched.map_err(Trouble::from),
        subject = session.denials().first() => Err(Trouble { problem: stream::denied(&subject), transient: true }),
        () = session.ended().cancelled() => {
            let servers = session.endpoint().servers();
            let message = format!("the connection to NATS at {servers} was lost while the module was fetched");
            Err(Trouble::passing(stream::NATS_UNAVAILABLE, message))
        }
    }
}
