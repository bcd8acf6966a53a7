//! The copy of the tree that patches are applied to: `target/teeth/tree`, with a `target` of its own.
//!
//! It stays between runs, so that only what changed is written and compiled; whatever a run that was killed left in it is
//! undone by the next. What a patch touched is always newer than what was compiled from it: a time that is put back would
//! make Cargo take the patched program for the plain one.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

/// What tests look for below `target`, made by other tasks.
const SHARED: [&str; 2] = ["tools", "guests"];

/// The copy.
pub(super) struct Tree {
    /// Held as long as the copy is used.
    _lock: fs::File,
    git: PathBuf,
    folder: PathBuf,
    index: PathBuf,
    commit: String,
}

impl Tree {
    /// Makes the copy the same as the last commit.
    pub(super) fn refresh(top: &Path, at: &Path) -> anyhow::Result<Self> {
        let word = |arguments: &[&str]| -> anyhow::Result<String> {
            let output =
                Command::new("git").args(arguments).current_dir(top).output().context("git can not be started")?;
            ensure!(
                output.status.success(),
                "git {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        fs::create_dir_all(at).with_context(|| at.display().to_string())?;
        let lock = fs::File::create(at.join("lock"))?;
        ensure!(lock.try_lock().is_ok(), "another `make teeth` is at work in {}; wait for it", at.display());
        let tree = Self {
            _lock: lock,
            git: word(&["rev-parse", "--absolute-git-dir"])?.into(),
            folder: at.join("tree"),
            index: at.join("index"),
            commit: word(&["rev-parse", "--short", "HEAD"])?,
        };
        fs::create_dir_all(&tree.folder).with_context(|| tree.folder.display().to_string())?;
        if !word(&["status", "--porcelain", "--untracked-files=no"])?.is_empty() {
            eprintln!("teeth: what is not committed is not in it (the patches themselves are read from the checkout)");
        }
        // Files that were patched and put back have another time and the same content: they need not be written again.
        let _differences_are_fine = tree.git(["update-index", "-q", "--refresh"]);
        tree.git(["read-tree", "--reset", "-u", "HEAD"])?;
        tree.share(top)?;
        tree.seed(top)?;
        Ok(tree)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn commit(&self) -> &str {
        &self.commit
    }

    pub(super) fn apply(&self, patch: &Path) -> anyhow::Result<()> {
        self.git([OsStr::new("apply"), fs::canonicalize(patch)?.as_os_str()])
    }

    pub(super) fn unapply(&self, patch: &Path) -> anyhow::Result<()> {
        self.git([OsStr::new("apply"), OsStr::new("--reverse"), fs::canonicalize(patch)?.as_os_str()])
    }

    /// Git on the copy, with an index of its own: the checkout and its index stay as they are.
    fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> anyhow::Result<()> {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&self.git).arg("--work-tree").arg(&self.folder).args(arguments);
        quiet(command.env("GIT_INDEX_FILE", &self.index).current_dir(&self.folder))
    }

    /// Programs and modules that tests use.
    fn share(&self, top: &Path) -> anyhow::Result<()> {
        let target = self.folder.join("target");
        fs::create_dir_all(&target)?;
        for name in SHARED {
            match symlink(top.join("target").join(name), target.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error).with_context(|| target.join(name).display().to_string());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes over the dependencies that are compiled already: libraries as links, Cargo's notes about them as copies,
    /// because those are written in place. The project's own crates are left out; they are compiled from the copy.
    fn seed(&self, top: &Path) -> anyhow::Result<()> {
        let own = own_crates(top)?;
        for profile in ["debug", "x86_64-unknown-linux-musl/debug"] {
            let (from, to) = (top.join("target").join(profile), self.folder.join("target").join(profile));
            if to.exists() || !from.is_dir() {
                continue;
            }
            for path in others(&from.join("deps"), &own)?.iter().filter(|path| is_library(path)) {
                take(path, &to.join("deps"), "--link")?;
            }
            for part in ["build", ".fingerprint"] {
                for path in others(&from.join(part), &own)? {
                    take(&path, &to.join(part), "--archive")?;
                }
            }
        }
        Ok(())
    }
}

/// What a folder of Cargo's holds of crates that are not ours.
fn others(folder: &Path, own: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if !own.contains(&crate_of(&entry.file_name().to_string_lossy())) {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["rlib", "rmeta", "so"].iter().any(|known| extension == *known))
}

fn take(path: &Path, folder: &Path, how: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    quiet(Command::new("cp").args(["--archive", how]).arg(path).arg(folder))
}

/// Whether a patch applies to the checkout as it is.
pub(super) fn applies(patch: &Path) -> anyhow::Result<()> {
    quiet(Command::new("git").args(["apply", "--check"]).arg(patch))
}

/// `gear_abi` of `libgear_abi-0123456789abcdef.rlib` and of `gear-abi-0123456789abcdef`.
fn crate_of(file: &str) -> String {
    let stem = file.rsplit_once('-').map_or(file, |(stem, _hash)| stem);
    stem.strip_prefix("lib").filter(|_| file.contains('.')).unwrap_or(stem).replace('-', "_")
}

/// Names of the workspace's crates, as in file names.
fn own_crates(top: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(top.join("Cargo.lock")).context("Cargo.lock")?;
    Ok(text.split("[[package]]").filter(|package| !package.contains("\nsource = ")).filter_map(name_of).collect())
}

/// The name in one entry of Cargo.lock.
fn name_of(package: &str) -> Option<String> {
    Some(package.lines().find_map(|line| line.strip_prefix("name = "))?.trim_matches('"').replace('-', "_"))
}

/// Runs a command that has nothing to say unless it fails.
fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} can not be started", command.get_program().display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_known_by_their_files() {
        assert_eq!(crate_of("libgear_abi-0123456789abcdef.rlib"), "gear_abi");
        assert_eq!(crate_of("gear-abi-0123456789abcdef"), "gear_abi");
        assert_eq!(crate_of("libc-0123456789abcdef"), "libc");
        assert_eq!(crate_of("liblibc-0123456789abcdef.rmeta"), "libc");
    }

    #[test]
    fn only_crates_without_a_source_are_ours() {
        let lock = "[[package]]\nname = \"anyhow\"\nversion = \"1\"\nsource = \"registry\"\n\n[[package]]\nname = \"gear-abi\"\nversion = \"0.1.0\"\n";
        let ours: Vec<_> =
            lock.split("[[package]]").filter(|entry| !entry.contains("\nsource = ")).filter_map(name_of).collect();
        assert_eq!(ours, ["gear_abi"]);
    }
}
