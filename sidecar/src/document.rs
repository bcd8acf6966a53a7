//! The document on disk: `gear.json` in a directory that the kubelet exchanges as a whole.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use gear_config::{Document, FILE_NAME};

use crate::problem::{Trouble, chain, reason};

/// How often the file is looked at while something is wrong with it.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// A ConfigMap holds 1 MiB at most.
const LIMIT: u64 = 1 << 20;

/// The file, and the text that was read last.
#[derive(Debug)]
pub(crate) struct DocumentFile {
    path: PathBuf,
    text: Option<Vec<u8>>,
}

impl DocumentFile {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { path: directory.join(FILE_NAME), text: None }
    }

    /// Reads the document and refuses what this release can't follow.
    pub(crate) fn read(&mut self) -> Result<Document, Trouble> {
        let shown = self.path.display().to_string();
        let text = load(&self.path).map_err(|error| {
            self.text = None;
            Trouble::lasting(reason::DOCUMENT_INVALID, format!("{shown}: {error}; the operator writes it"))
        })?;
        let document = Document::parse(&text);
        self.text = Some(text);
        let document = document.map_err(|error| Trouble::lasting(reason::DOCUMENT_INVALID, chain(&error)))?;
        if document.candidate.is_some() {
            let message = "candidate: two revisions at once are not available in this release; remove it";
            return Err(Trouble::lasting(reason::NOT_AVAILABLE, message));
        }
        Ok(document)
    }

    /// Waits until the file holds another text than the one that was read.
    pub(crate) async fn changed(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if load(&self.path).ok() != self.text {
                return;
            }
        }
    }
}

fn load(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::other(format!("more than {LIMIT} bytes")));
    }
    Ok(text)
}
