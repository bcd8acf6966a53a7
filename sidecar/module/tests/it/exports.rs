//! Exports, their types, and the ABI.

use gear_module::{Abi, FreeTakes, Memory, Table};

use crate::{ALLOC, FREE, MEMORY, PROCESS, gear, look, module, refused};

#[test]
fn a_minimal_gear_is_read_whole() {
    let bytes = gear("", "");
    let found = look(&bytes).unwrap();
    assert_eq!(found.size, bytes.len() as u64);
    assert_eq!(found.memory, Memory { minimum: 65_536, maximum: None });
    assert_eq!((found.table, found.functions, found.initialize, found.start), (None, 3, false, false));
    assert_eq!((found.allocator.as_str(), found.free.name.as_str()), ("alloc", "free"));
    assert_eq!(found.free.takes, FreeTakes::PointerAndLength);
    assert_eq!(found.exports.keys().collect::<Vec<_>>(), ["alloc", "free", "process"]);
    let entrypoint = found.entrypoint(None).unwrap();
    assert_eq!((entrypoint.name.as_str(), entrypoint.abi), ("process", Abi::Rack));
}

#[test]
fn an_inspection_survives_json() {
    let bytes = gear(r#"(import "env" "log" (func (param i32 i32 i32)))"#, "(table 1 2 funcref)");
    let found = look(&bytes).unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["imports"][0]["module"], "env");
    assert_eq!(json["imports"][0]["params"][2], "i32");
    assert_eq!(json["free"]["takes"], "pointerAndLength");
    assert_eq!(serde_json::from_value::<gear_module::Inspection>(json).unwrap(), found);
    assert_eq!(found.table, Some(Table { minimum: 1, maximum: Some(2) }));
}

#[test]
fn prefixed_names_win_and_short_forms_are_accepted() {
    let extra = r#"(func (export "flux_alloc") (param i32) (result i32) i32.const 8)
        (func (export "malloc") (param i32) (result i32) i32.const 8)
        (func (export "flux_free") (param i32))
        (func (export "flux_process") (param i32 i32) (result i32) i32.const 0)
        (func (export "_initialize")) (func $main) (start $main)"#;
    let found = look(&gear("", extra)).unwrap();
    assert_eq!((found.allocator.as_str(), found.free.name.as_str()), ("flux_alloc", "flux_free"));
    assert_eq!(found.free.takes, FreeTakes::Pointer);
    assert!(found.initialize && found.start);
    let entrypoint = found.entrypoint(None).unwrap();
    assert_eq!((entrypoint.name.as_str(), entrypoint.abi), ("flux_process", Abi::Flux1));
    assert_eq!(found.entrypoint(Some("process")).unwrap().abi, Abi::Rack);
    let malloc = r#"(func (export "malloc") (param i32) (result i32) i32.const 8)"#;
    assert_eq!(look(&module(&[MEMORY, malloc, FREE, PROCESS])).unwrap().allocator, "malloc");
}

#[test]
fn a_missing_export_is_named() {
    for (parts, wanted) in [
        (&[ALLOC, FREE, PROCESS][..], "the module has 0 memories, exactly one, exported as memory, is expected"),
        (&["(memory 1)", ALLOC, FREE, PROCESS], "the module exports no memory named memory; link with --export-memory"),
        (&[MEMORY, FREE, PROCESS], "the module exports no function flux_alloc or alloc or malloc; "),
        (&[MEMORY, ALLOC, PROCESS], "the module exports no function flux_free or free; "),
    ] {
        let (reason, sentence) = refused(&module(parts));
        assert_eq!(reason, "MissingExport", "{sentence}");
        assert!(sentence.starts_with(wanted), "{sentence}");
    }
}

