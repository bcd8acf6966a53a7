//! What a run came to.

use std::collections::BTreeMap;

use gear_config::{Revision, names, status::LedgerStatus};
use gear_stream::memory;
use serde::Serialize;

use super::writer::Counts;
use crate::print::{Printed, columns};

/// How a run ended.
pub(super) struct Run {
    pub(super) ended: memory::Report,
    pub(super) tally: Counts,
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    digest: String,
    /// False when the run was interrupted.
    complete: bool,
    /// Both sums of the ledger hold.
    balanced: bool,
    ledger: LedgerStatus,
    /// Records written, by port.
    ports: BTreeMap<String, u64>,
    /// Dead letters, by reason.
    dead_letters: BTreeMap<String, u64>,
}

impl Run {
    pub(super) fn of(self, revision: &Revision) -> Report {
        Report {
            digest: revision.digest.to_string(),
            complete: self.ended.drained,
            balanced: self.ended.ledger.balances(),
            ledger: self.ended.ledger,
            ports: self.tally.ports,
            dead_letters: self.tally.dead_letters,
        }
    }
}

impl Report {
    /// No message was rejected, malformed or dead-lettered, and nothing was left.
    pub(super) fn all_ok(&self) -> bool {
        let bad = self.ledger.rejected + self.ledger.dead_lettered;
        self.complete && self.balanced && bad == 0
    }
}

impl Printed for Report {
    fn table(&self) -> String {
        let ledger = &self.ledger;
        let row = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
        let mut rows = vec![row("received", ledger.received)];
        let classes = [
            ("ok", ledger.ok),
            ("dropped", ledger.dropped),
            ("rejected", ledger.rejected),
            ("dead-lettered", ledger.dead_lettered),
            ("probes", ledger.probes),
            ("retried", ledger.retried),
            ("released", ledger.released),
        ];
        rows.extend(
            classes.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| row(&format!("  {name}"), count)),
        );
        rows.push(row("emitted", ledger.emitted));
        let ports = self.ports.iter().filter(|(port, _)| *port != names::DEFAULT_PORT);
        rows.extend(ports.map(|(port, count)| row(&format!("  by port {port}"), *count)));
        rows.extend(self.dead_letters.iter().map(|(reason, count)| row(&format!("dead letters: {reason}"), *count)));
        let mut text = columns(&rows);
        text.push_str(if self.balanced { "the ledger balances\n" } else { "THE LEDGER DOES NOT BALANCE\n" });
        if !self.complete {
            text.push_str("interrupted: the rest of the input was not read\n");
        }
        text
    }
}
