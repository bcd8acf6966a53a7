//! What a module asks for against what it is given.

use crate::{Grants, Import, Inspection, KnownImport, Needs, Signature, text::shown};

/// Why an import is refused. A module may collect several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The resource does not grant it.
    #[error("imports {}, but {}", path(.0), withheld(*.1))]
    NotGranted(Import, Needs),
    /// The resource grants it, and this release does not have it.
    #[error("imports {}: {} not available in this release", path(.0), absent(*.1))]
    NotAvailable(Import, Needs),
    /// Nothing by that name.
    #[error("imports {}, which no gear can have; docs/reference/abi.md lists what a gear can import", path(.0))]
    Unknown(Import),
    /// Something by that name, of another type.
    #[error("imports {} as {}, but it is {expected}", path(.import), .import.signature)]
    WrongType {
        /// The import as the module has it.
        import: Import,
        /// The type that it has.
        expected: Signature,
    },
}

impl Denial {
    /// The CamelCase word for conditions, Events and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotGranted(..) => "NotGranted",
            Self::NotAvailable(..) => "NotAvailable",
            Self::Unknown(_) => "UnknownImport",
            Self::WrongType { .. } => "WrongImportType",
        }
    }
}

fn path(import: &Import) -> String {
    format!("{}.{}", shown(&import.module), shown(&import.name))
}

/// Compares what a module imports with what it is granted. All that is wrong is reported, in the order of the module.
pub fn check(inspection: &Inspection, grants: &Grants) -> Result<(), Vec<Denial>> {
    let denials: Vec<Denial> = inspection.imports.iter().filter_map(|import| deny(import, grants)).collect();
    if denials.is_empty() { Ok(()) } else { Err(denials) }
}

fn deny(import: &Import, grants: &Grants) -> Option<Denial> {
    let Some(known) = KnownImport::find(&import.module, &import.name) else {
        return Some(Denial::Unknown(import.clone()));
    };
    if !import.signature.is(known.params, known.results) {
        let expected = Signature { params: known.params.to_vec(), results: known.results.to_vec() };
        return Some(Denial::WrongType { import: import.clone(), expected });
    }
    // There is no field yet that could grant a descriptor, so "not granted" would send people looking for one.
    let grantable = !matches!(known.needs, Needs::Wasi(_));
    if grantable && !known.needs.met(grants) {
        return Some(Denial::NotGranted(import.clone(), known.needs));
    }
    (!known.built).then(|| Denial::NotAvailable(import.clone(), known.needs))
}

const fn withheld(needs: Needs) -> &'static str {
    match needs {
        Needs::Nothing => "it is not granted",
        Needs::Kv | Needs::KvWrite => "allowKv is false",
        Needs::Http => "allowHttp is false",
        Needs::KvOrHttp => "allowKv and allowHttp are false",
        Needs::Wasi(_) => "no wasi descriptor is granted",
    }
}

const fn absent(needs: Needs) -> &'static str {
    match needs {
        Needs::Nothing => "it is",
        Needs::Kv | Needs::KvWrite => "KV is",
        Needs::Http => "HTTP is",
        Needs::KvOrHttp => "KV and HTTP are",
        Needs::Wasi(_) => "WASI is",
    }
}
