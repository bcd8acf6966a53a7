//! Metrics in the text form of Prometheus (`OpenMetrics`).
//!
//! Each component has one struct with documented fields and registers it; label values come from configuration or from
//! closed enums, and every series of an enum is made at the start, so that a rate is right from the first event on.

use std::{collections::BTreeMap, fmt, fs, time::SystemTime};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

pub use prometheus_client::registry::Registry;

/// Content type of [`render`]'s answer.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The registry as text.
pub fn render(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    Ok(text)
}

/// One metric, for a page that lists them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    /// Name as it is scraped, with the suffix of its kind (`_total`, `_info`) or, for a histogram, without one.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, `info`.
    pub kind: String,
    /// Names of the labels, sorted.
    pub labels: Vec<String>,
    /// What it counts.
    pub help: String,
}

/// What a registry has, in the order of names. Families without any series are not seen.
pub fn describe(registry: &Registry) -> Result<Vec<Described>, fmt::Error> {
    render(registry).map(|text| describe_text(&text))
}

/// What a scrape has, in the order of names.
#[must_use]
pub fn describe_text(text: &str) -> Vec<Described> {
    let mut found: BTreeMap<String, Described> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            let help = help.trim_end_matches('.').to_owned();
            let described = Described { name: name.to_owned(), kind: String::new(), labels: Vec::new(), help };
            found.insert(name.to_owned(), described);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            if let Some(described) = found.get_mut(name) {
                let suffix = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                described.name = format!("{name}{suffix}");
                kind.clone_into(&mut described.kind);
            }
        } else if let Some(described) = owner(&mut found, line) {
            for label in labels(line) {
                if label != "le" && !described.labels.contains(&label) {
                    described.labels.push(label);
                }
            }
            described.labels.sort();
        }
    }
    found.into_values().collect()
}

/// The metric that a line of samples belongs to: the longest name that the line begins with.
fn owner<'a>(found: &'a mut BTreeMap<String, Described>, line: &str) -> Option<&'a mut Described> {
    let name = line.split(['{', ' ']).next()?;
    found
        .iter_mut()
        .filter(|(metric, _)| name.starts_with(metric.as_str()))
        .max_by_key(|(metric, _)| metric.len())
        .map(|(_, d)| d)
}

/// Names of a sample's labels. Values are in quotes and may hold anything, quotes escaped by a backslash.
fn labels(line: &str) -> Vec<String> {
    let Some((_, rest)) = line.split_once('{') else { return Vec::new() };
    let (mut names, mut name, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in rest.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '}' => break,
            ',' => name.clear(),
            '=' => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    names
}

/// Figures of the process itself, under the names that every Prometheus client uses; read when they are asked for.
#[derive(Debug)]
pub struct Process {
    start: f64,
}

/// Clock ticks per second in `/proc`: `USER_HZ`, 100 on every architecture that Linux has.
const USER_HZ: f64 = 100.0;

impl Default for Process {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self { start: now.map(|since| since.as_secs_f64()).unwrap_or_default() }
    }
}

impl Process {
    /// Adds the figures to a registry.
    pub fn register(registry: &mut Registry) {
        registry.register_collector(Box::new(Self::default()));
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse::<i64>().ok()).unwrap_or_default()
        };
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("process_resident_memory_bytes", "Resident memory in bytes", kib("VmRSS:") * 1024)?;
        gauge("process_resident_memory_peak_bytes", "Highest resident memory so far in bytes", kib("VmHWM:") * 1024)?;
        gauge("process_threads", "Threads of the process", kib("Threads:"))?;
        let files = fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or_default();
        gauge("process_open_fds", "Open file descriptors", i64::try_from(files).unwrap_or_default())?;
        let start = ConstGauge::new(self.start);
        let help = "Start of the process, Unix time in seconds";
        start.encode(encoder.encode_descriptor("process_start_time_seconds", help, None, start.metric_type())?)?;
        let cpu = ConstCounter::new(cpu_seconds());
        let help = "CPU time of all threads, user and system, in seconds";
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?)
    }
}

fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in brackets and may hold anything; the rest begins behind the last one.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / USER_HZ
}

#[cfg(test)]
mod tests {
    use prometheus_client::{
        encoding::EncodeLabelSet,
        metrics::{counter::Counter, family::Family, histogram::Histogram},
    };

    use super::*;

    #[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
    struct Labels {
        reason: &'static str,
        gear: String,
    }

    #[test]
    fn a_registry_says_what_it_has() {
        let mut registry = Registry::default();
        let family = Family::<Labels, Counter>::default();
        registry.register("flux_gear_messages_in", "Messages taken", family.clone());
        registry.register("wasmgear_call_seconds", "Time of calls", Histogram::new([0.1, 1.0]));
        family.get_or_create(&Labels { reason: "Trap", gear: "a\",b=\"c".into() }).inc();
        let described = describe(&registry).unwrap();
        let shown: Vec<_> =
            described.iter().map(|d| (d.name.as_str(), d.kind.as_str(), d.labels.join(","), d.help.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("flux_gear_messages_in_total", "counter", "gear,reason".to_owned(), "Messages taken"),
                ("wasmgear_call_seconds", "histogram", String::new(), "Time of calls"),
            ]
        );
    }

    #[test]
    fn the_process_has_memory_threads_and_files() {
        let mut registry = Registry::default();
        Process::register(&mut registry);
        let text = render(&registry).unwrap();
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
            line.rsplit_once(' ').unwrap().1.parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 500_000.0);
        assert!(value("process_resident_memory_peak_bytes") >= value("process_resident_memory_bytes"));
        assert!(value("process_threads") >= 1.0 && value("process_open_fds") >= 3.0);
        assert!(value("process_start_time_seconds") > 1.7e9);
        let before = cpu_seconds();
        let mut x = 1u64;
        while cpu_seconds() < before + 0.02 {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
    }
}
