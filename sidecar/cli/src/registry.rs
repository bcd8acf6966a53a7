//! `push` and `pull`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use gear_module::{Digest, StaticLimits, inspect};
use gear_supply::{Fetched, FolderRegistry, MAX_MODULE_SIZE, NatsRegistry, Pushed, Verified};
use serde::Serialize;

use crate::{
    args::{PullArgs, PushArgs, RegistryArgs},
    exit::{Exit, Failed},
    print::{Format, Printed, print, size},
    progress,
};

/// What was moved.
#[derive(Debug, Serialize)]
struct Moved {
    reference: String,
    digest: Digest,
    size: u64,
    /// `pushed`, `already there`, `pulled`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

impl Printed for Moved {
    fn table(&self) -> String {
        format!("{} {} {} ({})\n", self.reference, self.result, self.digest, size(self.size))
    }
}

enum Place {
    Nats(Box<NatsRegistry>),
    Folder(FolderRegistry),
}

impl RegistryArgs {
    async fn open(&self) -> Result<Place, Failed> {
        if let Some(folder) = &self.folder {
            return Ok(Place::Folder(FolderRegistry::new("folder", folder)));
        }
        let connected = progress::spinner("connecting", self.nats.connect()).await?;
        Ok(Place::Nats(Box::new(connected.registry())))
    }
}

pub(crate) async fn push(args: &PushArgs, format: Format) -> Result<Exit, Failed> {
    let module = read(&args.module)?;
    let digest = module.digest();
    if let Some(pinned) = args.reference.digest().filter(|pinned| *pinned != digest) {
        return Err(Failed::usage(format!(
            "{}: the file is {digest}, the reference pins {pinned}; leave the pin out or push the right file",
            args.module.display()
        )));
    }
    inspect(module.bytes(), &StaticLimits::default())
        .map_err(|refusal| Failed::refused(format!("{}: {refusal}", args.module.display())))?;
    let bytes = module.bytes().len() as u64;
    let pushed = match args.registry.open().await? {
        Place::Folder(registry) => registry.push(&args.reference, &module).await?,
        Place::Nats(registry) => {
            let bar = progress::bar(bytes, "uploading");
            let pushed = registry.push(&args.reference, &module, |done| bar.set_position(done)).await;
            bar.finish_and_clear();
            pushed?
        }
    };
    let result = match pushed {
        Pushed::New => "pushed",
        Pushed::AlreadyThere => "already there",
    };
    let moved = Moved { reference: args.reference.to_string(), digest, size: bytes, result, file: None };
    print(&moved, format)?;
    Ok(Exit::Done)
}

pub(crate) async fn pull(args: &PullArgs, format: Format) -> Result<Exit, Failed> {
    let place = args.registry.open().await?;
    let fetching = async {
        match &place {
            Place::Nats(registry) => {
                let (digest, size) = registry.resolve(&args.reference, MAX_MODULE_SIZE).await?;
                registry.fetch(&digest, size).await
            }
            Place::Folder(registry) => {
                let (digest, size) = registry.resolve(&args.reference, MAX_MODULE_SIZE).await?;
                registry.fetch(&digest, size).await
            }
        }
    };
    let module = progress::spinner("downloading", fetching).await?;
    let digest = module.digest();
    if let Some(pinned) = args.reference.digest().filter(|pinned| *pinned != digest) {
        let message = format!("{}: the registry has {digest}, the reference pins {pinned}", args.reference);
        return Err(Failed { exit: Exit::Registry, message });
    }
    write(&args.file, module.bytes())?;
    let moved = Moved {
        reference: args.reference.to_string(),
        digest,
        size: module.bytes().len() as u64,
        result: "pulled",
        file: Some(args.file.clone()),
    };
    print(&moved, format)?;
    Ok(Exit::Done)
}

/// A module's file, within the bound of every module.
pub(crate) fn read(file: &Path) -> Result<Verified, Failed> {
    let fetched = Fetched::file(file, MAX_MODULE_SIZE)?;
    let digest = fetched.digest();
    Ok(fetched.verify(&digest)?)
}

/// Complete or not at all: beside the file, then renamed over it.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let failed = |error: std::io::Error| Failed::fault(format!("{}: {error}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(bytes).map_err(failed)?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(draft.path(), readable).map_err(failed)?;
    draft.persist(file).map_err(|error| failed(error.error))?;
    Ok(())
}
