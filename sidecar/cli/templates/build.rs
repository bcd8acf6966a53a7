//! Lists the files that a new project gets: templates, and the guest libraries as they stand in this repository.
//!
//! The libraries are not on crates.io, so a project brings them. Their manifests inherit from the workspace; here the inherited lines are
//! replaced by what they stand for.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), String> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|error| error.to_string())?);
    let root = here.join("../../..");
    let mut rust = templates(&here.join("rust"))?;
    for (name, folder) in [("gear-abi", "sidecar/abi"), ("gear-guest", "sidecar/guest")] {
        let manifest = out.join(format!("{name}.toml"));
        fs::write(&manifest, standalone(&root, folder)?).map_err(|error| told(&manifest, &error))?;
        rust.push((format!("vendor/{name}/Cargo.toml"), manifest));
        rust.extend(sources(&root.join(folder).join("src"), &format!("vendor/{name}/src"))?);
    }
    let mut cpp = templates(&here.join("cpp"))?;
    cpp.push(("flux_gear.hpp".to_owned(), root.join("sidecar/guest/cpp/flux_gear.hpp")));
    let code = listing("RUST", rust)? + &listing("CPP", cpp)?;
    let path = out.join("files.rs");
    fs::write(&path, code).map_err(|error| told(&path, &error))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// A table of paths in the project and contents.
fn listing(name: &str, mut files: Vec<(String, PathBuf)>) -> Result<String, String> {
    files.sort();
    let mut code = format!("const {name}: &[(&str, &str)] = &[\n");
    for (path, source) in files {
        let source = source.canonicalize().map_err(|error| told(&source, &error))?;
        println!("cargo::rerun-if-changed={}", source.display());
        writeln!(code, "    ({path:?}, include_str!({:?})),", source.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    Ok(code + "];\n")
}

/// Files of a template. Their names end with `.in` where the file would mean something to the tools of this repository; leading dots are
/// written `dot-`.
fn templates(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let files = walk(folder, "")?;
    Ok(files
        .into_iter()
        .map(|(path, source)| {
            let path = path.strip_suffix(".in").unwrap_or(&path);
            (path.split('/').map(|part| part.replace("dot-", ".")).collect::<Vec<_>>().join("/"), source)
        })
        .collect())
}

/// Sources of a library, without its tests.
fn sources(folder: &Path, into: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let files = walk(folder, into)?;
    Ok(files.into_iter().filter(|(path, _)| !path.ends_with("/tests.rs") && !path.contains("/tests/")).collect())
}

fn walk(folder: &Path, into: &str) -> Result<Vec<(String, PathBuf)>, String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| told(folder, &error))? {
        let path = entry.map_err(|error| told(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inside = if into.is_empty() { name } else { format!("{into}/{name}") };
        if path.is_dir() { files.extend(walk(&path, &inside)?) } else { files.push((inside, path)) }
    }
    Ok(files)
}

/// The manifest of a member of the workspace, for a place outside of it.
fn standalone(root: &Path, folder: &str) -> Result<String, String> {
    let read = |path: PathBuf| {
        println!("cargo::rerun-if-changed={}", path.display());
        fs::read_to_string(&path).map_err(|error| told(&path, &error))
    };
    let workspace = read(root.join("Cargo.toml"))?;
    let member = read(root.join(folder).join("Cargo.toml"))?;
    let mut section = "";
    let mut manifest =
        "# Copied from WasmGear by `wasmgear new`; update it by making a new project and copying its folder vendor.\n"
            .to_owned();
    // Comments belong to what follows them.
    let mut comments = String::new();
    for line in member.lines() {
        if line.starts_with('[') {
            section = line;
        } else if line.starts_with('#') {
            comments = comments + line + "\n";
            continue;
        }
        let comment = std::mem::take(&mut comments);
        // Lints, tests and benches are the library's own affair.
        if !["[package]", "[features]", "[dependencies]"].contains(&section) {
            continue;
        }
        manifest.push_str(&comment);
        match line.split_once(".workspace = true") {
            None => manifest.push_str(line),
            Some((name, _)) if name.starts_with("gear-") => {
                write!(manifest, "{name} = {{ path = \"../{name}\" }}").map_err(|error| error.to_string())?;
            }
            Some((name, _)) => {
                let place = if section == "[package]" { "[workspace.package]" } else { "[workspace.dependencies]" };
                manifest.push_str(inherited(&workspace, place, name)?);
            }
        }
        manifest.push('\n');
    }
    Ok(manifest)
}

/// The line of the workspace that a member inherits.
fn inherited<'a>(workspace: &'a str, section: &str, name: &str) -> Result<&'a str, String> {
    workspace
        .lines()
        .skip_while(|line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find(|line| line.split_once(" = ").is_some_and(|(own, _)| own == name))
        .ok_or_else(|| format!("Cargo.toml of the workspace has no {name} in {section}"))
}
