//! The content: an object store, in NATS' own layout (meta `$O.<bucket>.M.<base64url name>`, chunks `$O.<bucket>.C.<nuid>`),
//! read by our own bounded code.
//!
//! The library's `ObjectStore::get` recurses without end on an object that links to itself and panics on a wrong digest.
//! Here: links are refused, the declared size is compared before the first chunk is asked for, each chunk is counted and
//! hashed as it comes, and what the meta says about the digest is ignored: only the name, which is the digest, counts.

use async_nats::{
    HeaderMap, HeaderValue,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_ROLLUP},
    jetstream::message::StreamMessage,
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use gear_module::Digest;
use serde::{Deserialize, Serialize};

use super::{Ask, NatsRegistry};
use crate::{Class, SupplyError, Verified, intake::Intake};

/// As other clients of the object store do.
const CHUNK: usize = 128 << 10;
/// A meta is about 400 bytes; more is no meta of ours.
const MAX_META: usize = 64 << 10;
/// Chunks are not smaller than this on average; a module in more pieces is a way to keep a reader busy.
const MIN_CHUNK: u64 = 1 << 10;
/// Pieces that even a tiny module may have.
const SPARE_CHUNKS: u64 = 8;

/// The part of an object's meta that matters here; other clients write more, and read what we write.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    name: String,
    bucket: String,
    #[serde(default)]
    nuid: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    chunks: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_chunk_size: Option<u64>,
}

impl NatsRegistry {
    pub(super) async fn read_object(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        let what = digest.to_string();
        let meta = self.meta(digest).await?.filter(|meta| !meta.deleted).ok_or_else(|| SupplyError::NotFound {
            registry: self.name.clone(),
            what: what.clone(),
            next: "push the module again".into(),
        })?;
        let mut intake = Intake::begin(&self.name, &what, Some(meta.size), limit)?;
        self.check(&what, &meta)?;
        let subject = format!("$O.{}.C.{}", self.module_bucket, meta.nuid);
        let (mut sequence, mut chunks) = (1, 0);
        while intake.len() < meta.size {
            let doing = format!("reading chunk {chunks} of {what} in bucket {}", self.module_bucket);
            let message = self.get(&self.module_stream(), Ask::NextFrom(sequence, &subject), &doing).await?;
            let Some(message) = message else {
                let problem = format!("chunk {chunks} is missing, {} of {} bytes are there", intake.len(), meta.size);
                return Err(self.invalid(&what, problem));
            };
            chunks += 1;
            sequence = message.sequence.saturating_add(1);
            if chunks > meta.size / MIN_CHUNK + SPARE_CHUNKS {
                return Err(self.invalid(&what, format!("{chunks} chunks or more for {} bytes", meta.size)));
            }
            if message.payload.is_empty() || intake.len() + message.payload.len() as u64 > meta.size {
                return Err(self.invalid(&what, format!("its chunks do not add up to its size of {} bytes", meta.size)));
            }
            intake.take(&message.payload)?;
        }
        intake.end().verify(digest)
    }

    fn check(&self, what: &str, meta: &Meta) -> Result<(), SupplyError> {
        if meta.options.as_ref().is_some_and(|options| options.link.is_some()) {
            return Err(self.invalid(what, "it is a link, and links are not followed".into()));
        }
        if meta.name != what {
            return Err(self.invalid(what, format!("its meta names {:?}", shown(&meta.name))));
        }
        let token = meta.nuid.len() <= 64 && meta.nuid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if meta.nuid.is_empty() || !token {
            return Err(self.invalid(what, format!("its meta has the chunk id {:?}", shown(&meta.nuid))));
        }
        Ok(())
    }

    async fn meta(&self, digest: &Digest) -> Result<Option<Meta>, SupplyError> {
        let Some(message) = self.meta_message(digest).await? else { return Ok(None) };
        let (what, size) = (digest.to_string(), message.payload.len());
        if size > MAX_META {
            return Err(self.invalid(&what, format!("its meta has {size} bytes")));
        }
        let meta = serde_json::from_slice(&message.payload);
        meta.map(Some).map_err(|error| self.invalid(&what, format!("its meta is not readable ({error})")))
    }

    async fn meta_message(&self, digest: &Digest) -> Result<Option<StreamMessage>, SupplyError> {
        let doing = format!("reading {digest} of bucket {}", self.module_bucket);
        self.get(&self.module_stream(), Ask::Last(&self.meta_subject(digest)), &doing).await
    }

    /// Makes sure that the object store has the bytes: uploads them unless they can be read back already.
    pub(super) async fn store_object(
        &self,
        module: &Verified,
        progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<(), SupplyError> {
        let (digest, size) = (module.digest(), module.bytes().len() as u64);
        if self.holds(&digest, size).await? {
            progress(size);
            return Ok(());
        }
        let nuid = self.context.client().new_inbox().rsplit('.').next().unwrap_or_default().to_owned();
        let mut sent = 0;
        for chunk in module.bytes().chunks(CHUNK) {
            let subject = format!("$O.{}.C.{nuid}", self.module_bucket);
            let stored = self.publish(subject, HeaderMap::new(), Bytes::copy_from_slice(chunk)).await;
            stored.map_err(|error| self.fault("writing a chunk", Box::new(error)))?;
            sent += chunk.len() as u64;
            progress(sent);
        }
        self.write_meta(&digest, size, nuid).await?;
        self.read_object(&digest, size).await.map(drop)
    }

    async fn holds(&self, digest: &Digest, size: u64) -> Result<bool, SupplyError> {
        match self.read_object(digest, size).await {
            Ok(_) => Ok(true),
            Err(error) if error.class().is_transient() => Err(error),
            Err(error) => {
                if error.class() != Class::ModuleNotFound {
                    tracing::warn!(error = error.chain(), "the stored object is damaged; it is written again");
                }
                Ok(false)
            }
        }
    }

    async fn write_meta(&self, digest: &Digest, size: u64, nuid: String) -> Result<(), SupplyError> {
        let meta = Meta {
            name: digest.to_string(),
            bucket: self.module_bucket.clone(),
            nuid,
            size,
            chunks: size.div_ceil(CHUNK as u64),
            digest: Some(format!("SHA-256={}", URL_SAFE.encode(digest.as_bytes()))),
            deleted: false,
            options: Some(Options { link: None, max_chunk_size: Some(CHUNK as u64) }),
        };
        let json = serde_json::to_vec(&meta).map_err(|error| self.fault("writing a meta", Box::new(error)))?;
        // The newest meta replaces the others; of two pushes at once the second finds its expectation broken, and the
        // bytes there are the same ones.
        let last = self.meta_message(digest).await?.map_or(0, |message| message.sequence);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_ROLLUP, HeaderValue::from("sub"));
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, HeaderValue::from(last));
        match self.publish(self.meta_subject(digest), headers, json.into()).await {
            Ok(_) => Ok(()),
            Err(error) if self.holds(digest, size).await? => {
                tracing::debug!(%error, "somebody else stored the same module meanwhile");
                Ok(())
            }
            Err(error) => Err(self.fault("writing a meta", Box::new(error))),
        }
    }

    fn meta_subject(&self, digest: &Digest) -> String {
        format!("$O.{}.M.{}", self.module_bucket, URL_SAFE.encode(digest.to_string()))
    }

    fn module_stream(&self) -> String {
        format!("OBJ_{}", self.module_bucket)
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
