//! `docs/reference/metrics.md` against the registry of a sidecar that serves.

use std::path::Path;

use gear_telemetry::metrics::Described;

use crate::world::{World, payment};

#[tokio::test]
async fn the_page_of_metrics_lists_what_a_sidecar_has() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed([payment(1)]).await;
    world.outputs(1).await;
    let (_, text) = sidecar.get("/metrics");
    let rows: Vec<String> = gear_telemetry::metrics::describe_text(&text).iter().map(row).collect();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, listed) = page.split_once("<!-- sidecar -->\n").unwrap();
    let (listed, _) = listed.split_once("<!-- end -->").unwrap();
    let expected = format!("| metric | kind | labels | meaning |\n|---|---|---|---|\n{}\n", rows.join("\n"));
    assert!(listed == expected, "docs/reference/metrics.md is old; between the marks belongs:\n\n{expected}");
}

fn row(metric: &Described) -> String {
    let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {} | {} | {} |", metric.name, metric.kind, labels.join(", "), metric.help)
}
