//! `new`: a small project that builds.

use std::{fs, path::Path};

use gear_templates::{Language as Template, project};
use serde::Serialize;

use crate::{
    args::{Language, NewArgs},
    exit::{Exit, Failed},
    print::{Format, Printed, print},
};

/// What was made.
#[derive(Debug, Serialize)]
struct Report {
    folder: String,
    files: Vec<&'static str>,
    /// Commands to type next, in the folder.
    next: Vec<String>,
}

impl Printed for Report {
    fn table(&self) -> String {
        let Self { folder, files, next } = self;
        let begin = format!("{folder}: {} files. Next:\n\n  cd {folder}\n", files.len());
        next.iter().fold(begin, |text, line| format!("{text}  {line}\n"))
    }
}

pub(crate) fn run(args: &NewArgs, format: Format) -> Result<Exit, Failed> {
    let shown = args.folder.display();
    let name = args.folder.file_name().unwrap_or_default().to_string_lossy();
    let template = match args.lang {
        Language::Rust => Template::Rust,
        Language::Cpp => Template::Cpp,
    };
    let project = project(template, &name).map_err(|error| Failed::usage(error.to_string()))?;
    // Nothing that is there is ever written over.
    let found = match fs::read_dir(&args.folder) {
        Ok(mut entries) => entries.next().map(|_| "it is not empty".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(error.to_string()),
    };
    if let Some(found) = found {
        return Err(Failed::usage(format!("{shown}: {found}; name a folder that is not there yet")));
    }
    for file in &project.files {
        write(&args.folder.join(file.path), &file.content)?;
    }
    let files = project.files.iter().map(|file| file.path).collect();
    print(&Report { folder: shown.to_string(), files, next: project.next }, format)?;
    Ok(Exit::Done)
}

fn write(path: &Path, content: &str) -> Result<(), Failed> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
    written.map_err(|error| Failed::fault(format!("{}: {error}", path.display())))
}
