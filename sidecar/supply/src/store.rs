//! The store on disk: one file for each digest, in a folder that nobody else reads.
//!
//! * The folder has mode 0700, files 0600; a file appears complete or not at all (written aside, then renamed).
//! * Nothing that is read is trusted: the size is compared before reading, the digest after. A file with other bytes is
//!   removed and counts as absent.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use gear_module::Digest;

use crate::{SupplyError, Verified, intake::Intake};

const SUFFIX: &str = ".wasm";

/// Modules by digest, in a private folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store, makes its folder when it is not there, and closes it to other users.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, SupplyError> {
        let store = Self { folder: folder.into() };
        let fault = |source| store.fault("making the folder", source);
        DirBuilder::new().recursive(true).mode(0o700).create(&store.folder).map_err(fault)?;
        fs::set_permissions(&store.folder, Permissions::from_mode(0o700)).map_err(fault)?;
        Ok(store)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The bytes of a digest, hashed again, or `None`.
    pub fn load(&self, digest: &Digest, limit: u64) -> Result<Option<Verified>, SupplyError> {
        let path = self.path(digest);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.fault("opening a module", source)),
        };
        let verified = Self::read(&mut file, digest, limit).map_err(|source| self.fault("reading a module", source))?;
        if verified.is_none() {
            tracing::warn!(file = %path.display(), %digest, "a stored module was changed or cut short; it is removed");
            self.remove(&path)?;
        }
        Ok(verified)
    }

    /// Keeps the bytes of a digest.
    pub fn keep(&self, module: &Verified) -> Result<(), SupplyError> {
        let path = self.path(&module.digest());
        let draft = path.with_extension(crate::draft_suffix());
        write(&draft, module.bytes())
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|source| self.fault("writing a module", source))
    }

    /// Removes every module but these.
    pub fn retain(&self, digests: &[Digest]) -> Result<(), SupplyError> {
        let fault = |source| self.fault("reading the folder", source);
        let wanted: Vec<PathBuf> = digests.iter().map(|digest| self.path(digest)).collect();
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let ours = path.extension().is_some_and(|suffix| suffix == "wasm" || suffix == "draft");
            if ours && !wanted.contains(&path) {
                self.remove(&path)?;
            }
        }
        Ok(())
    }

    fn read(file: &mut File, digest: &Digest, limit: u64) -> io::Result<Option<Verified>> {
        let size = file.metadata()?.len();
        let Ok(mut intake) = Intake::begin("store", digest.to_string(), Some(size), limit) else { return Ok(None) };
        let mut piece = vec![0; 64 << 10];
        loop {
            let n = file.read(&mut piece)?;
            if n == 0 {
                return Ok(intake.end().verify(digest).ok());
            }
            if intake.take(piece.get(..n).unwrap_or_default()).is_err() {
                return Ok(None);
            }
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.hex() + SUFFIX)
    }

    fn remove(&self, path: &Path) -> Result<(), SupplyError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.fault("removing a module", error)),
            _ => Ok(()),
        }
    }

    fn fault(&self, doing: &'static str, source: io::Error) -> SupplyError {
        SupplyError::Store { path: self.folder.display().to_string(), doing, source }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::Fetched;

    fn verified(text: &'static str) -> Verified {
        let digest = Digest::of(text.as_bytes());
        Fetched::local(Bytes::from_static(text.as_bytes())).verify(&digest).unwrap()
    }

    #[test]
    fn what_is_kept_is_loaded_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("modules")).unwrap();
        let module = verified("one");
        assert!(store.load(&module.digest(), 100).unwrap().is_none());
        store.keep(&module).unwrap();
        assert_eq!(&**store.load(&module.digest(), 100).unwrap().unwrap().bytes(), b"one");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.folder()), 0o700);
        assert_eq!(mode(&store.path(&module.digest())), 0o600);
    }

    #[test]
    fn a_changed_file_counts_as_absent_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let module = verified("one");
        for other in [&b"two"[..], b"on", b"one and more than the limit"] {
            store.keep(&module).unwrap();
            fs::write(store.path(&module.digest()), other).unwrap();
            assert!(store.load(&module.digest(), 5).unwrap().is_none());
            assert!(!store.path(&module.digest()).exists());
        }
    }

    #[test]
    fn only_what_is_in_use_is_retained() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (one, two) = (verified("one"), verified("two"));
        store.keep(&one).unwrap();
        store.keep(&two).unwrap();
        fs::write(folder.path().join("x.9.draft"), "half").unwrap();
        store.retain(&[two.digest()]).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [store.path(&two.digest())]);
    }
}
