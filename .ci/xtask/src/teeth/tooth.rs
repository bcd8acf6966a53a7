//! A patch and what stands above it.
//!
//! ```text
//! control: what is switched off, as the sentence that holds while it is on
//! breaks: what the patch does
//! test: cargo test -p gear-stream --lib
//! red: settle::tests::the_name_of_the_test_that_must_fail
//! green: settle::tests::a_witness_that_the_rest_still_works
//! limit: 120
//! ```
//!
//! `red` and `green` may stand several times, `limit` (seconds for running the tests, not for building) may be left out.
//! The diff follows behind an empty line.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::suite::Suite;

/// Seconds that the tests of a patch may take.
const LIMIT: u64 = 120;

/// One patch.
#[derive(Debug)]
pub(super) struct Tooth {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) control: String,
    pub(super) breaks: String,
    pub(super) suite: Suite,
    pub(super) red: BTreeSet<String>,
    pub(super) green: BTreeSet<String>,
    pub(super) limit: u64,
}

impl Tooth {
    /// All tests that are run.
    pub(super) fn tests(&self) -> impl Iterator<Item = &str> {
        self.red.iter().chain(&self.green).map(String::as_str)
    }

    pub(super) fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let (header, diff) =
            text.split_once("\n\n").context("an empty line between the header and the diff is missing")?;
        ensure!(diff.starts_with("diff --git "), "behind the header a diff as `git diff` writes it is expected");
        let (mut control, mut breaks, mut suite) = (None, None, None);
        let (mut red, mut green, mut limit) = (BTreeSet::new(), BTreeSet::new(), LIMIT);
        for line in header.lines() {
            let (key, value) = line.split_once(": ").with_context(|| format!("'{line}' is no `key: value`"))?;
            let value = value.trim();
            match key {
                "control" => control = Some(value.to_owned()),
                "breaks" => breaks = Some(value.to_owned()),
                "test" => suite = Some(value.parse::<Suite>()?),
                "red" => drop(red.insert(value.to_owned())),
                "green" => drop(green.insert(value.to_owned())),
                "limit" => {
                    limit = value.parse().with_context(|| format!("limit: '{value}' is no number of seconds"))?;
                }
                _ => bail!("'{key}' is no key; keys are: control, breaks, test, red, green, limit"),
            }
        }
        ensure!(!red.is_empty(), "`red: <test>` is missing: the test that must fail");
        ensure!(!green.is_empty(), "`green: <test>` is missing: a test that shows that the rest still works");
        ensure!(red.is_disjoint(&green), "a test can not be red and green");
        Ok(Self {
            name,
            path: path.to_owned(),
            control: control.context("`control: <sentence>` is missing")?,
            breaks: breaks.context("`breaks: <sentence>` is missing")?,
            suite: suite.context("`test: <command>` is missing")?,
            red,
            green,
            limit,
        })
    }
}

/// Every patch of a folder, in the order in which the fewest things are built again: by suite, then by name.
pub(super) fn read_all(folder: &Path) -> anyhow::Result<Vec<Tooth>> {
    let mut teeth = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("{}; run this from the checkout's top", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            teeth.push(Tooth::parse(&path, &text).with_context(|| path.display().to_string())?);
        }
    }
    ensure!(!teeth.is_empty(), "{} holds no patches", folder.display());
    teeth.sort_by(|a, b| (&a.suite, &a.name).cmp(&(&b.suite, &b.name)));
    Ok(teeth)
}
