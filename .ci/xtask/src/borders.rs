//! `cargo xtask borders`: who may know whom.
//!
//! The table of `docs/explanation/architecture.md`, held against what Cargo resolves for each crate on its own. The
//! workspace's common resolution would not do: it unites the features of all members, and then everybody seems to know
//! everything.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};

/// Where the table stands for people.
const DOCUMENT: &str = "docs/explanation/architecture.md";

/// A crate and the crates that must not be among its dependencies, however far away.
struct Border {
    name: &'static str,
    never: &'static [&'static [&'static str]],
}

const KUBERNETES: &[&str] = &["kube", "kube-client", "kube-runtime", "k8s-openapi", "wasmgear-crds"];
const NATS: &[&str] = &["async-nats", "gear-nats", "gear-stream", "gear-supply"];
const RUNTIME: &[&str] = &["tokio"];
const SANDBOX: &[&str] = &["wasmtime", "gear-host"];
const PROGRAMS: &[&str] = &["wasmgear", "wasmgear-operator", "wasmgear-sidecar"];

const BORDERS: &[Border] = &[
    Border { name: "wasmgear-crds", never: &[RUNTIME, NATS, SANDBOX, PROGRAMS] },
    Border { name: "gear-abi", never: &[RUNTIME, NATS, SANDBOX, KUBERNETES, PROGRAMS] },
    Border {
        name: "gear-guest",
        never: &[RUNTIME, NATS, SANDBOX, KUBERNETES, PROGRAMS, &["gear-module", "gear-config", "gear-telemetry"]],
    },
    Border { name: "gear-module", never: &[RUNTIME, NATS, SANDBOX, KUBERNETES, PROGRAMS] },
    Border { name: "gear-config", never: &[RUNTIME, NATS, SANDBOX, KUBERNETES, PROGRAMS] },
    Border { name: "gear-nats", never: &[SANDBOX, KUBERNETES, PROGRAMS, &["gear-stream", "gear-supply"]] },
    Border { name: "gear-supply", never: &[SANDBOX, KUBERNETES, PROGRAMS, &["gear-stream"]] },
    Border { name: "gear-host", never: &[NATS, KUBERNETES, PROGRAMS] },
    Border { name: "gear-stream", never: &[SANDBOX, KUBERNETES, PROGRAMS, &["gear-supply"]] },
    Border {
        name: "gear-telemetry",
        never: &[NATS, SANDBOX, KUBERNETES, PROGRAMS, &["gear-abi", "gear-module", "gear-config"]],
    },
    Border {
        name: "gear-templates",
        never: &[
            RUNTIME,
            NATS,
            SANDBOX,
            KUBERNETES,
            PROGRAMS,
            &["gear-abi", "gear-guest", "gear-module", "gear-config"],
        ],
    },
    Border { name: "wasmgear-sidecar", never: &[KUBERNETES, &["wasmgear", "wasmgear-operator"]] },
    Border { name: "wasmgear", never: &[&["wasmgear-operator"]] },
    Border { name: "wasmgear-operator", never: &[SANDBOX, &["gear-stream", "wasmgear-sidecar", "wasmgear"]] },
];

/// Crates of the workspace that no program ships and that may know everything.
const OUTSIDE: &[&str] = &["xtask"];

/// Checks every border; prints each crossing with the command that shows the way.
pub(crate) fn run() -> anyhow::Result<()> {
    let document =
        fs::read_to_string(DOCUMENT).with_context(|| format!("{DOCUMENT}; run this from the checkout's top"))?;
    let mut faults = unlisted(&document, &members()?);
    for border in BORDERS {
        let known = dependencies(border.name)?;
        faults.extend(crossings(border, &known));
    }
    let abi = fs::read_to_string("sidecar/abi/src/lib.rs").context("sidecar/abi/src/lib.rs")?;
    if !abi.lines().any(|line| line.trim() == "#![no_std]") {
        faults.push("gear-abi must not know std, but sidecar/abi/src/lib.rs does not say #![no_std]".to_owned());
    }
    ensure!(faults.is_empty(), "{} borders are crossed:\n  {}", faults.len(), faults.join("\n  "));
    println!("borders: {} crates keep to {DOCUMENT}", BORDERS.len());
    Ok(())
}

/// One sentence for each forbidden crate among `known`.
fn crossings(border: &Border, known: &BTreeSet<String>) -> Vec<String> {
    let forbidden = border.never.iter().flat_map(|group| group.iter()).filter(|name| **name != border.name);
    forbidden
        .filter(|name| known.contains(**name))
        .map(|name| {
            format!("{0} must not know {name}; the way there: cargo tree -p {0} -e normal -i {name}", border.name)
        })
        .collect()
}

/// Crates that the code, the rules or the document leave out.
fn unlisted(document: &str, members: &[(String, String)]) -> Vec<String> {
    let described = |name: &str| document.lines().any(|line| line.starts_with(&format!("| `{name}` |")));
    let ruled = |name: &str| BORDERS.iter().any(|border| border.name == name);
    let mut faults: Vec<String> = members
        .iter()
        .filter(|(name, folder)| !folder.starts_with("e2e") && !OUTSIDE.contains(&name.as_str()))
        .filter(|(name, _)| !ruled(name) || !described(name))
        .map(|(name, _)| format!("{name} has no rule: write one in .ci/xtask/src/borders.rs and a row in {DOCUMENT}"))
        .collect();
    let gone = BORDERS.iter().filter(|border| !members.iter().any(|(name, _)| name == border.name));
    faults.extend(gone.map(|border| format!("{} has a rule, but is no crate of the workspace", border.name)));
    faults
}

/// Names and folders of the workspace's crates.
fn members() -> anyhow::Result<Vec<(String, String)>> {
    let text = cargo(&["metadata", "--format-version=1", "--no-deps", "--locked"])?;
    let metadata: Metadata = serde_json::from_str(&text).context("the output of cargo metadata")?;
    let top = std::env::current_dir()?;
    let folder = |manifest: &Path| manifest.strip_prefix(&top).unwrap_or(manifest).display().to_string();
    Ok(metadata.packages.into_iter().map(|package| (package.name, folder(&package.manifest_path))).collect())
}

/// The part of `cargo metadata` that is read here.
#[derive(serde::Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// Everything that a crate links, with the features that it asks for itself. Proc macros run in the compiler and count not.
fn dependencies(name: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = cargo(&["tree", "--locked", "-p", name, "-e", "normal,no-proc-macro", "--prefix=none", "--format={p}"])?;
    Ok(names(&text))
}

/// The first word of each line: `tokio v1.54.0 (*)`.
fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn cargo(arguments: &[&str]) -> anyhow::Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).output().context("cargo can not be started")?;
    if !output.status.success() {
        bail!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Border = Border { name: "gear-host", never: &[NATS, KUBERNETES] };

    #[test]
    fn a_forbidden_crate_however_deep_is_named_with_the_way_to_it() {
        let known = names("gear-host v0.1.0 (/checkout/sidecar/host)\nwasmtime v48.0.0\nasync-nats v0.51.0 (*)\n");
        let faults = crossings(&HOST, &known);
        assert_eq!(
            faults,
            ["gear-host must not know async-nats; the way there: cargo tree -p gear-host -e normal -i async-nats"]
        );
    }

    #[test]
    fn a_name_that_only_begins_alike_is_no_crossing() {
        let known = names("async-nats-like v1.0.0\nkube-derive v5.0.0\n");
        assert!(crossings(&HOST, &known).is_empty());
    }

    #[test]
    fn a_new_crate_without_a_rule_and_a_rule_without_a_crate_are_faults() {
        let rows: Vec<String> = BORDERS.iter().map(|border| format!("| `{}` | … |", border.name)).collect();
        let document = rows.join("\n");
        let mut members: Vec<_> =
            BORDERS.iter().map(|border| (border.name.to_owned(), "sidecar/x/Cargo.toml".to_owned())).collect();
        members.push(("nats-broker".to_owned(), "e2e/broker/Cargo.toml".to_owned()));
        assert!(unlisted(&document, &members).is_empty());
        members.push(("gear-new".to_owned(), "sidecar/new/Cargo.toml".to_owned()));
        members.retain(|(name, _)| name != "gear-abi");
        let faults = unlisted(&document, &members);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.starts_with("gear-new has no rule")));
        assert!(faults.iter().any(|fault| fault.starts_with("gear-abi has a rule, but")));
        assert_eq!(
            unlisted("", &members[..1]).first().map(String::as_str).unwrap_or_default().split(':').next(),
            Some("wasmgear-crds has no rule")
        );
    }
}
