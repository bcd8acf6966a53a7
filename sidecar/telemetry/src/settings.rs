//! Settings from the environment, read once through a closure; every problem is reported, not only the first.

use std::{fmt, io::IsTerminal};

use tracing_subscriber::EnvFilter;

/// Share of messages without a parent that get a trace.
const DEFAULT_RATIO: f64 = 0.1;

/// Where log lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A service: what the cluster collects.
    Stdout,
    /// A command: standard output is its answer.
    Stderr,
}

/// What a log line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object for each line.
    Json,
    /// For people.
    Human {
        /// With colours.
        colour: bool,
    },
}

/// How telemetry is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where log lines go.
    pub output: Output,
    /// What they look like.
    pub format: Format,
    /// Which are written, in the syntax of `RUST_LOG`.
    pub filter: String,
    /// Where spans go; `None` is nowhere.
    pub(crate) otlp: Option<Otlp>,
}

/// Where spans go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Otlp {
    pub(crate) endpoint: String,
    pub(crate) ratio: f64,
}

/// Variables that can't be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads `WASMGEAR_LOG` (else `RUST_LOG`, else `default_filter`), `WASMGEAR_LOG_FORMAT` (`json`, `human`; else by
    /// whether `output` is a terminal), `NO_COLOR`, and the standard variables of OTLP.
    pub fn from_env(
        env: impl Fn(&str) -> Option<String>,
        output: Output,
        default_filter: &str,
    ) -> Result<Self, SettingsError> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let mut problems = Vec::new();
        let filter = filter(&env, default_filter, &mut problems);
        let format = format(&env, output, &mut problems);
        let otlp = otlp(&env, &mut problems);
        if problems.is_empty() { Ok(Self { output, format, filter, otlp }) } else { Err(SettingsError(problems)) }
    }

    /// Whether spans are sent.
    #[must_use]
    pub const fn sends_spans(&self) -> bool {
        self.otlp.is_some()
    }
}

fn filter(env: &impl Fn(&str) -> Option<String>, default: &str, problems: &mut Vec<String>) -> String {
    let named = ["WASMGEAR_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, env(name)?)));
    let Some((name, text)) = named else { return default.to_owned() };
    if let Err(error) = EnvFilter::try_new(&text) {
        problems.push(format!("{name}={text:?}: {error}; a filter is expected, as in info,async_nats=warn"));
    }
    text
}

fn format(env: &impl Fn(&str) -> Option<String>, output: Output, problems: &mut Vec<String>) -> Format {
    let terminal = match output {
        Output::Stdout => std::io::stdout().is_terminal(),
        Output::Stderr => std::io::stderr().is_terminal(),
    };
    let human = Format::Human { colour: terminal && env("NO_COLOR").is_none() };
    match env("WASMGEAR_LOG_FORMAT").as_deref() {
        Some("human") => human,
        None if terminal => human,
        Some("json") | None => Format::Json,
        Some(other) => {
            problems.push(format!("WASMGEAR_LOG_FORMAT={other:?}: json or human is expected"));
            Format::Json
        }
    }
}

fn otlp(env: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Option<Otlp> {
    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const EXACT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let exact = env(EXACT).map(|url| (EXACT, url.clone(), url));
    let base = || env(BASE).map(|url| (BASE, format!("{}/v1/traces", url.trim_end_matches('/')), url));
    let (name, endpoint, shown) = exact.or_else(base)?;
    if env("OTEL_SDK_DISABLED").as_deref() == Some("true") {
        return None;
    }
    if !endpoint.starts_with("http://") {
        problems.push(format!(
            "{name}={shown:?}: http:// is expected, as in http://collector:4318; https is not available in this release"
        ));
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        if let Some(other) = env(name).filter(|protocol| protocol != "http/protobuf") {
            problems.push(format!("{name}={other:?}: http/protobuf is expected, the only protocol of this release"));
        }
    }
    Some(Otlp { endpoint, ratio: ratio(env, problems) })
}

fn ratio(env: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> f64 {
    const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
    const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";
    let share = match env(SHARE) {
        None => DEFAULT_RATIO,
        Some(text) => text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).unwrap_or_else(|| {
            problems.push(format!("{SHARE}={text:?}: a share from 0 to 1 is expected, as in 0.1"));
            DEFAULT_RATIO
        }),
    };
    match env(SAMPLER).as_deref() {
        None | Some("parentbased_traceidratio") => share,
        Some("parentbased_always_on") => 1.0,
        Some("parentbased_always_off") => 0.0,
        Some(other) => {
            problems.push(format!(
                "{SAMPLER}={other:?}: parentbased_traceidratio, parentbased_always_on or parentbased_always_off is expected"
            ));
            share
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let find = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Settings::from_env(find, Output::Stdout, "info")
    }

    #[test]
    fn nothing_set_means_json_info_and_no_spans() {
        let settings = read(&[("RUST_LOG", "")]).unwrap();
        assert_eq!((settings.filter.as_str(), settings.otlp), ("info", None));
    }

    #[test]
    fn our_own_variable_wins_over_the_common_one() {
        let settings = read(&[("RUST_LOG", "debug"), ("WASMGEAR_LOG", "warn")]).unwrap();
        assert_eq!(settings.filter, "warn");
        assert_eq!(read(&[("RUST_LOG", "debug")]).unwrap().filter, "debug");
    }

    #[test]
    fn an_endpoint_gets_the_path_of_traces_and_the_default_share() {
        let endpoint = |pairs| read(pairs).unwrap().otlp.unwrap();
        let base = endpoint(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")]);
        assert_eq!(base, Otlp { endpoint: "http://collector:4318/v1/traces".into(), ratio: DEFAULT_RATIO });
        let exact = endpoint(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ]);
        assert_eq!(exact, Otlp { endpoint: "http://c/x".into(), ratio: 0.5 });
        let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_SDK_DISABLED", "true")];
        assert!(!read(&off).unwrap().sends_spans());
    }

    #[test]
    fn every_problem_is_reported_at_once_with_the_variable() {
        let error = read(&[
            ("WASMGEAR_LOG", "a=b=c"),
            ("WASMGEAR_LOG_FORMAT", "xml"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ])
        .unwrap_err();
        assert_eq!(error.0.len(), 6, "{error}");
        for name in ["WASMGEAR_LOG=", "WASMGEAR_LOG_FORMAT=", "_ENDPOINT=", "_PROTOCOL=", "_SAMPLER=", "_SAMPLER_ARG="]
        {
            assert!(error.to_string().contains(name), "{name} in {error}");
        }
    }
}
