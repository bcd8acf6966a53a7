//! `cargo xtask teeth`: does a test notice when a control is gone?
//!
//! Each `e2e/teeth/NAME.patch` switches off one control. The committed tree is copied to a folder of its own (the checkout
//! is never edited), the named tests are seen green there, and then, patch by patch, exactly the tests that the patch names
//! must be red: by their own failure, not because the patch does not compile, does not apply, or ends everything. A witness
//! that stays green shows that the rest still works.

mod report;
mod suite;
mod tooth;
mod tree;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, ensure};

pub(crate) use report::Output;
use report::{Row, Verdict};
use suite::{Ran, Suite};
use tooth::Tooth;
use tree::Tree;

/// Where the patches are.
const PATCHES: &str = "e2e/teeth";

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Names of patches, without their ending; all when none is given.
    names: Vec<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Only look whether every patch still applies to the checkout and names tests that exist; runs no test.
    #[arg(long)]
    check: bool,
}

/// Runs the patches, or only checks them.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let teeth = chosen(tooth::read_all(Path::new(PATCHES))?, &options.names)?;
    if options.check {
        return check(&teeth);
    }
    let top = std::env::current_dir()?;
    let tree = Tree::refresh(&top, &top.join("target/teeth"))?;
    eprintln!("teeth: {} patches on commit {}, in {}", teeth.len(), tree.commit(), tree.folder().display());
    let sick = sick_before(&tree, &teeth)?;
    let mut rows = Vec::with_capacity(teeth.len());
    for (number, tooth) in teeth.iter().enumerate() {
        eprint!("teeth: {:>2}/{} {} … ", number + 1, teeth.len(), tooth.name);
        let began = Instant::now();
        let verdict = match sick.get(&tooth.suite) {
            Some(reason) => Verdict::Sick(reason.clone()),
            None => bite(&tree, tooth)?,
        };
        let row = Row::new(tooth, verdict, began.elapsed());
        eprintln!("{} ({} s)", row.word(), row.seconds());
        rows.push(row);
    }
    print!("{}", report::print(&rows, options.output)?);
    let bad = rows.iter().filter(|row| !row.is_red()).count();
    ensure!(bad == 0, "{bad} of {} controls can be switched off without the test that should notice", rows.len());
    Ok(())
}

/// Those that are named, in the order of the folder.
fn chosen(all: Vec<Tooth>, names: &[String]) -> anyhow::Result<Vec<Tooth>> {
    for name in names {
        let known = || all.iter().map(|tooth| tooth.name.as_str()).collect::<Vec<_>>().join(", ");
        ensure!(
            all.iter().any(|tooth| tooth.name == *name),
            "{PATCHES}/{name}.patch is not there; there are: {}",
            known()
        );
    }
    Ok(all.into_iter().filter(|tooth| names.is_empty() || names.contains(&tooth.name)).collect())
}

/// Every suite on the unpatched tree: why its patches prove nothing, where it is not green.
fn sick_before(tree: &Tree, teeth: &[Tooth]) -> anyhow::Result<BTreeMap<Suite, String>> {
    let mut wanted: BTreeMap<&Suite, Vec<String>> = BTreeMap::new();
    for tooth in teeth {
        let names = wanted.entry(&tooth.suite).or_default();
        names.extend(tooth.tests().map(str::to_owned));
        names.sort();
        names.dedup();
    }
    let mut sick = BTreeMap::new();
    for (number, (suite, names)) in wanted.iter().enumerate() {
        eprint!("teeth: without a patch {:>2}/{}: {} tests of {suite} … ", number + 1, wanted.len(), names.len());
        let began = Instant::now();
        let limit = teeth.iter().filter(|tooth| tooth.suite == **suite).map(|tooth| tooth.limit).sum();
        let fault = match suite.run(tree.folder(), names, limit)? {
            Ran::NoBuild { log } => Some(format!("it does not compile, see {}", log.display())),
            Ran::Ended { failed, .. } if failed.is_empty() => None,
            Ran::Ended { failed, log } => Some(format!("{} failed, see {}", list(&failed), log.display())),
            Ran::Unfinished { why, log } => Some(format!("{why}, see {}", log.display())),
        };
        eprintln!("{} ({} s)", fault.as_deref().unwrap_or("green"), began.elapsed().as_secs());
        if let Some(fault) = fault {
            sick.insert((*suite).clone(), format!("before the patch: {fault}"));
        }
    }
    Ok(sick)
}

/// One patch: on, tests, off.
fn bite(tree: &Tree, tooth: &Tooth) -> anyhow::Result<Verdict> {
    if let Err(reason) = tree.apply(&tooth.path) {
        return Ok(Verdict::Stale(format!(
            "{} no longer applies; make it again from the code as it is now ({reason:#})",
            tooth.path.display()
        )));
    }
    let names: Vec<String> = tooth.tests().map(str::to_owned).collect();
    let ran = tooth.suite.run(tree.folder(), &names, tooth.limit);
    tree.unapply(&tooth.path).with_context(|| format!("{} can not be taken back", tooth.path.display()))?;
    Ok(judge(tooth, ran?))
}

/// What the tests say about the control.
fn judge(tooth: &Tooth, ran: Ran) -> Verdict {
    let see = |log: PathBuf| format!("see {}", log.display());
    match ran {
        Ran::NoBuild { log } => Verdict::NoBuild(format!("the patched code does not compile, {}", see(log))),
        Ran::Unfinished { why, log } => Verdict::Unsound(format!("{why}, {}", see(log))),
        Ran::Ended { failed, .. } if failed == tooth.red => Verdict::Red,
        Ran::Ended { failed, .. } if failed.is_empty() => {
            Verdict::Green("the control is gone and its test did not notice".to_owned())
        }
        Ran::Ended { failed, log } => {
            Verdict::Unsound(format!("red should be {}, but it is {}, {}", list(&tooth.red), list(&failed), see(log)))
        }
    }
}

/// Headers are read already; here: do the patches apply, and are there such tests?
fn check(teeth: &[Tooth]) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for tooth in teeth {
        if let Err(reason) = tree::applies(&tooth.path) {
            faults.push(format!("{} no longer applies: {reason:#}", tooth.path.display()));
        }
        let missing = tooth.tests().filter(|test| !tooth.suite.has(test));
        faults.extend(missing.map(|test| format!("{} names {test}, which is no test", tooth.path.display())));
    }
    ensure!(faults.is_empty(), "{} faults in {PATCHES}:\n  {}", faults.len(), faults.join("\n  "));
    println!("teeth: {} patches apply and name tests that exist", teeth.len());
    Ok(())
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
