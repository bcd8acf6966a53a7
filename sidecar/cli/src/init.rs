//! `init`: streams and buckets.

use gear_nats::provision::{self, Made};
use serde::Serialize;

use crate::{
    args::InitArgs,
    exit::{Exit, Failed},
    print::{Format, Printed, columns, print},
    progress,
};

#[derive(Debug, Serialize)]
struct Report {
    stores: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    store: &'static str,
    /// `created`, `kept`, `corrected`.
    result: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrected: Vec<String>,
}

impl Printed for Report {
    fn table(&self) -> String {
        let mut rows = vec![vec!["STORE".into(), "RESULT".into(), "CORRECTED".into()]];
        rows.extend(self.stores.iter().map(|row| {
            let corrected = row.corrected.join("; ");
            vec![row.store.to_owned(), row.result.to_owned(), corrected]
        }));
        columns(&rows)
    }
}

pub(crate) async fn run(args: &InitArgs, format: Format) -> Result<Exit, Failed> {
    let connected = progress::spinner("connecting", args.nats.connect()).await?;
    let report = progress::spinner("making streams", provision::init(&connected.jetstream, args.replicas.into())).await;
    let report = report.map_err(|error| Failed::fault(wasmgear_sidecar::problem::chain(&error)))?;
    let row = |(store, made): &(provision::Store, Made)| {
        let (result, corrected) = match made {
            Made::Created => ("created", Vec::new()),
            Made::Kept => ("kept", Vec::new()),
            Made::Corrected(settings) => ("corrected", settings.iter().map(ToString::to_string).collect()),
        };
        Row { store: store.stream(), result, corrected }
    };
    print(&Report { stores: report.stores.iter().map(row).collect() }, format)?;
    Ok(Exit::Done)
}
