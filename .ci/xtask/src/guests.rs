//! `cargo xtask guests`: guests in compiled languages, from their sources into `target/guests/<name>.wasm`.
//!
//! Rust guests are built by cargo in the workspace `examples`, which knows what changed. C and C++ guests are built when a stamp beside the
//! module differs: it covers sources, command line and compiler.

mod clang;
mod rust;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Builds them all.
pub(crate) fn run() -> anyhow::Result<()> {
    let folders = Folders::new();
    fs::create_dir_all(&folders.out).with_context(|| format!("making {}", folders.out.display()))?;
    clang::build(&folders)?;
    rust::build(&folders)
}

/// Where things are.
struct Folders {
    root: PathBuf,
    out: PathBuf,
}

impl Folders {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().unwrap_or(root);
        Self { out: root.join("target/guests"), root }
    }

    fn module(&self, name: &str) -> PathBuf {
        self.out.join(format!("{name}.wasm"))
    }
}

/// Says what became of a guest.
fn report(folders: &Folders, name: &str, built: Built) -> anyhow::Result<()> {
    let path = folders.module(name);
    let size = fs::metadata(&path).with_context(|| format!("looking for {}", path.display()))?.len();
    let word = match built {
        Built::New => "built",
        Built::AsBefore => "as before",
    };
    println!("guest {name}: {size} bytes, {word}");
    Ok(())
}

/// Whether a module was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Built {
    New,
    AsBefore,
}
