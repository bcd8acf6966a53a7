//! Every static limit passes at its value and fires one above.

use gear_module::{StaticLimits, inspect};

use crate::{gear, look, refused};

/// The defaults are the contract; whoever changes one changes this line and the documents.
#[test]
fn the_defaults_are_those_of_the_contract() {
    let d = StaticLimits::default();
    assert_eq!((d.size, d.functions, d.body, d.locals, d.loops), (16 << 20, 50_000, 1 << 20, 2_000, 256));
    assert_eq!(d.table_elements, 20_000);
}

/// Looks at a module twice: with exactly as much as it needs, and with one less.
fn at_and_above(bytes: &[u8], set: impl Fn(&mut StaticLimits, u32), needs: u32, sentence: &str) {
    holds(bytes, set, needs, ("ModuleTooLarge", sentence));
}

/// The same for what the compiler would pay for.
fn too_dear_above(bytes: &[u8], set: impl Fn(&mut StaticLimits, u32), needs: u32, sentence: &str) {
    holds(bytes, set, needs, ("CompileLimit", &format!("{sentence}; compiling more would cost too much")));
}

fn holds(bytes: &[u8], set: impl Fn(&mut StaticLimits, u32), needs: u32, (reason, sentence): (&'static str, &str)) {
    let mut limits = StaticLimits::default();
    set(&mut limits, needs);
    inspect(bytes, &limits).unwrap_or_else(|refusal| panic!("{sentence}: at the limit: {refusal}"));
    set(&mut limits, needs - 1);
    let refusal = inspect(bytes, &limits).expect_err(sentence);
    assert_eq!((refusal.reason(), refusal.to_string().as_str()), (reason, sentence));
}

#[test]
fn every_limit_passes_at_its_value_and_fires_one_above() {
    let size = u32::try_from(gear("", "").len()).unwrap();
    at_and_above(
        &gear("", ""),
        |l, n| l.size = n,
        size,
        &format!("the module has {size} bytes, at most {} are accepted", size - 1),
    );
    // The gear itself has 3 types, 3 functions, 4 exports.
    let types = gear("", "(type (func (param i64))) (type (func (param f64)))");
    at_and_above(&types, |l, n| l.types = n, 5, "the module has 5 types, at most 4 are accepted");
    let wide = gear("(type (func (param i32 i32 i32)))", "");
    at_and_above(&wide, |l, n| l.arity = n, 3, "type 0 has 3 parameters, at most 2 are accepted");
    let wide = gear("(type (func (result i32 i32 i32)))", "");
    at_and_above(&wide, |l, n| l.arity = n, 3, "type 0 has 3 results, at most 2 are accepted");
    // Three parameters, two results: 2 × 5 for the block and as much for the call; labels are 3 wide by then.
    let busy = "(func $f (param i32 i32 i32) (result i32 i32) local.get 0 local.get 1 local.get 2
        (block (param i32 i32 i32) (result i32 i32) br_table 0 0 0 0) call $g) (func $g (param i32 i32) (result i32 i32) unreachable)";
    let moved = 2 * 5 + 3 * 5 + 5;
    at_and_above(
        &gear("", busy),
        |l, n| l.work = n,
        moved,
        &format!("the module has {moved} values moved by branches and calls, at most {} are accepted", moved - 1),
    );
    let log = r#"(import "env" "log" (func (param i32 i32 i32)))"#;
    at_and_above(
        &gear(&format!("{log}{log}"), ""),
        |l, n| l.imports = n,
        2,
        "the module has 2 imports, at most 1 are accepted",
    );
    at_and_above(&gear("", ""), |l, n| l.exports = n, 4, "the module has 4 exports, at most 3 are accepted");
    too_dear_above(&gear("", ""), |l, n| l.functions = n, 3, "the module has 3 functions, at most 2 are accepted");
    let globals = gear("", "(global i32 (i32.const 0)) (global i32 (i32.const 0))");
    at_and_above(&globals, |l, n| l.globals = n, 2, "the module has 2 globals, at most 1 are accepted");
    let body = gear("", "(func nop nop nop nop nop nop)");
    too_dear_above(&body, |l, n| l.body = n, 8, "function 3 has 8 bytes, at most 7 are accepted");
    let locals = gear("", "(func (param i32) (local i64 i64 f32))");
    too_dear_above(&locals, |l, n| l.locals = n, 4, "function 3 has 4 locals and parameters, at most 3 are accepted");
    // Three loops, two of them inside each other, beside a block in a block.
    let loops = gear("", "(func (loop (block)) (block (loop (if (i32.const 0) (then (loop))))))");
    too_dear_above(&loops, |l, n| l.loops = n, 2, "function 3 has 2 loops inside each other, at most 1 are accepted");
    let nested = gear("", "(func (block (loop (block))))");
    too_dear_above(
        &nested,
        |l, n| l.nesting = n,
        4,
        "function 3 has 4 blocks inside each other, at most 3 are accepted",
    );
    at_and_above(
        &gear("", "(table 7 funcref)"),
        |l, n| l.table_elements = n,
        7,
        "the table has 7 elements, at most 6 are accepted",
    );
    let segments = gear("", "(table 7 funcref) (elem (i32.const 0) func 0 1) (elem func 2)");
    at_and_above(
        &segments,
        |l, n| l.element_segments = n,
        2,
        "the module has 2 element segments, at most 1 are accepted",
    );
    at_and_above(
        &segments,
        |l, n| l.element_items = n,
        3,
        "the module has 3 elements in its segments, at most 2 are accepted",
    );
    let data = gear("", r#"(data (i32.const 0) "a") (data "b")"#);
    at_and_above(&data, |l, n| l.data_segments = n, 2, "the module has 2 data segments, at most 1 are accepted");
}

#[test]
fn both_compile_bombs_are_refused_before_anything_compiles_them() {
    let locals = format!("(func (local {}))", "i64 ".repeat(20_000));
    let loops = format!("(func {} {})", "loop ".repeat(8_000), "end ".repeat(8_000));
    for (bomb, told) in [
        (locals, "function 3 has 20000 locals and parameters, at most 2000 are accepted"),
        (loops, "function 3 has 257 loops inside each other, at most 256 are accepted"),
    ] {
        let (reason, sentence) = refused(&gear("", &bomb));
        assert_eq!((reason, sentence), ("CompileLimit", format!("{told}; compiling more would cost too much")));
    }
}

#[test]
fn a_switch_of_many_cases_is_no_bomb() {
    let cases = 2_000;
    let switch = format!(
        "(func (param i32) {} (br_table {} (local.get 0)) {})",
        "block ".repeat(cases),
        (0..cases).map(|n| n.to_string()).collect::<Vec<_>>().join(" "),
        "end ".repeat(cases)
    );
    assert!(look(&gear("", &switch)).is_ok());
}

/// A module that is as large as it may be and asks the validator for as much as it can.
fn greedy(arity: usize) -> Vec<u8> {
    let leb = |mut n: usize, out: &mut Vec<u8>| loop {
        let byte = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        out.push(if n == 0 { byte } else { byte | 0x80 });
        if n == 0 {
            break;
        }
    };
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    let mut section = |id, body: &[u8]| {
        wasm.push(id);
        leb(body.len(), &mut wasm);
        wasm.extend(body);
    };
    let mut types = vec![1, 0x60, 0];
    leb(arity, &mut types);
    types.extend(vec![0x7f; arity]);
    section(1, &types);
    section(3, &[[15].as_slice(), &[0; 15]].concat());
    let entries = 1_000_000;
    let mut body = vec![0];
    body.extend([0x41, 0].repeat(arity + 1));
    body.push(0x0e);
    leb(entries, &mut body);
    body.extend(vec![0; entries + 1]);
    body.push(0x0b);
    let mut code = vec![15];
    for _ in 0..15 {
        leb(body.len(), &mut code);
        code.extend(&body);
    }
    section(10, &code);
    wasm
}

#[test]
fn a_module_can_not_keep_the_validator_busy() {
    let (reason, sentence) = refused(&greedy(128));
    assert_eq!(reason, "ModuleTooLarge");
    assert!(sentence.contains("values moved by branches and calls, at most 100000000 are accepted"), "{sentence}");
    // As large, and harmless: read to its end, where it turns out to be no gear.
    assert_eq!(refused(&greedy(1)).0, "MissingExport");
}

#[test]
fn what_is_uploaded_by_mistake_is_told_by_name() {
    for (bytes, wanted) in [
        (&b"\0as"[..], "fewer than the eight"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (b"\0asm\x02\0\0\0", "version 1"),
        (b"\x7fELF\x02\x01\x01\0", "native program"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (b"(module)", "WebAssembly text"),
        (b"<!DOCTYPE html>", "do not begin with \\0asm"),
    ] {
        let (reason, sentence) = refused(bytes);
        assert_eq!(reason, "NotAWasmModule");
        assert!(sentence.contains(wanted), "{sentence}");
    }
}

#[test]
fn cut_and_garbled_modules_are_refused_and_nothing_panics() {
    let whole = gear(
        r#"(import "env" "log" (func (param i32 i32 i32)))"#,
        r#"(table 7 funcref) (elem (i32.const 0) func 0 1) (data (i32.const 0) "abc") (func (block (loop (block))))"#,
    );
    assert!(look(&whole).is_ok());
    for end in 0..whole.len() {
        let _ = look(&whole[..end]);
        for flip in [0x01, 0x80, 0xff] {
            let mut garbled = whole.clone();
            garbled[end] ^= flip;
            let _ = look(&garbled);
        }
    }
    let (reason, sentence) = refused(&whole[..whole.len() - 1]);
    assert_eq!(reason, "NotAWasmModule", "{sentence}");
}
