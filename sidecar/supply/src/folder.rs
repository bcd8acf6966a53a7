//! Registry kind `folder`: a module is the file `<dir>/<name>/<version>`, for example `modules/team/fraud-scorer/v2.1`.
//!
//! * The parts of a name and a version can't spell a way out (`gear_module::Reference`), and what was opened must lie
//!   inside the folder after all links are followed: a link that leads out is refused.
//! * A version is written once: [`FolderRegistry::push`] links the finished file into place and never replaces one. A
//!   person can still overwrite a file; then its old digest is not there any more, and nothing else is served for it.
//! * For a digest the folder is searched; what was hashed before is remembered by path, size and time of change.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use gear_module::{Digest, Reference};

use crate::{Pushed, SupplyError, Verified, intake::Intake};

/// Files and folders that a search looks at.
const MAX_ENTRIES: usize = 10_000;
const PIECE: usize = 64 << 10;

/// A folder with modules.
#[derive(Debug, Clone)]
pub struct FolderRegistry(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    name: String,
    root: PathBuf,
    seen: Mutex<HashMap<PathBuf, Seen>>,
}

/// What a file had when it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    digest: Digest,
}

impl FolderRegistry {
    /// A registry over `root`. The folder need not be there yet.
    #[must_use]
    pub fn new(name: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Folder { name: name.into(), root: root.into(), seen: Mutex::default() }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Digest and size of a reference's file.
    pub async fn resolve(&self, reference: &Reference, limit: u64) -> Result<(Digest, u64), SupplyError> {
        let reference = reference.clone();
        self.blocking(move |folder| folder.resolve(&reference, limit)).await
    }

    /// Bytes of a digest.
    pub async fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        let digest = *digest;
        self.blocking(move |folder| folder.fetch(&digest, limit)).await
    }

    /// Writes a version, once. The same bytes again are fine, other bytes are refused.
    pub async fn push(&self, reference: &Reference, module: &Verified) -> Result<Pushed, SupplyError> {
        let (reference, module) = (reference.clone(), module.clone());
        self.blocking(move |folder| folder.push(&reference, &module)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, SupplyError> + Send + 'static,
    ) -> Result<T, SupplyError> {
        let folder = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(result) => result,
            Err(source) => Err(SupplyError::Unavailable {
                registry: self.0.name.clone(),
                doing: "reading the folder".into(),
                source: Box::new(source),
            }),
        }
    }
}

impl Folder {
    fn path(&self, reference: &Reference) -> PathBuf {
        self.root.join(reference.name()).join(reference.version())
    }

    fn resolve(&self, reference: &Reference, limit: u64) -> Result<(Digest, u64), SupplyError> {
        let path = self.path(reference);
        let fetched = self.read(&path, &reference.to_string(), limit)?;
        let size = fetched.len();
        let fetched = fetched.end();
        self.remember(path, fetched.digest());
        Ok((fetched.digest(), size))
    }

    fn fetch(&self, digest: &Digest, limit: u64) -> Result<Verified, SupplyError> {
        if let Some(found) = self.fetch_known(digest, limit)? {
            return Ok(found);
        }
        self.search(limit)?;
        self.fetch_known(digest, limit)?.ok_or_else(|| self.not_found(digest.to_string()))
    }

