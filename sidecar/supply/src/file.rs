//! A module's file that a person names on a command line.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use crate::Fetched;

/// Why a module's file can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing has that name.
    #[error("{path} does not exist; name the file that the build wrote, *.wasm")]
    Missing {
        /// As it was given.
        path: String,
    },
    /// The system does not give it out.
    #[error("{path} can't be read; make it readable, or name another file")]
    Unreadable {
        /// As it was given.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{path} is no file; name the module's file, *.wasm")]
    NotAFile {
        /// As it was given.
        path: String,
    },
    /// Larger than the limit.
    #[error(
        "{path} has {size} bytes, at most {limit} are taken; make the module smaller (strip names and debug sections)"
    )]
    TooLarge {
        /// As it was given.
        path: String,
        /// The file's size.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl Fetched {
    /// Reads a module's file, at most `limit` bytes of it.
    pub fn file(path: &Path, limit: u64) -> Result<Self, FileError> {
        let shown = || path.display().to_string();
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => FileError::Missing { path: shown() },
            _ => FileError::Unreadable { path: shown(), source },
        };
        // A named pipe would wait for a writer when it is opened.
        let meta = fs::metadata(path).map_err(failed)?;
        if !meta.is_file() {
            return Err(FileError::NotAFile { path: shown() });
        }
        let too_large = |size| FileError::TooLarge { path: shown(), size, limit };
        if meta.len() > limit {
            return Err(too_large(meta.len()));
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
        // It grew while it was read.
        if bytes.len() as u64 > limit {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(Self::local(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error, os::unix::fs::symlink};

    use gear_module::Digest;

    use super::*;

    #[test]
    fn a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.wasm");
        fs::write(&path, [7; 11]).unwrap();
        assert_eq!(Fetched::file(&path, 11).unwrap().digest(), Digest::of(&[7; 11]));
        let told = Fetched::file(&path, 10).unwrap_err().to_string();
        assert!(told.contains("m.wasm has 11 bytes, at most 10 are taken"), "{told}");
    }

    #[test]
    fn what_can_not_be_read_is_named_with_the_reason_and_the_next_step() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("m.wasm"), []).unwrap();
        symlink("itself", folder.path().join("itself")).unwrap();
        for (name, told, cause) in [
            ("none.wasm", "none.wasm does not exist; name the file", None),
            ("m.wasm/none", "m.wasm/none does not exist; name the file", None),
            (".", "is no file; name the module's file", None),
            ("itself", "itself can't be read; make it readable", Some("symbolic link")),
        ] {
            let error = Fetched::file(&folder.path().join(name), 10).unwrap_err();
            assert!(error.to_string().contains(told), "{name}: {error}");
            let said = error.source().map(|source| source.to_string().to_lowercase());
            assert_eq!(said.is_some(), cause.is_some(), "{name}: {said:?}");
            assert!(said.unwrap_or_default().contains(cause.unwrap_or_default()), "{name}");
        }
    }
}
