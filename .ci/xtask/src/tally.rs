//! `cargo xtask tally`: what a test runner really ran.
//!
//! A test that is ignored or filtered out proves nothing, and a runner that ran nothing is green. So the output of every
//! runner is counted, and a level of tests passes only when it ran something, failed nothing and left nothing out.
//!
//! The output goes through: everything into a log, and to the terminal what is worth reading.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// Whose output is read.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Runner {
    /// `cargo test`, standard output and error in one.
    Cargo,
    /// `go test -json`.
    Go,
    /// Lines `<n> checks passed, <n> ignored` of the project's own scripts.
    Checks,
}

/// The counts of one level of tests.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    run: u64,
    failed: u64,
    ignored: u64,
    filtered: u64,
    /// Test programs that began.
    begun: u64,
    /// Test programs that gave a result.
    ended: u64,
}

impl Counts {
    /// Why this is no pass; nothing when it is one.
    fn fault(&self) -> Option<String> {
        if self.failed > 0 {
            return Some(format!("{} tests failed", self.failed));
        }
        if self.ignored + self.filtered > 0 {
            return Some(format!(
                "{} tests were ignored and {} filtered out; every test has to run",
                self.ignored, self.filtered
            ));
        }
        if self.begun > self.ended {
            return Some(format!("{} of {} test programs ended without a result", self.begun - self.ended, self.begun));
        }
        (self.run == 0).then(|| "no test was run".to_owned())
    }
}

/// One level's result, as it is kept for the total.
#[derive(Debug, Serialize, Deserialize)]
struct Level {
    name: String,
    seconds: u64,
    counts: Counts,
}

/// Reads a runner's output from standard input to its end.
pub(crate) fn read(runner: Runner, level: &str, folder: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let log_path = folder.join(format!("{level}.log"));
    let mut log = io::BufWriter::new(fs::File::create(&log_path).with_context(|| log_path.display().to_string())?);
    let mut counter = Counter::new(runner);
    let mut terminal = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        writeln!(log, "{line}")?;
        for shown in counter.line(&line) {
            writeln!(terminal, "{shown}")?;
        }
    }
    log.flush()?;
    let result = Level { name: level.to_owned(), seconds: began.elapsed().as_secs(), counts: counter.counts };
    fs::write(folder.join(format!("{level}.json")), serde_json::to_vec(&result)?)?;
    let counts = &result.counts;
    writeln!(
        terminal,
        "  {level}: {} run, {} ignored, {} filtered out, {} failed",
        counts.run, counts.ignored, counts.filtered, counts.failed
    )?;
    match counts.fault() {
        None => Ok(()),
        Some(fault) => anyhow::bail!("{level}: {fault}; the whole output is in {}", log_path.display()),
    }
}

/// Prints the levels that `read` left in a folder, in the order given, and their total.
pub(crate) fn total(folder: &Path, levels: &[String]) -> anyhow::Result<()> {
    let mut sum = Counts::default();
    let mut faults = Vec::new();
    println!("\n  {:<14} {:>7} {:>8} {:>9} {:>7} {:>6}", "level", "run", "ignored", "filtered", "failed", "s");
    for name in levels {
        let path: PathBuf = folder.join(format!("{name}.json"));
        let text = fs::read(&path).with_context(|| format!("level {name} left no result at {}", path.display()))?;
        let level: Level = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        let c = level.counts;
        println!("  {name:<14} {:>7} {:>8} {:>9} {:>7} {:>6}", c.run, c.ignored, c.filtered, c.failed, level.seconds);
        faults.extend(c.fault().map(|fault| format!("{name}: {fault}")));
        sum = Counts {
            run: sum.run + c.run,
            failed: sum.failed + c.failed,
            ignored: sum.ignored + c.ignored,
            filtered: sum.filtered + c.filtered,
            begun: 0,
            ended: 0,
        };
    }
    println!("  {:<14} {:>7} {:>8} {:>9} {:>7}", "total", sum.run, sum.ignored, sum.filtered, sum.failed);
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(())
}

/// Counts line by line.
struct Counter {
    runner: Runner,
    counts: Counts,
    /// Go: what each unfinished test has printed; it is shown only when the test fails.
    said: BTreeMap<String, Vec<String>>,
    /// Cargo: the test program that is running.
    program: String,
}

