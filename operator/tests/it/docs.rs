//! The page of metrics is what the operator has.

use std::{fmt::Write as _, fs};

#[test]
fn the_reference_of_metrics_is_current() {
    let mut page = String::from(
        "# Metrics of the operator\n\n`GET /metrics` on port 8081, OpenMetrics. Label values come from closed lists, and every series is there from the start.\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in wasmgear_operator::described_metrics().unwrap() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(page, "| `{}` | {} | {} | {} |", metric.name, metric.kind, labels.join(", "), metric.help).unwrap();
    }
    let path = format!("{}/../docs/reference/operator-metrics.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("WASMGEAR_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/operator-metrics.md is not what the operator has; run: WASMGEAR_WRITE_DOCS=1 cargo test -p wasmgear-operator the_reference_of_metrics_is_current"
    );
}
