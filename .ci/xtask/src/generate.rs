//! Writes what is generated from `crds/src`: the resource definition, the chart's copy of it, and two reference pages.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

/// What `crdgen` prints, and where it goes.
const FILES: [(&str, &str); 3] = [
    ("crd", "crds/wasmgear.yaml"),
    ("fields", "docs/reference/wasmgear.md"),
    ("conditions", "docs/reference/conditions.md"),
];
const CHART: &str = "charts/wasmgear/templates/crd.yaml";

/// Writes the files that differ.
pub(crate) fn run() -> anyhow::Result<()> {
    let top = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (what, path) in FILES {
        let text = crdgen(top, what)?;
        write(top, path, &text)?;
        if what == "crd" {
            // In the templates, so that an upgrade of the chart upgrades it too.
            write(top, CHART, &format!("{{{{- if .Values.crds.install }}}}\n{text}{{{{- end }}}}\n"))?;
        }
    }
    Ok(())
}

fn crdgen(top: &Path, what: &str) -> anyhow::Result<String> {
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--package", "wasmgear-crds", "--bin", "crdgen", "--", what])
        .current_dir(top)
        .output()
        .context("cargo can't be run")?;
    ensure!(output.status.success(), "crdgen {what} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn write(top: &Path, path: &str, text: &str) -> anyhow::Result<()> {
    let file = top.join(path);
    if fs::read_to_string(&file).is_ok_and(|found| found == text) {
        return Ok(());
    }
    fs::write(&file, text).with_context(|| format!("{path} can't be written"))?;
    println!("written: {path}");
    Ok(())
}
