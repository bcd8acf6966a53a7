//! The corpora of the fuzz targets, replayed. They hold every row of the table of verdicts, and whatever fuzzing found.

use std::{fs, path::PathBuf};

use crate::{checks, rows};

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = corpus(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut count = 0;
    for file in files {
        let file = file.unwrap().path();
        check(&fs::read(&file).unwrap());
        count += 1;
    }
    assert!(count > 50, "{} holds {count} files only", folder.display());
}

#[test]
fn the_corpus_of_peek_holds() {
    replay("peek", checks::peek);
}

#[test]
fn the_corpus_of_decode_holds() {
    replay("decode", checks::decode);
}

#[test]
fn the_corpus_of_splice_holds() {
    replay("splice", checks::splice);
}

/// `UPDATE_CORPUS=1 cargo test -p gear-abi corpora` writes what is missing.
#[test]
fn the_corpora_hold_every_row() {
    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    for (name, verdict, record) in rows::all() {
        // Refused records show nothing to those who only look at accepted ones.
        let targets: &[&str] = if verdict == rows::Verdict::Refuse { &["peek"] } else { &["peek", "decode", "splice"] };
        for target in targets {
            let file = corpus(target).join(name);
            if update {
                fs::create_dir_all(corpus(target)).unwrap();
                fs::write(&file, &record).unwrap();
            }
            let held = fs::read(&file).ok();
            assert!(
                held.as_ref() == Some(&record),
                "{} is not the row {name}; write it with: UPDATE_CORPUS=1 cargo test -p gear-abi corpora",
                file.display()
            );
        }
    }
}
