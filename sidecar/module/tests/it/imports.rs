//! The table of known imports, against grants.

use gear_module::{Denial, Grants, Needs, StaticLimits, check, imports, inspect};

use crate::gear;

const NOTHING: Grants = Grants { allow_http: false, allow_kv: false };
const KV: Grants = Grants { allow_http: false, allow_kv: true };
const HTTP: Grants = Grants { allow_http: true, allow_kv: false };
const ALL: Grants = Grants { allow_http: true, allow_kv: true };

fn import(module: &str, name: &str, ty: &str) -> Vec<u8> {
    gear(&format!(r#"(import "{module}" "{name}" (func {ty}))"#), "")
}

fn denials(bytes: &[u8], grants: &Grants) -> Vec<Denial> {
    let inspection = inspect(bytes, &StaticLimits::default()).unwrap();
    check(&inspection, grants).err().unwrap_or_default()
}

/// Reasons and sentences.
fn said(bytes: &[u8], grants: &Grants) -> Vec<(&'static str, String)> {
    denials(bytes, grants).iter().map(|denial| (denial.reason(), denial.to_string())).collect()
}

/// The type of a table entry in text form.
fn wat_type(known: &imports::KnownImport) -> String {
    let list = |word, types: &[gear_module::ValType]| {
        types.iter().map(|ty| format!("({word} {ty})")).collect::<Vec<_>>().join(" ")
    };
    format!("{} {}", list("param", known.params), list("result", known.results))
}

#[test]
fn every_entry_of_the_table_against_every_grant() {
    let mut seen = 0;
    for known in imports::known() {
        let bytes = import(known.module, known.name, &wat_type(known));
        for grants in [NOTHING, KV, HTTP, ALL] {
            let granted = match known.needs {
                Needs::Nothing => true,
                Needs::Kv | Needs::KvWrite => grants.allow_kv,
                Needs::Http => grants.allow_http,
                Needs::KvOrHttp => grants.allow_kv || grants.allow_http,
                Needs::Wasi(_) => false,
            };
            let reasons: Vec<_> = said(&bytes, &grants).into_iter().map(|(reason, _)| reason).collect();
            let expected: &[&str] = match known.needs {
                Needs::Nothing => &[],
                Needs::Wasi(_) => &["NotAvailable"],
                _ if granted => &["NotAvailable"],
                _ => &["NotGranted"],
            };
            assert_eq!(reasons, expected, "{}.{} with {grants:?}", known.module, known.name);
            assert_eq!(known.needs.met(&grants), granted);
            seen += 1;
        }
    }
    assert_eq!(seen, 4 * 58, "12 imports of env and 46 of WASI, each with four sets of grants");
}

#[test]
fn the_table_has_no_name_twice() {
    let mut names: Vec<_> = imports::known().map(|known| (known.module, known.name)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_withheld_import_is_named_with_its_switch() {
    let http = import("env", "flux_req_http", "(param i32 i32 i32 i32 i32 i32) (result i32)");
    assert_eq!(said(&http, &NOTHING), [("NotGranted", "imports env.flux_req_http, but allowHttp is false".into())]);
    assert_eq!(
        said(&http, &HTTP),
        [("NotAvailable", "imports env.flux_req_http: HTTP is not available in this release".into())]
    );
    let get = import("env", "flux_kv_get", "(param i32 i32 i32 i32) (result i32)");
    assert_eq!(said(&get, &HTTP), [("NotGranted", "imports env.flux_kv_get, but allowKv is false".into())]);
    assert_eq!(
        said(&get, &KV),
        [("NotAvailable", "imports env.flux_kv_get: KV is not available in this release".into())]
    );
    let result = import("env", "flux_result", "(param i32 i32 i32) (result i32)");
    assert_eq!(
        said(&result, &NOTHING),
        [("NotGranted", "imports env.flux_result, but allowKv and allowHttp are false".into())]
    );
    let random = import("wasi_snapshot_preview1", "random_get", "(param i32 i32) (result i32)");
    assert_eq!(
        said(&random, &ALL),
        [("NotAvailable", "imports wasi_snapshot_preview1.random_get: WASI is not available in this release".into())]
    );
}

#[test]
fn an_unknown_import_is_refused_by_name_on_one_line() {
    let sentence = |bytes: &[u8]| said(bytes, &ALL).remove(0);
    assert_eq!(
        sentence(&import("env", "emit", "(param i32)")),
        (
            "UnknownImport",
            "imports env.emit, which no gear can have; docs/reference/abi.md lists what a gear can import".into()
        )
    );
    // The same name in another module is another import.
    assert_eq!(
        sentence(&import("wasi_unstable", "fd_write", "(param i32 i32 i32 i32) (result i32)")).0,
        "UnknownImport"
    );
    let (_, text) = sentence(&import("env", &format!("a\\n\\1b[31m{}", "x".repeat(200)), ""));
    assert!(text.starts_with("imports env.a\\n\\u{1b}[31mxxx") && text.contains("x…, which"), "{text}");
    assert!(!text.contains(['\n', '\u{1b}']));
}

#[test]
fn a_known_name_of_another_type_is_refused_with_both_types() {
    assert_eq!(
        said(&import("env", "log", "(param i32 i32)"), &ALL),
        [("WrongImportType", "imports env.log as (i32, i32), but it is (i32, i32, i32)".into())]
    );
    assert_eq!(
        said(&import("env", "flux_config_get", "(param i32 i32 i32 i32) (result i64)"), &ALL),
        [(
            "WrongImportType",
            "imports env.flux_config_get as (i32, i32, i32, i32) -> i64, but it is (i32, i32, i32, i32) -> i32".into()
        )]
    );
}

#[test]
fn duplicates_are_legal_and_each_type_of_a_name_is_checked() {
    let twice = gear(
        r#"(import "env" "log" (func (param i32 i32 i32))) (import "env" "log" (func (param i32 i32 i32)))
           (import "env" "log" (func (param i64)))"#,
        "",
    );
    let inspection = inspect(&twice, &StaticLimits::default()).unwrap();
    assert_eq!(inspection.imports.len(), 2);
    assert_eq!(
        said(&twice, &NOTHING),
        [("WrongImportType", "imports env.log as (i64), but it is (i32, i32, i32)".into())]
    );
}

#[test]
fn all_that_is_wrong_is_reported_at_once_in_the_order_of_the_module() {
    let bytes = gear(
        r#"(import "env" "flux_kv_put" (func (param i32 i32 i32 i32) (result i32))) (import "x" "y" (func))
           (import "env" "log" (func (param i32 i32 i32)))
           (import "env" "flux_req_http" (func (param i32 i32 i32 i32 i32 i32) (result i32)))"#,
        "",
    );
    let reasons: Vec<_> = denials(&bytes, &NOTHING).iter().map(Denial::reason).collect();
    assert_eq!(reasons, ["NotGranted", "UnknownImport", "NotGranted"]);
}
