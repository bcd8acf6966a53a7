//! `inspect`: what a module is, and what it would need.

use std::collections::BTreeMap;

use gear_module::{
    Digest, Grants, Inspection, KnownImport, Memory, Producer, StaticLimits, Table, check, inspect as examine,
};
use serde::Serialize;

use crate::{
    args::InspectArgs,
    exit::{Exit, Failed},
    print::{Format, Printed, bold, columns, print, size},
    registry::read,
};

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    digest: Digest,
    size: u64,
    abi: &'static str,
    entrypoint: String,
    allocator: String,
    free: String,
    /// `_initialize` is exported, or there is a start function: each instance runs it before its first message.
    initialize: bool,
    imports: Vec<ImportRow>,
    exports: BTreeMap<String, String>,
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Table>,
    functions: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    producers: Vec<Producer>,
    /// Why no gear could run it in this release, whatever it is granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ImportRow {
    module: String,
    name: String,
    r#type: String,
    /// The grant that it needs; `null` for an import that no gear can have.
    needs: Option<&'static str>,
    /// Whether this release has it.
    available: bool,
}

impl Printed for Report {
    fn table(&self) -> String {
        let maximum = self.memory.maximum.map_or("no maximum".to_owned(), |bytes| format!("at most {}", size(bytes)));
        let mut facts = vec![
            fact("digest", self.digest.to_string()),
            fact("size", format!("{} ({} functions)", size(self.size), self.functions)),
            fact("abi", format!("{} (entrypoint {})", self.abi, self.entrypoint)),
            fact("allocator", format!("{}, {}", self.allocator, self.free)),
            fact("start", if self.initialize { "runs code in each new instance" } else { "nothing to run" }),
            fact("memory", format!("{} at the start, {maximum}", size(self.memory.minimum))),
        ];
        if let Some(table) = &self.table {
            facts.push(fact("table", format!("{} elements", table.minimum)));
        }
        let producers: Vec<String> = self.producers.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
        if !producers.is_empty() {
            facts.push(fact("made by", producers.join(", ")));
        }
        let mut text = columns(&facts);
        text += &["\n", &bold("IMPORTS"), "\n"].concat();
        let rows = self.imports.iter().map(|import| {
            let name = format!("{}.{}", import.module, import.name);
            let needs = import.needs.unwrap_or("no gear can have it");
            let state = if import.available { "" } else { "not available in this release" };
            vec![name, import.r#type.clone(), needs.to_owned(), state.to_owned()]
        });
        let mut imports = vec![["NAME", "TYPE", "NEEDS", ""].map(str::to_owned).to_vec()];
        imports.extend(rows);
        text.push_str(&if self.imports.is_empty() { "none\n".to_owned() } else { columns(&imports) });
        text += &["\n", &bold("EXPORTS"), "\n"].concat();
        let exports: Vec<_> = self.exports.iter().map(|(name, r#type)| vec![name.clone(), r#type.clone()]).collect();
        text.push_str(&columns(&exports));
        for problem in &self.problems {
            text += &["\n", problem, "\n"].concat();
        }
        text
    }
}

fn fact(name: &str, value: impl Into<String>) -> Vec<String> {
    vec![name.to_owned(), value.into()]
}

pub(crate) fn run(args: &InspectArgs, format: Format) -> Result<Exit, Failed> {
    let module = read(&args.module)?;
    let shown = args.module.display();
    let refused = |refusal: gear_module::Refusal| Failed::refused(format!("{shown}: {refusal}"));
    let inspection = examine(module.bytes(), &StaticLimits::default()).map_err(refused)?;
    let report = report(module.digest(), inspection, args.entrypoint.as_deref()).map_err(refused)?;
    print(&report, format)?;
    Ok(Exit::Done)
}

fn report(digest: Digest, inspection: Inspection, entrypoint: Option<&str>) -> Result<Report, gear_module::Refusal> {
    let entrypoint = inspection.entrypoint(entrypoint)?;
    // With every grant there is, what is left is what this release does not have.
    let all = Grants { allow_http: true, allow_kv: true };
    let problems = check(&inspection, &all).err().unwrap_or_default().iter().map(ToString::to_string).collect();
    let import = |import: &gear_module::Import| {
        let known = KnownImport::find(&import.module, &import.name);
        ImportRow {
            module: import.module.clone(),
            name: import.name.clone(),
            r#type: import.signature.to_string(),
            needs: known.map(|known| known.needs.as_str()),
            available: known.is_some_and(|known| known.built),
        }
    };
    Ok(Report {
        digest,
        size: inspection.size,
        abi: entrypoint.abi.as_str(),
        entrypoint: entrypoint.name,
        allocator: inspection.allocator.clone(),
        free: inspection.free.name.clone(),
        initialize: inspection.initialize || inspection.start,
        imports: inspection.imports.iter().map(import).collect(),
        exports: inspection.exports.iter().map(|(name, r#type)| (name.clone(), r#type.to_string())).collect(),
        memory: inspection.memory,
        table: inspection.table,
        functions: inspection.functions,
        producers: inspection.producers,
        problems,
    })
}
