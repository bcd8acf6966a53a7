use super::*;

fn engine(slots: u32) -> Engine {
    let threads = Threads::start(std::num::NonZeroUsize::new(1), || ()).unwrap();
    Engine::new(&EngineOptions { slots, threads }).unwrap()
}

#[test]
fn the_engine_accepts_what_the_inspection_accepts_and_no_more() {
    // One module per proposal that wasmtime could have; the list of the inspection is longer and has its own test.
    let compiler = wasmtime::Engine::new(&config()).unwrap();
    for (name, wat, accepted) in [
        ("multi-value", "(func (result i32 i64) i32.const 1 i64.const 2)", true),
        ("bulk memory", "(memory 1) (func (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)))", true),
        ("funcref", "(table 2 funcref) (func (table.set (i32.const 0) (ref.null func)))", true),
        ("sign extension", "(func (drop (i32.extend8_s (i32.const 200))))", true),
        ("saturating floats", "(func (drop (i32.trunc_sat_f32_s (f32.const 1e30))))", true),
        ("mutable globals", r#"(global (export "g") (mut i32) (i32.const 0))"#, true),
        ("SIMD", "(func (drop (i32x4.splat (i32.const 1))))", true),
        ("externref", "(func (param externref))", false),
        ("threads", "(memory 1 2 shared)", false),
        ("memory64", "(memory i64 1)", false),
        ("multi-memory", "(memory 1) (memory 1)", false),
        ("exceptions", "(tag (param i32))", false),
        ("GC", "(type (struct (field i32)))", false),
        ("typed function references", "(type $t (func)) (func (param (ref $t)))", false),
        ("tail calls", "(func $f (return_call $f))", false),
        ("extended constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))", false),
        ("relaxed SIMD", "(func (param v128) (drop (f32x4.relaxed_min (local.get 0) (local.get 0))))", false),
        ("custom page sizes", "(memory 1 (pagesize 1))", false),
        ("stack switching", "(type $f (func)) (type $c (cont $f))", false),
        (
            "wide arithmetic",
            "(func (param i64) local.get 0 local.get 0 local.get 0 local.get 0 i64.add128 drop drop)",
            false,
        ),
    ] {
        let bytes = wat::parse_str(format!("(module {wat})")).unwrap();
        assert_eq!(compiler.precompile_module(&bytes).is_ok(), accepted, "{name}");
    }
}

#[test]
fn the_fingerprint_is_that_of_the_switches_and_not_of_the_pool() {
    assert_eq!(engine(1).fingerprint(), engine(2).fingerprint());
    assert_eq!(engine(1).fingerprint().len(), 16);
}

#[test]
fn the_ticker_ends_with_the_engine() {
    let engine = engine(1);
    let weak = engine.wasmtime().weak();
    drop(engine);
    assert!(weak.upgrade().is_none(), "the ticker was joined, and held no engine");
}
