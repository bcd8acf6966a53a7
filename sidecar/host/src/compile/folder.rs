//! The directory of artefacts: ours alone, because what is in it is run as code.

use std::{
    fs::{self, DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use gear_module::Digest;
use rustix::process::geteuid;

use super::CompileError;

/// Name of an artefact that is being written.
pub(super) const UNFINISHED: &str = "unfinished";

/// Makes the directory with mode 0700, or sees that it is ours; clears away what a killed run left unfinished.
pub(super) fn make(folder: &Path) -> Result<(), CompileError> {
    let io = |doing| move |source| CompileError::Io { doing, path: folder.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(io("could not make the directory of compiled modules")(error));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(folder).map_err(io("could not look at the directory of compiled modules"))?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        let foreign = io::Error::other("it is no directory, or belongs to another user");
        return Err(io("could not use as directory of compiled modules")(foreign));
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))
        .map_err(io("could not close the directory of compiled modules to others"))?;
    remove(folder, |name| name == UNFINISHED)
}

/// Whether `path` is a file that only we can write.
pub(super) fn is_own_file(path: &Path) -> bool {
    let own =
        |found: Metadata| found.is_file() && found.uid() == geteuid().as_raw() && found.mode().trailing_zeros() >= 6;
    fs::symlink_metadata(path).is_ok_and(own)
}

/// Removes all artefacts but those of `keep`.
pub(super) fn prune(folder: &Path, keep: &[Digest]) -> Result<(), CompileError> {
    let kept: Vec<String> = keep.iter().map(Digest::hex).collect();
    remove(folder, |name| !kept.iter().any(|digest| name.starts_with(digest.as_str())))
}

fn remove(folder: &Path, unwanted: impl Fn(&str) -> bool) -> Result<(), CompileError> {
    let all = || {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_str().is_none_or(&unwanted) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    };
    all().map_err(|source| CompileError::Io {
        doing: "could not clear the directory of compiled modules",
        path: folder.to_owned(),
        source,
    })
}