    fn fetch_known(&self, digest: &Digest, limit: u64) -> Result<Option<Verified>, SupplyError> {
        let known = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.iter().find(|(_, seen)| seen.digest == *digest).map(|(path, _)| path.clone())
        };
        let Some(path) = known else { return Ok(None) };
        let verified = self.read(&path, &digest.to_string(), limit).and_then(|intake| intake.end().verify(digest));
        match verified {
            Ok(verified) => Ok(Some(verified)),
            Err(SupplyError::Mismatch { .. } | SupplyError::NotFound { .. }) => {
                // The file was replaced since it was hashed; another one may still have the bytes.
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Hashes every file of the folder that is new or changed.
    fn search(&self, limit: u64) -> Result<(), SupplyError> {
        let fault = |source| self.fault("reading the folder", source);
        let (mut folders, mut budget) = (vec![self.root.clone()], MAX_ENTRIES);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(fault)? {
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    tracing::warn!(folder = %self.root.display(), "more than {MAX_ENTRIES} files: not all were searched");
                    return Ok(());
                }
                let entry = entry.map_err(fault)?;
                let Ok(meta) = fs::metadata(entry.path()) else { continue };
                // Linked files are read (they must still lie inside), linked folders are not entered: they may be loops.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                } else if meta.is_file() && meta.len() <= limit {
                    self.hash(entry.path(), &meta, limit);
                }
            }
        }
        Ok(())
    }

    fn hash(&self, path: PathBuf, meta: &fs::Metadata, limit: u64) {
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&path).copied();
        if known.is_some_and(|seen| (seen.size, seen.changed) == (meta.len(), meta.modified().ok())) {
            return;
        }
        // A file that can't be read is somebody else's; it does not stop the search.
        if let Ok(intake) = self.read(&path, "a file", limit) {
            self.remember(path, intake.end().digest());
        }
    }

    fn remember(&self, path: PathBuf, digest: Digest) {
        let Ok(meta) = fs::metadata(&path) else { return };
        let seen = Seen { size: meta.len(), changed: meta.modified().ok(), digest };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(path, seen);
    }

    fn read(&self, path: &Path, what: &str, limit: u64) -> Result<Intake<'_>, SupplyError> {
        let mut file = self.open(path, what)?;
        let fault = |source| self.fault(&format!("reading {what}"), source);
        let declared = file.metadata().map_err(fault)?.len();
        let mut intake = Intake::begin(&self.name, what, Some(declared), limit)?;
        let mut piece = vec![0; PIECE];
        loop {
            let n = file.read(&mut piece).map_err(fault)?;
            if n == 0 {
                return Ok(intake);
            }
            intake.take(piece.get(..n).unwrap_or_default())?;
        }
    }

    /// Opens a regular file that really lies inside the folder.
    fn open(&self, path: &Path, what: &str) -> Result<File, SupplyError> {
        let fault = |source: io::Error| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => self.not_found(what.to_owned()),
            _ => self.fault(&format!("opening {}", path.display()), source),
        };
        let root = self.root.canonicalize().map_err(|source| self.fault("opening the folder", source))?;
        // A named pipe would wait for a writer when it is opened.
        if !fs::metadata(path).map_err(fault)?.is_file() {
            return Err(self.invalid(what, format!("{} is not a file", path.display())));
        }
        let file = File::open(path).map_err(fault)?;
        let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(fault)?;
        if real.starts_with(&root) {
            return Ok(file);
        }
        Err(self.invalid(what, format!("{} leads out of the folder, to {}", path.display(), real.display())))
    }

    fn push(&self, reference: &Reference, module: &Verified) -> Result<Pushed, SupplyError> {
        let path = self.path(reference);
        let fault = |source| self.fault(&format!("writing {}", path.display()), source);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(fault)?;
        let (root, real) = (self.root.canonicalize().map_err(fault)?, folder.canonicalize().map_err(fault)?);
        if !real.starts_with(&root) {
            return Err(self.invalid(&reference.to_string(), format!("{} leads out of the folder", folder.display())));
        }
        let draft = real.join(format!(".{}.{}", module.digest().short(), crate::draft_suffix()));
        let written = write_new(&draft, module.bytes()).and_then(|()| fs::hard_link(&draft, &path));
        let removed = fs::remove_file(&draft);
        match written {
            Ok(()) => removed.map(|()| Pushed::New).map_err(fault),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.compare(reference, module),
            Err(error) => Err(fault(error)),
        }
    }

    fn compare(&self, reference: &Reference, module: &Verified) -> Result<Pushed, SupplyError> {
        let (has, _) = self.resolve(reference, crate::MAX_MODULE_SIZE)?;
        if has == module.digest() {
            return Ok(Pushed::AlreadyThere);
        }
        let (registry, reference, offered) = (self.name.clone(), reference.to_string(), module.digest());
        Err(SupplyError::VersionTaken { registry, reference, has, offered })
    }

    fn not_found(&self, what: String) -> SupplyError {
        let next = format!("put the module at {}/<name>/<version>", self.root.display());
        SupplyError::NotFound { registry: self.name.clone(), what, next }
    }

    fn invalid(&self, what: &str, problem: String) -> SupplyError {
        SupplyError::Invalid { registry: self.name.clone(), what: what.to_owned(), problem }
    }

    fn fault(&self, doing: &str, source: io::Error) -> SupplyError {
        let doing = format!("{doing} ({})", self.root.display());
        SupplyError::Unavailable { registry: self.name.clone(), doing, source: Box::new(source) }
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
