//! Figures, bars, and how they are printed.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::measure::spread;

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether everything was measured at full size: only then the figures are to be quoted.
    complete: bool,
    machine: Machine,
    figures: Vec<Figure>,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct Machine {
    processor: String,
    cpus: usize,
    kernel: String,
    /// One minute's load before and after: what the machine did beside.
    load: Vec<f64>,
}

/// A figure that was taken several times.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    part: &'static str,
    name: String,
    unit: &'static str,
    /// Messages, calls or rounds behind each value.
    count: u32,
    median: f64,
    least: f64,
    most: f64,
    values: Vec<f64>,
}

/// A figure that has to lie on one side of a bound. The median decides.
#[derive(Debug, Serialize)]
struct Bar {
    met: bool,
    bound: Bound,
    #[serde(flatten)]
    figure: Figure,
}

/// Where a figure has to lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Bound {
    /// Not below.
    AtLeast(f64),
    /// Not above.
    AtMost(f64),
}

impl Figure {
    pub(crate) fn new(part: &'static str, name: &str, unit: &'static str, count: u32, values: Vec<f64>) -> Self {
        let (median, least, most) = spread(&values);
        Self { part, name: name.to_owned(), unit, count, median, least, most, values }
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
        }
    }
}

impl Report {
    pub(crate) fn begin(complete: bool) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let machine = Machine {
            processor: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned()),
            cpus: std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: vec![load()],
        };
        Self { complete, machine, figures: Vec::new(), bars: Vec::new() }
    }

    pub(crate) fn end(&mut self) {
        self.machine.load.push(load());
    }

    /// A figure to be known.
    pub(crate) fn figure(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// A figure that has to keep to a bound.
    pub(crate) fn bar(&mut self, bound: Bound, figure: Figure) {
        self.bars.push(Bar { met: bound.holds(figure.median), bound, figure });
    }

    /// What was missed, a sentence each.
    pub(crate) fn missed(&self) -> impl Iterator<Item = String> + '_ {
        self.bars.iter().filter(|bar| !bar.met).map(|Bar { bound, figure, .. }| {
            let Figure { part, name, unit, median, least, most, .. } = figure;
            format!("{part}, {name}: {median:.2} {unit} ({least:.2} to {most:.2}), {bound} is the bar")
        })
    }

    pub(crate) fn json(&self) -> String {
        // Plain data: there is nothing that could not be written.
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let Machine { processor, cpus, kernel, load } = &self.machine;
        // Writing to a String does not fail.
        writeln!(text, "{processor}, {cpus} CPUs, Linux {kernel}, load before and after {load:.1?}").ok();
        if !self.complete {
            writeln!(text, "NOT the whole measurement: fewer messages, rounds or parts; not to be quoted").ok();
        }
        header(&mut text, "figure", "");
        self.figures.iter().for_each(|figure| row(&mut text, figure, ""));
        header(&mut text, "bar", "wanted");
        for bar in &self.bars {
            let verdict = format!("{} {}", bar.bound, if bar.met { "met" } else { "MISSED" });
            row(&mut text, &bar.figure, &verdict);
        }
        let (met, all) = (self.bars.iter().filter(|bar| bar.met).count(), self.bars.len());
        writeln!(text, "\n{met} of {all} bars met").ok();
        text
    }
}

fn header(text: &mut String, what: &str, last: &str) {
    writeln!(
        text,
        "\n{what:<58} {:>10} {:>10} {:>10}  {:<10} {:>13}  {last}",
        "median", "least", "most", "unit", "count"
    )
    .ok();
}

fn row(text: &mut String, figure: &Figure, last: &str) {
    let Figure { part, name, unit, count, median, least, most, values } = figure;
    let (what, times) = (format!("{part}: {name}"), format!("{} × {count}", values.len()));
    let digits = if *median >= 1_000.0 { 0 } else { 2 };
    writeln!(
        text,
        "{what:<58} {median:>10.digits$} {least:>10.digits$} {most:>10.digits$}  {unit:<10} {times:>13}  {last}"
    )
    .ok();
}

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        Figure::new("call", "kept", "µs", 10, values.to_vec())
    }

    #[test]
    fn the_median_decides_and_a_missed_bar_is_told_with_its_spread() {
        let mut report = Report::begin(true);
        report.bar(Bound::AtMost(2.0), figure(&[1.0, 2.0, 9.0]));
        assert_eq!(report.missed().count(), 0);
        report.bar(Bound::AtMost(2.0), figure(&[1.0, 2.5, 9.0]));
        report.bar(Bound::AtLeast(3.0), figure(&[2.0]));
        let missed: Vec<String> = report.missed().collect();
        assert_eq!(missed[0], "call, kept: 2.50 µs (1.00 to 9.00), ≤ 2 is the bar");
        assert_eq!(missed.len(), 2);
        assert!(report.table().contains("1 of 3 bars met"));
    }

    #[test]
    fn a_figure_that_is_none_misses_every_bar() {
        for bound in [Bound::AtLeast(0.0), Bound::AtMost(0.0)] {
            assert!(!bound.holds(f64::NAN));
        }
    }
}
