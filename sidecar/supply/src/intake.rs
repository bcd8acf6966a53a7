//! Bytes on their way in: bounded, hashed while they come, and typed by what is known of them.

use bytes::Bytes;
use gear_module::Digest;
use sha2::{Digest as _, Sha256};

use crate::SupplyError;

/// Bytes as they came, with the digest that was computed meanwhile. Nobody has compared it yet.
#[derive(Debug, Clone)]
pub struct Fetched {
    registry: String,
    digest: Digest,
    bytes: Bytes,
}

/// Bytes whose digest is the one that was asked for.
#[derive(Debug, Clone)]
pub struct Verified {
    digest: Digest,
    bytes: Bytes,
}

impl Fetched {
    /// Takes bytes that are already here, as `push` does with a file.
    #[must_use]
    pub fn local(bytes: Bytes) -> Self {
        Self { registry: "local".into(), digest: Digest::of(&bytes), bytes }
    }

    /// The digest of the bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Compares with the digest that was asked for: the only way to a [`Verified`].
    pub fn verify(self, wanted: &Digest) -> Result<Verified, SupplyError> {
        if self.digest == *wanted {
            return Ok(Verified { digest: self.digest, bytes: self.bytes });
        }
        Err(SupplyError::Mismatch {
            registry: self.registry,
            what: wanted.to_string(),
            wanted: *wanted,
            found: self.digest,
        })
    }
}

impl Verified {
    /// The digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes, when nothing else is wanted any more.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Collects the pieces of one module, refuses the piece that would pass the limit, hashes the rest.
pub(crate) struct Intake<'a> {
    registry: &'a str,
    what: String,
    limit: u64,
    hash: Sha256,
    bytes: Vec<u8>,
}

impl<'a> Intake<'a> {
    /// Begins. `declared` is what the registry says the size is; more than `limit` is refused before anything is read.
    pub(crate) fn begin(
        registry: &'a str,
        what: impl Into<String>,
        declared: Option<u64>,
        limit: u64,
    ) -> Result<Self, SupplyError> {
        let what = what.into();
        if let Some(size) = declared.filter(|size| *size > limit) {
            return Err(SupplyError::TooLarge { registry: registry.to_owned(), what, size, limit });
        }
        // A declared size within the limit is still only a claim: memory is taken as pieces really come.
        Ok(Self { registry, what, limit, hash: Sha256::new(), bytes: Vec::new() })
    }

    /// Takes the next piece.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), SupplyError> {
        let size = self.len() + piece.len() as u64;
        if size > self.limit {
            let (registry, what) = (self.registry.to_owned(), self.what.clone());
            return Err(SupplyError::TooLarge { registry, what, size, limit: self.limit });
        }
        self.hash.update(piece);
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Bytes taken so far.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// All pieces are in.
    pub(crate) fn end(self) -> Fetched {
        let digest = Digest::from_sha256(self.hash.finalize().into());
        Fetched { registry: self.registry.to_owned(), digest, bytes: self.bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;

    #[test]
    fn a_module_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let mut intake = Intake::begin("r", "m", Some(8), 8).unwrap();
        intake.take(&[1; 5]).unwrap();
        intake.take(&[1; 3]).unwrap();
        assert_eq!(intake.len(), 8);
        assert_eq!(intake.take(&[1]).unwrap_err().class(), Class::ModuleTooLarge);
        let declared = Intake::begin("r", "m", Some(9), 8).err().unwrap();
        assert_eq!(declared.class(), Class::ModuleTooLarge);
    }

    #[test]
    fn the_digest_of_the_pieces_is_the_digest_of_the_whole() {
        let mut intake = Intake::begin("r", "m", None, 100).unwrap();
        intake.take(b"hello ").unwrap();
        intake.take(b"world").unwrap();
        let fetched = intake.end();
        assert_eq!(fetched.digest(), Digest::of(b"hello world"));
        assert_eq!(&**fetched.verify(&Digest::of(b"hello world")).unwrap().bytes(), b"hello world");
    }

    #[test]
    fn other_bytes_never_become_verified() {
        let error = Fetched::local(Bytes::from_static(b"evil")).verify(&Digest::of(b"good")).unwrap_err();
        assert_eq!(error.class(), Class::DigestMismatch);
        assert!(error.to_string().contains(&Digest::of(b"evil").hex()), "{error}");
    }
}
