//! From what others say about a module to the words of conditions.

use gear_module::{Grants, Inspection, ReferenceError, Refusal};
use gear_supply::Class;
use wasmgear_crds::Reason;

use super::fetch::ModuleFault;
use crate::failure::{Failure, Retry};

/// A module that no gear can run. The digest is pinned, so only another module helps.
pub(crate) fn refused(refusal: &Refusal) -> Failure {
    let reason = Reason::find(refusal.reason()).unwrap_or(Reason::ModuleRefused);
    Failure { reason, message: refusal.to_string(), retry: Retry::Outside }
}

/// Nobody knows what the module is.
pub(crate) fn fault(fault: &ModuleFault) -> Failure {
    let message = fault.to_string();
    match fault {
        ModuleFault::Reference(ReferenceError::NotAvailable(_)) => Failure::on_change(Reason::NotAvailable, message),
        ModuleFault::Reference(_) => Failure::on_change(Reason::InvalidSpec, message),
        ModuleFault::Supply { fault, .. } => {
            let (reason, retry) = match fault.class() {
                Class::RegistryNotAllowed => (Reason::RegistryNotAllowed, Retry::OnChange),
                Class::ModuleNotFound => (Reason::ModuleNotFound, Retry::Outside),
                Class::DigestMismatch | Class::VersionTaken => (Reason::DigestMismatch, Retry::Outside),
                Class::ModuleTooLarge => (Reason::ModuleTooLarge, Retry::Outside),
                Class::IndexMutable => (Reason::IndexMutable, Retry::Outside),
                Class::RegistryInvalid => (Reason::RegistryInvalid, Retry::Outside),
                Class::RegistryUnavailable | Class::StoreUnavailable => (Reason::RegistryUnavailable, Retry::Backoff),
            };
            Failure { reason, message, retry }
        }
    }
}

/// Compares what a module imports with what it is granted. All that is wrong is named, the first decides the reason.
pub(crate) fn granted(inspection: &Inspection, grants: &Grants) -> Result<(), Failure> {
    gear_module::check(inspection, grants).map_err(|denials| {
        let reason = denials.first().and_then(|denial| Reason::find(denial.reason())).unwrap_or(Reason::ModuleRefused);
        let sentences: Vec<String> = denials.iter().take(5).map(ToString::to_string).collect();
        let more = denials.len().saturating_sub(sentences.len());
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        Failure::on_change(reason, format!("{}{rest}", sentences.join("; ")))
    })
}