#[test]
fn an_export_of_another_type_is_refused_with_both() {
    for (parts, wanted) in [
        (
            [MEMORY, r#"(func (export "alloc") (param i64) (result i32) i32.const 8)"#, FREE],
            "export alloc is a function (i64) -> i32, (i32) -> i32 is expected",
        ),
        (
            [MEMORY, ALLOC, r#"(func (export "free") (param i32 i32 i32))"#],
            "export free is a function (i32, i32, i32), (i32, i32) or (i32) is expected",
        ),
        (
            [MEMORY, ALLOC, r#"(func (export "free") (param i32) (result i32) local.get 0)"#],
            "export free is a function (i32) -> i32, (i32, i32) or (i32) is expected",
        ),
        (
            ["(memory 1)", ALLOC, r#"(global (export "memory") i32 (i32.const 0)) (func (export "free") (param i32))"#],
            "export memory is a global, a memory is expected",
        ),
        (
            [MEMORY, r#"(global (export "flux_alloc") i32 (i32.const 0)) (func (export "alloc") (param i32))"#, FREE],
            "export flux_alloc is a global, a function is expected",
        ),
        (
            [MEMORY, ALLOC, r#"(func (export "free") (param i32)) (func (export "_initialize") (param i32))"#],
            "export _initialize is a function (i32), () is expected",
        ),
    ] {
        assert_eq!(refused(&module(&parts)), ("WrongExportType", wanted.to_owned()));
    }
}

#[test]
fn a_wrong_or_missing_entrypoint_is_named() {
    let found =
        look(&module(&[MEMORY, ALLOC, FREE, r#"(func (export "score") (param i32) (result i32) i32.const 0)"#]));
    let found = found.unwrap();
    let sentence = |wanted| found.entrypoint(wanted).unwrap_err().to_string();
    assert!(sentence(None).starts_with("the module exports no function flux_process or process; "));
    assert!(sentence(Some("evaluate")).starts_with("the module exports no function evaluate; "));
    assert_eq!(
        sentence(Some("score")),
        "export score is a function (i32) -> i32, (i32, i32) -> i32 (flux1) or (i32, i32) -> i64 (rack) is expected"
    );
}

#[test]
fn a_program_is_refused_with_the_flag_that_makes_a_library() {
    let start = r#"(func (export "_start"))"#;
    let (reason, sentence) = refused(&gear("", start));
    assert_eq!(reason, "NotAReactor");
    assert!(sentence.contains("-mexec-model=reactor") && sentence.contains("-buildmode=c-shared"), "{sentence}");
    assert!(look(&gear("", &format!(r#"{start} (func (export "_initialize"))"#))).is_ok());
}

#[test]
fn one_memory_and_one_table_of_its_own() {
    for (import, kind) in [
        (r#"(import "env" "m" (memory 1))"#, "memory"),
        (r#"(import "env" "t" (table 1 funcref))"#, "table"),
        (r#"(import "env" "g" (global i32))"#, "global"),
    ] {
        let bytes = if kind == "memory" { module(&[import, ALLOC, FREE, PROCESS]) } else { gear(import, "") };
        let (reason, sentence) = refused(&bytes);
        assert_eq!(reason, "ImportRefused");
        assert!(sentence.starts_with(&format!("the module imports the {kind} env.")), "{sentence}");
    }
    assert!(look(&gear("", "(table 1 funcref)")).is_ok());
    let (_, sentence) = refused(&gear("", "(table 1 funcref) (table 1 funcref)"));
    assert_eq!(sentence, "the module has 2 tables, at most one is expected");
}

#[test]
fn the_declared_minimum_fits_or_is_refused() {
    let found = look(&gear("", "")).unwrap();
    assert!(found.fits(65_536).is_ok());
    let refusal = found.fits(65_535).unwrap_err();
    assert_eq!(refusal.reason(), "MemoryMinimum");
    assert!(refusal.to_string().starts_with("the module's memory starts at 65536 bytes, limits.memory is 65535 bytes"));
}

#[test]
fn producers_are_kept_for_people_and_can_lie_at_no_cost() {
    let bytes = gear("", r#"(@producers (language "Rust" "") (processed-by "rustc" "1.95\n\1b[31m"))"#);
    let found = look(&bytes).unwrap();
    let lines: Vec<_> =
        found.producers.iter().map(|p| (p.field.as_str(), p.name.as_str(), p.version.as_str())).collect();
    assert_eq!(lines, [("language", "Rust", ""), ("processed-by", "rustc", "1.95[31m")]);
    assert!(look(&gear("", r#"(@custom "producers" "\ff\ff\ff")"#)).unwrap().producers.is_empty());
}
