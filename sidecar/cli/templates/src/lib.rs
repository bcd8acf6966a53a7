//! The projects that `wasmgear new` begins: complete, small, and with the guest libraries in them, so that they build with nothing but a
//! compiler (and, for Rust, crates.io).
//!
//! What it is not: it writes nothing. The command line decides where files go and what is already there.
//! How it fails: a name that can't be a gear's is refused with a sentence.
#![deny(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A language that there is a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust, for wasm32-unknown-unknown.
    Rust,
    /// C++20, with clang and no library.
    Cpp,
}

/// A file of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it goes, relative to the project, with `/` between the parts.
    pub path: &'static str,
    /// What is in it.
    pub content: String,
}

/// A new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its files, in the order of their paths.
    pub files: Vec<File>,
    /// The commands that build it and run it over its sample, to be typed inside of it.
    pub next: Vec<String>,
}

/// A name that can't be a gear's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} can't be the name of a gear: use 1 to 52 lower-case letters, digits and -, beginning with a letter and not ending with -"
)]
pub struct NameError(String);

/// Longest name of a gear: what Kubernetes allows for the names of its children.
const LONGEST: usize = 52;

/// The project of a gear called `name`. The same name is given to its package, its module and its resource.
pub fn project(language: Language, name: &str) -> Result<Project, NameError> {
    let valid = name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.len() <= LONGEST
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    if !valid {
        return Err(NameError(name.to_owned()));
    }
    let underscored = name.replace('-', "_");
    let fill = |text: &str| text.replace("{{name}}", name).replace("{{name_}}", &underscored);
    let (files, build) = match language {
        Language::Rust => (RUST, "cargo wasm"),
        Language::Cpp => (CPP, "make"),
    };
    let module = match language {
        Language::Rust => format!("target/wasm32-unknown-unknown/release/{underscored}.wasm"),
        Language::Cpp => format!("{name}.wasm"),
    };
    // Copied sources stay as they are, whatever they hold.
    let content = |path: &str, text: &str| {
        if path.starts_with("vendor/") || path == "flux_gear.hpp" { text.to_owned() } else { fill(text) }
    };
    Ok(Project {
        files: files.iter().map(|(path, text)| File { path, content: content(path, text) }).collect(),
        next: vec![
            build.to_owned(),
            format!("wasmgear run --module {module} --input sample.jsonl --out - --format jsonl --config limit=10000"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(project: &Project) -> Vec<&'static str> {
        project.files.iter().map(|file| file.path).collect()
    }

    #[test]
    fn projects_are_complete() {
        let rust = project(Language::Rust, "my-gear").unwrap();
        for path in [
            ".cargo/config.toml",
            ".gitignore",
            "Cargo.toml",
            "README.md",
            "gear.yaml",
            "sample.jsonl",
            "src/lib.rs",
            "vendor/gear-abi/Cargo.toml",
            "vendor/gear-abi/src/lib.rs",
            "vendor/gear-guest/Cargo.toml",
            "vendor/gear-guest/src/raw.rs",
        ] {
            assert!(paths(&rust).contains(&path), "{path}");
        }
        let cpp = project(Language::Cpp, "my-gear").unwrap();
        let all = [
            ".gitignore",
            "Makefile",
            "README.md",
            "flux_gear.hpp",
            "gear.cpp",
            "gear.yaml",
            "gear_test.cpp",
            "sample.jsonl",
        ];
        assert_eq!(paths(&cpp), all);
    }

    #[test]
    fn the_name_is_everywhere_and_nothing_is_left_to_fill_in() {
        for language in [Language::Rust, Language::Cpp] {
            let project = project(language, "my-gear").unwrap();
            for file in project.files.iter().filter(|file| !file.path.starts_with("vendor/")) {
                assert!(!file.content.contains("{{"), "{}", file.path);
            }
            assert!(project.next.iter().any(|line| line.contains("my-gear") || line.contains("my_gear")));
            let yaml = project.files.iter().find(|file| file.path == "gear.yaml").unwrap();
            assert!(yaml.content.contains("name: my-gear") && yaml.content.contains("urn:wasm:my-gear:v0.1.0"));
        }
    }

    #[test]
    fn the_copied_libraries_stand_alone() {
        let project = project(Language::Rust, "x").unwrap();
        for file in project.files.iter().filter(|file| file.path.starts_with("vendor/")) {
            assert!(!file.path.ends_with("/tests.rs"), "{}", file.path);
            if file.path.ends_with("Cargo.toml") {
                assert!(!file.content.contains("workspace"), "{}:\n{}", file.path, file.content);
                assert!(file.content.contains("edition = \"2024\""), "{}:\n{}", file.path, file.content);
            }
        }
    }

    #[test]
    fn names_that_no_gear_can_have_are_refused() {
        for name in ["", "My-gear", "1gear", "-gear", "gear-", "my_gear", "my.gear", "a/b", "größe", &"a".repeat(53)]
        {
            assert!(project(Language::Rust, name).is_err(), "{name}");
        }
        assert!(project(Language::Rust, &"a".repeat(52)).is_ok());
        assert_eq!(
            project(Language::Cpp, "My gear").unwrap_err().to_string(),
            "My gear can't be the name of a gear: use 1 to 52 lower-case letters, digits and -, beginning with a letter and not ending with -"
        );
    }
}
