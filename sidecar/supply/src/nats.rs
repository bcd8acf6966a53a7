//! Registry kind `nats`: an index in a KV bucket, the bytes in an object store.
//!
//! * Index: bucket `wasm_index`, key `Reference::index_key`, value JSON `{"digest":"sha256:…","size":n}`. The server itself
//!   keeps it write-once; a push to a bucket that is not is refused ([`SupplyError::IndexMutable`]).
//! * Content: object store `wasm_modules`, object name = the digest's text, read by the bounded code of `object` alone.
//! * Only direct gets are used for reading, so a sidecar needs no right to make consumers.

mod index;
mod object;

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        message::StreamMessage,
        stream::{DirectGetErrorKind, Stream},
    },
};
use bytes::Bytes;
use gear_config::names::{INDEX_BUCKET, MODULE_BUCKET};
use gear_module::{Digest, Reference};

use crate::{Pushed, SupplyError, Verified};

pub use index::Listed;

/// A registry on a NATS server.
#[derive(Debug, Clone)]
pub struct NatsRegistry {
    name: String,
    context: Context,
    /// What stands before `$KV` and `$O` in subjects of another domain.
    prefix: String,
    index_bucket: String,
    module_bucket: String,
}

impl NatsRegistry {
    /// A registry in the buckets `wasm_index` and `wasm_modules`. `domain` is the JetStream domain of `context`.
    #[must_use]
    pub fn new(name: impl Into<String>, context: Context, domain: Option<&str>) -> Self {
        Self {
            name: name.into(),
            context,
            prefix: domain.map(|domain| format!("$JS.{domain}.API.")).unwrap_or_default(),
            index_bucket: INDEX_BUCKET.into(),
            module_bucket: MODULE_BUCKET.into(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digest and size that the index has for a reference.
    pub async fn resolve(&self, reference: &Reference, limit: u64) -> Result<(Digest, u64), SupplyError> {
        let entry = self.entry(reference).await?;
        if entry.size > limit {
            let (registry, what) = (self.name.clone(), reference.to_string());
            return Err(SupplyError::TooLarge { registry, what, size: entry.size, limit });
        }
        Ok((entry.digest, entry.size))
    }

    /// Bytes of a digest.
    pub async fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        self.read_object(digest, limit).await
    }

    /// Uploads a module, reads it back, then writes its version, once: the same bytes again are fine, other bytes are
    /// refused by the server, also when two pushes come at once. `progress` is told the bytes that are stored so far.
    pub async fn push(
        &self,
        reference: &Reference,
        module: &Verified,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<Pushed, SupplyError> {
        self.require_write_once().await?;
        // Refused before the upload where it can be seen; the server decides in the end.
        if let Some(pushed) = self.compare(reference, module.digest()).await? {
            self.store_object(module, &progress).await?;
            return Ok(pushed);
        }
        self.store_object(module, &progress).await?;
        self.write_entry(reference, module).await
    }

    /// Every version of the index, in the order of names and versions.
    pub async fn list(&self) -> Result<Vec<Listed>, SupplyError> {
        self.read_index().await
    }

    /// The newest message on `subject`, or on the first subject of the stream from `after` on.
    async fn get(&self, stream: &str, ask: Ask<'_>, what: &str) -> Result<Option<StreamMessage>, SupplyError> {
        let stream = self.stream(stream).await?;
        let builder = match ask {
            Ask::Last(subject) => stream.direct_get_builder().last_by_subject(subject),
            Ask::NextFrom(sequence, subject) => stream.direct_get_builder().sequence(sequence).next_by_subject(subject),
        };
        match builder.send().await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(what, Box::new(error))),
        }
    }

    async fn stream(&self, name: &str) -> Result<Stream<()>, SupplyError> {
        self.context.get_stream_no_info(name).await.map_err(|error| self.fault("naming a bucket", Box::new(error)))
    }

    async fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<u64, async_nats::jetstream::context::PublishError> {
        let subject = format!("{}{subject}", self.prefix);
        let ack = self.context.publish_with_headers(subject, headers, payload).await?.await?;
        Ok(ack.sequence)
    }

    fn fault(&self, doing: &str, source: Box<dyn std::error::Error + Send + Sync>) -> SupplyError {
        let hint = "(no answer may also mean a missing bucket, made by wasmgear init, or a missing permission)";
        SupplyError::Unavailable { registry: self.name.clone(), doing: format!("{doing} {hint}"), source }
    }

    fn invalid(&self, what: &str, problem: String) -> SupplyError {
        SupplyError::Invalid { registry: self.name.clone(), what: what.to_owned(), problem }
    }
}

/// Which message of a stream is asked for.
#[derive(Debug, Clone, Copy)]
enum Ask<'a> {
    Last(&'a str),
    NextFrom(u64, &'a str),
}
