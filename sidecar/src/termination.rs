//! The cause of a fatal end, where `kubectl describe pod` shows it.

use std::{fs, path::Path};

/// Kubernetes keeps 4 KiB.
const LONGEST: usize = 4 << 10;

/// Writes the cause. Where the file is not there (outside of Kubernetes) or can't be written, the log line is enough.
pub fn write(file: &Path, cause: &str) {
    let end = (0..=LONGEST.min(cause.len())).rev().find(|end| cause.is_char_boundary(*end));
    let text = cause.get(..end.unwrap_or_default()).unwrap_or_default();
    if file.exists()
        && let Err(error) = fs::write(file, text)
    {
        tracing::warn!(file = %file.display(), %error, "the termination message could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_cause_is_cut_and_a_missing_file_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("termination-log");
        write(&file, "cause");
        assert!(!file.exists());
        fs::write(&file, "").unwrap();
        write(&file, &"é".repeat(LONGEST));
        assert_eq!(fs::read_to_string(&file).unwrap().len(), LONGEST);
    }
}
