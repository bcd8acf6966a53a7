//! From nothing to a gear that can be called: read the document, fetch, check, compile, try; again and again until it works.

use std::{sync::Arc, time::Duration};

use gear_config::Document;
use gear_supply::jittered;

use crate::{
    Config,
    document::DocumentFile,
    fetch::module,
    guest_log::GuestLog,
    identity::Wire,
    load::Loader,
    metrics::{GearLabels, Process},
    pipeline::{Pipeline, PipelineParts},
    problem::{Trouble, reason},
    state::{Serving, State},
};

/// Pauses between two attempts at something that may pass by itself.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];
/// After those.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A gear that can be called, and the document that says so.
pub(crate) struct Ready {
    pub(crate) document: Document,
    pub(crate) gear: Pipeline,
}

/// Prepares a gear.
pub(crate) struct Preparing<'a> {
    config: &'a Config<'a>,
    state: &'a State,
    metrics: &'a Process,
    file: DocumentFile,
    /// The engine is kept between attempts: the compiler remembers what it gave up.
    loader: Option<(u32, Loader)>,
}

impl<'a> Preparing<'a> {
    pub(crate) fn new(config: &'a Config<'a>, state: &'a State, metrics: &'a Process) -> Self {
        let file = DocumentFile::new(&config.args.config);
        Self { config, state, metrics, file, loader: None }
    }

    /// Comes back when the gear is ready. Every failure is told in the state.
    pub(crate) async fn run(&mut self) -> Ready {
        let mut tries = 0;
        loop {
            let trouble = match Box::pin(self.attempt()).await {
                Ok(ready) => return ready,
                Err(trouble) => trouble,
            };
            self.metrics.loaded(&trouble.problem.reason);
            let transient = trouble.transient;
            self.state.hindered(trouble.problem);
            let pause = jittered(PAUSES.get(tries).copied().unwrap_or(LONGEST_PAUSE));
            tokio::select! {
                () = self.file.changed() => tries = 0,
                () = tokio::time::sleep(pause), if transient => tries += 1,
            }
        }
    }

    async fn attempt(&mut self) -> Result<Ready, Trouble> {
        let document = self.file.read()?;
        self.state.follow(&document);
        let revision = &document.stable;
        let wire = Wire::new(&document.gear, &document.input.stream, &revision.output)?;
        let log = GuestLog::start(&document.gear.name, self.metrics.clone())
            .map_err(|error| Trouble::passing(reason::ENGINE_UNAVAILABLE, format!("the thread for logs: {error}")))?;
        let (config, state, metrics) = (self.config, self.state, self.metrics);
        let loader = self.loader(document.concurrency)?;
        let module = module(loader, &document, &config.args.pod_name).await?;
        let tested = loader.load(revision, module, document.concurrency, Arc::new(log)).await?;
        loader.prune(revision)?;

        let name = document.gear.name.clone();
        let labels = GearLabels { gear: name.clone(), flux_id: wire.gear.to_string(), flux_name: name.clone() };
        let parts = PipelineParts {
            wire,
            guest: tested.guest,
            abi: tested.abi,
            threads: loader.engine().threads().clone(),
            tracer: config.telemetry.and_then(|telemetry| telemetry.messages(&name)),
            metrics: metrics.gear(&labels),
        };
        let gear = Pipeline::new(revision, parts);
        let serving = Serving {
            engine: loader.engine().clone(),
            module: revision.module.clone(),
            abi: tested.abi.as_str(),
            concurrency: tested.concurrency,
        };
        metrics.loaded("ok");
        state.prepared(tested.status, serving);
        tracing::info!(
            revision = revision.name, digest = %revision.digest, abi = tested.abi.as_str(), calls = tested.concurrency,
            "the module is loaded and tested"
        );
        Ok(Ready { document, gear })
    }

    fn loader(&mut self, concurrency: u32) -> Result<&Loader, Trouble> {
        let fits = self.loader.as_ref().is_some_and(|(room, _)| *room == concurrency);
        if !fits {
            // The old engine goes first: two pools of address space are one too many.
            self.loader = None;
            let Config { program, args, guest_threads, .. } = self.config;
            self.loader = Some((concurrency, Loader::new(program, &args.cache, concurrency, *guest_threads)?));
        }
        match &self.loader {
            Some((_, loader)) => Ok(loader),
            None => Err(Trouble::passing(reason::ENGINE_UNAVAILABLE, "the engine is not there")),
        }
    }
}
