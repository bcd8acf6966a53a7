//! What is printed at the end.

use std::{fmt::Write, time::Duration};

use serde_json::json;

use super::{list, tooth::Tooth};

/// How the result is printed.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// What became of a patch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Exactly the named tests failed.
    Red,
    /// Nothing noticed.
    Green(String),
    /// Other tests failed, or not every test gave a result.
    Unsound(String),
    /// It does not compile: that proves nothing.
    NoBuild(String),
    /// The patch does not apply.
    Stale(String),
    /// The tests are not green without the patch.
    Sick(String),
}

/// One line of the result.
#[derive(Debug)]
pub(super) struct Row<'a> {
    tooth: &'a Tooth,
    verdict: Verdict,
    time: Duration,
}

impl<'a> Row<'a> {
    pub(super) fn new(tooth: &'a Tooth, verdict: Verdict, time: Duration) -> Self {
        Self { tooth, verdict, time }
    }

    pub(super) fn is_red(&self) -> bool {
        self.verdict == Verdict::Red
    }

    pub(super) fn seconds(&self) -> u64 {
        self.time.as_secs()
    }

    /// The result in one word.
    pub(super) fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Red => "red",
            Verdict::Green(_) => "GREEN",
            Verdict::Unsound(_) => "UNSOUND",
            Verdict::NoBuild(_) => "NO BUILD",
            Verdict::Stale(_) => "STALE",
            Verdict::Sick(_) => "SICK",
        }
    }

    fn reason(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Red => None,
            Verdict::Green(why)
            | Verdict::Unsound(why)
            | Verdict::NoBuild(why)
            | Verdict::Stale(why)
            | Verdict::Sick(why) => Some(why),
        }
    }
}

/// All rows as text.
pub(super) fn print(rows: &[Row<'_>], output: Output) -> anyhow::Result<String> {
    match output {
        Output::Table => Ok(table(rows)?),
        Output::Json => Ok(format!("{:#}\n", json(rows))),
    }
}

fn table(rows: &[Row<'_>]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "\n  {:<9} {:>5}  control, and the test that notices", "result", "s")?;
    for row in rows {
        writeln!(text, "  {:<9} {:>5}  {}: {}", row.word(), row.seconds(), row.tooth.name, row.tooth.control)?;
        writeln!(text, "{:18}  {} → {}", "", row.tooth.suite, list(&row.tooth.red))?;
        if let Some(reason) = row.reason() {
            writeln!(text, "{:18}  {reason}", "")?;
        }
    }
    let red = rows.iter().filter(|row| row.is_red()).count();
    writeln!(text, "\n  {red} of {} controls have a test that goes red without them", rows.len())?;
    Ok(text)
}

fn json(rows: &[Row<'_>]) -> serde_json::Value {
    let row = |row: &Row<'_>| {
        json!({
            "name": row.tooth.name,
            "control": row.tooth.control,
            "breaks": row.tooth.breaks,
            "test": row.tooth.suite.to_string(),
            "red": row.tooth.red,
            "green": row.tooth.green,
            "result": row.word(),
            "reason": row.reason(),
            "seconds": row.seconds(),
        })
    };
    rows.iter().map(row).collect()
}
