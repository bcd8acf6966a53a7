//! A program of tests: how it is built, run, and read.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context, bail, ensure};

/// Seconds that a build may take: everything, on two cores.
const BUILD: u64 = 3600;

/// The command of a patch's header, in one of two forms:
/// `cargo test -p <crate> --lib|--bins|--test <name>` and `go -C <folder> test <package>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suite {
    Cargo(Vec<String>),
    Go { folder: String, package: String },
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It does not compile.
    NoBuild { log: PathBuf },
    /// Every test that was asked for gave a result.
    Ended { failed: BTreeSet<String>, log: PathBuf },
    /// Some did not: a hang, a crash of the whole program, a name that is no test.
    Unfinished { why: String, log: PathBuf },
}

impl FromStr for Suite {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["cargo", "test", "-p", _, "--lib" | "--bins"] | ["cargo", "test", "-p", _, "--test", _] => {
                Ok(Self::Cargo(words.iter().skip(2).map(|&word| word.to_owned()).collect()))
            }
            ["go", "-C", folder, "test", package] => {
                Ok(Self::Go { folder: folder.to_owned(), package: package.to_owned() })
            }
            _ => bail!(
                "test: '{text}' is neither `cargo test -p <crate> --lib|--bins|--test <name>` nor `go -C <folder> test <package>`"
            ),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo(words) => write!(f, "cargo test {}", words.join(" ")),
            Self::Go { folder, package } => write!(f, "go -C {folder} test {package}"),
        }
    }
}

impl Suite {
    /// Builds, then runs exactly these tests, for `limit` seconds at most.
    pub(super) fn run(&self, tree: &Path, names: &[String], limit: u64) -> anyhow::Result<Ran> {
        let keep = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
            let log = tree.with_file_name(format!("{}.log", name.replace(['/', ':'], "_")));
            fs::write(&log, text).with_context(|| log.display().to_string())?;
            Ok(log)
        };
        let name = names.first().context("a test to run")?;
        let built = output(&mut self.command(tree, &[], BUILD))?;
        if !built.success {
            return Ok(Ran::NoBuild { log: keep(name, &built.text)? });
        }
        let ran = output(&mut self.command(tree, names, limit))?;
        let log = keep(name, &ran.text)?;
        let (passed, failed) = match self {
            Self::Cargo(_) => read_cargo(&ran.text),
            Self::Go { .. } => read_go(&ran.text),
        };
        if passed + failed.len() == names.len() {
            return Ok(Ran::Ended { failed, log });
        }
        let why = if ran.late {
            format!("the tests did not end within {limit} s")
        } else {
            format!("{} tests were asked for, {} gave a result", names.len(), passed + failed.len())
        };
        Ok(Ran::Unfinished { why, log })
    }

    /// The command that runs these tests, and only builds without any. It and all that it starts end with its time.
    fn command(&self, tree: &Path, names: &[String], limit: u64) -> Command {
        let mut command = Command::new("timeout");
        command.arg("--kill-after=5").arg(limit.to_string());
        match self {
            Self::Cargo(words) => {
                command.args(["cargo", "test", "--locked", "--quiet"]).args(words).current_dir(tree);
                // The outputs go to the copy's own folder; nothing is written into its sources.
                command.env_remove("CARGO_TARGET_DIR");
                command.env("INSTA_UPDATE", "no").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
                if names.is_empty() {
                    command.arg("--no-run");
                } else {
                    command.args(["--", "--exact"]).args(names);
                }
            }
            Self::Go { folder, package } => {
                command.args(["go", "test", "-count=1", "-v"]).env("GOFLAGS", "").current_dir(tree.join(folder));
                // Without a name: compiles the tests, and runs none.
                command.args(["-run", &format!("^({})$", names.join("|"))]).arg(package);
            }
        }
        command
    }

    /// Whether the checkout has a test of this name.
    pub(super) fn has(&self, test: &str) -> bool {
        let name = test.rsplit("::").next().unwrap_or(test);
        let (pattern, files) = match self {
            Self::Cargo(_) => (format!("fn {name}("), "*.rs"),
            Self::Go { .. } => (format!("func {name}("), "*_test.go"),
        };
        let found =
            Command::new("git").args(["grep", "--quiet", "--fixed-strings", "-e", &pattern, "--", files]).status();
        found.is_ok_and(|status| status.success())
    }
}

struct Output {
    text: String,
    success: bool,
    /// It was ended because its time was over.
    late: bool,
}

/// Runs a command with both its outputs in one.
fn output(timed: &mut Command) -> anyhow::Result<Output> {
    let output = timed.stdin(Stdio::null()).output().context("timeout (coreutils) can not be started")?;
    ensure!(output.status.code() != Some(127), "{:?} can not be started", timed.get_args().nth(2));
    let text = [output.stdout, output.stderr].map(|part| String::from_utf8_lossy(&part).into_owned()).join("\n");
    Ok(Output { text, success: output.status.success(), late: matches!(output.status.code(), Some(124 | 137) | None) })
}

/// How many passed, and which failed: the list at the end, which nothing that a test prints can disturb.
fn read_cargo(text: &str) -> (usize, BTreeSet<String>) {
    let Some((before, result)) = text.split_once("\ntest result: ") else { return (0, BTreeSet::new()) };
    let passed = result
        .split(" passed")
        .next()
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0);
    let failed = before.rsplit_once("\nfailures:\n").map_or("", |(_, names)| names);
    (passed, failed.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect())
}

fn read_go(text: &str) -> (usize, BTreeSet<String>) {
    let name = |line: &str, word: &str| line.strip_prefix(word)?.split(' ').next().map(str::to_owned);
    let passed = text.lines().filter(|line| line.starts_with("--- PASS: ")).count();
    (passed, text.lines().filter_map(|line| name(line, "--- FAIL: ")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn only_the_two_known_forms_of_commands_are_taken() {
        for text in ["cargo test -p a --lib", "cargo test -p a --test it", "go -C e2e/oracle test ./pan"] {
            assert_eq!(text.parse::<Suite>().unwrap().to_string(), text);
        }
        for text in ["cargo test", "cargo build -p a --lib", "sh -c true", "cargo test -p a --lib --release"] {
            let error = text.parse::<Suite>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("neither `cargo test"), "{error}");
        }
    }

    #[test]
    fn failures_are_read_from_the_list_at_the_end() {
        let text = "\nrunning 3 tests\n..F\nfailures:\n\n---- a::b stdout ----\nfailures:\n    not::a::name\n\n\nfailures:\n    a::b\n    c\n\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 40 filtered out; finished in 0.00s\n";
        assert_eq!(read_cargo(text), (1, set(&["a::b", "c"])));
        let green = "running 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(read_cargo(green), (2, set(&[])));
    }

    #[test]
    fn a_program_without_a_result_has_run_nothing() {
        assert_eq!(read_cargo("running 2 tests\nmemory allocation failed"), (0, set(&[])));
        assert_eq!(read_go("panic: runtime error"), (0, set(&[])));
    }

    #[test]
    fn parts_of_a_go_test_are_not_counted() {
        let text =
            "=== RUN TestA\n--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/part (0.00s)\n--- PASS: TestB (0.01s)\nFAIL\n";
        assert_eq!(read_go(text), (1, set(&["TestA"])));
    }

    #[test]
    fn what_takes_too_long_is_ended_and_told() {
        let output = output(Command::new("timeout").args(["--kill-after=5", "1", "sleep", "60"])).unwrap();
        assert!(output.late && !output.success);
    }
}
