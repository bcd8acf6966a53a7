//! Printing data: a table for people, JSON or YAML for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::exit::Failed;

/// What printed data looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

/// Data that can be printed.
pub(crate) trait Printed: Serialize {
    /// For people: lines, each ended.
    fn table(&self) -> String;
}

/// Prints to standard output.
pub(crate) fn print(data: &impl Printed, format: Format) -> Result<(), Failed> {
    print_to(&mut io::stdout().lock(), data, format)
}

pub(crate) fn print_to(to: &mut impl Write, data: &impl Printed, format: Format) -> Result<(), Failed> {
    let text = match format {
        Format::Table => data.table(),
        Format::Json => serde_json::to_string_pretty(data).map_err(|error| Failed::fault(error.to_string()))? + "\n",
        Format::Yaml => serde_saphyr::to_string(data).map_err(|error| Failed::fault(error.to_string()))?,
    };
    match to.write_all(text.as_bytes()) {
        // Somebody like `head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failed::fault(format!("standard output: {error}"))),
    }
}

/// Rows in columns: each as wide as its widest cell, two spaces between.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// `text` in bold, on a terminal that shows it.
pub(crate) fn bold(text: &str) -> String {
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if colours { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Pair {
        name: &'static str,
        count: u64,
    }

    impl Printed for Pair {
        fn table(&self) -> String {
            columns(&[vec!["NAME".into(), "COUNT".into()], vec![self.name.into(), self.count.to_string()]])
        }
    }

    #[test]
    fn the_same_data_has_three_forms() {
        let printed = |format| {
            let mut text = Vec::new();
            print_to(&mut text, &Pair { name: "longer than its head", count: 7 }, format).unwrap();
            String::from_utf8(text).unwrap()
        };
        assert_eq!(printed(Format::Table), "NAME                  COUNT\nlonger than its head  7\n");
        assert_eq!(printed(Format::Json), "{\n  \"name\": \"longer than its head\",\n  \"count\": 7\n}\n");
        assert_eq!(printed(Format::Yaml), "name: longer than its head\ncount: 7\n");
    }
}