impl Counter {
    fn new(runner: Runner) -> Self {
        Self { runner, counts: Counts::default(), said: BTreeMap::new(), program: String::new() }
    }

    /// Counts a line and returns what the terminal gets for it.
    fn line(&mut self, line: &str) -> Vec<String> {
        match self.runner {
            Runner::Cargo => self.cargo(line),
            Runner::Go => self.go(line),
            Runner::Checks => self.checks(line),
        }
    }

    fn cargo(&mut self, line: &str) -> Vec<String> {
        let text = line.trim();
        if let Some(program) =
            text.strip_prefix("Running ").filter(|rest| rest.ends_with(')')).or_else(|| text.strip_prefix("Doc-tests "))
        {
            self.counts.begun += 1;
            // "unittests src/lib.rs (target/…/deps/gear_abi-<hash>)": the crate's name is in the file's.
            let source = program.split(" (").next().unwrap_or(program);
            let file = program.rsplit_once("/deps/").and_then(|(_, file)| file.rsplit_once('-'));
            self.program = file.map_or_else(|| program.to_owned(), |(name, _hash)| format!("{name} {source}"));
            return Vec::new();
        }
        let Some(result) = text.strip_prefix("test result: ") else {
            // One line per passed test is noise; "running 0 tests" too.
            let noise =
                text.is_empty() || (text.starts_with("test ") && text.ends_with(" ok")) || text.starts_with("running ");
            return if noise { Vec::new() } else { vec![line.to_owned()] };
        };
        self.counts.ended += 1;
        let number = |word: &str| number_before(result, word);
        self.counts.run += number(" passed") + number(" failed");
        self.counts.failed += number(" failed");
        self.counts.ignored += number(" ignored");
        self.counts.filtered += number(" filtered out");
        let ran = number(" passed") + number(" failed");
        if ran + number(" ignored") + number(" filtered out") == 0 {
            return Vec::new();
        }
        vec![format!(
            "    {:<60} {ran:>5} run{}",
            self.program,
            result.rsplit_once(';').map_or(String::new(), |(_, time)| format!(",{time}"))
        )]
    }

    fn go(&mut self, line: &str) -> Vec<String> {
        let Ok(event) = serde_json::from_str::<GoEvent>(line) else {
            // What is no event is an error of the build.
            return if line.is_empty() { Vec::new() } else { vec![line.to_owned()] };
        };
        let key = format!("{} {}", event.package, event.test);
        match (event.action.as_str(), event.test.is_empty()) {
            ("output" | "build-output", _) => {
                self.said.entry(key).or_default().push(event.output.trim_end().to_owned());
                return Vec::new();
            }
            ("pass", false) => self.counts.run += 1,
            ("skip", false) => self.counts.ignored += 1,
            ("fail", false) => {
                self.counts.run += 1;
                self.counts.failed += 1;
                return self.said.remove(&key).unwrap_or_default();
            }
            ("start", true) => self.counts.begun += 1,
            ("pass" | "skip", true) => {
                self.counts.ended += 1;
                let time = format!("    {:<60} {:.1} s", event.package, event.elapsed);
                return if event.action == "pass" { vec![time] } else { Vec::new() };
            }
            ("fail" | "build-fail", true) => {
                // A package that fails without a failed test did not build, or its process ended.
                self.counts.failed += u64::from(self.counts.failed == 0);
                return self.said.remove(&key).unwrap_or_default();
            }
            _ => return Vec::new(),
        }
        self.said.remove(&key);
        Vec::new()
    }

    fn checks(&mut self, line: &str) -> Vec<String> {
        if line.contains(" checks passed, ") {
            self.counts.run += number_before(line, " checks passed");
            self.counts.ignored += number_before(line, " ignored");
        }
        vec![line.to_owned()]
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoEvent {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
    #[serde(default)]
    elapsed: f64,
}

/// The number right before a word: 3 in `12 passed; 3 failed` for ` failed`.
fn number_before(text: &str, word: &str) -> u64 {
    text.split(word)
        .next()
        .filter(|before| before.len() < text.len())
        .and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
