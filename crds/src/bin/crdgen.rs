//! Prints what is generated from the types: `crdgen [crd|fields|conditions]`.

use std::{env, io::Write, process::ExitCode};

fn main() -> ExitCode {
    let text = match env::args().nth(1).as_deref() {
        None | Some("crd") => wasmgear_crds::crd_yaml(),
        Some("fields") => wasmgear_crds::fields_page(),
        Some("conditions") => Ok(wasmgear_crds::conditions_page()),
        Some(other) => {
            eprintln!("crdgen: {other:?} is not known; crd, fields or conditions is expected");
            return ExitCode::from(64);
        }
    };
    match text.map(|text| std::io::stdout().write_all(text.as_bytes())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("crdgen: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("crdgen: {error}");
            ExitCode::FAILURE
        }
    }
}
