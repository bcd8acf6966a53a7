//! `wasmgear run` over files.

use gear_abi::{Limits, Message, records};

use crate::world::{World, payment, sequence};

fn serials(bytes: &[u8]) -> Vec<u64> {
    let decoded = records(bytes, &Limits::default()).map(|record| Message::decode(record.unwrap().bytes()).unwrap());
    decoded.map(|message| message.get("n").unwrap().as_u64().unwrap()).collect()
}

#[test]
fn records_come_out_in_order_and_the_ledger_is_printed() {
    let world = World::new();
    world.guest("echo");
    world.write("in.cbor", sequence((0..200).map(payment)));
    let args = ["run", "--module", "echo.wasm", "--input", "in.cbor", "--out", "out.cbor", "--output", "json"];
    let ran = world.run(&args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let report = ran.json();
    assert_eq!(report["ledger"]["received"], 200);
    assert_eq!((&report["ledger"]["ok"], &report["ports"]["out"]), (&200.into(), &200.into()));
    assert_eq!((&report["complete"], &report["balanced"]), (&true.into(), &true.into()));
    assert_eq!(report["digest"], gear_module::Digest::of(&guest_fixtures::wasm("echo")).to_string());
    assert_eq!(serials(&world.read("out.cbor")), (0..200).collect::<Vec<_>>());
    let table = world.run(&args[..7]);
    assert!(
        table.out.contains("received  200\n  ok      200\n") && table.out.contains("the ledger balances"),
        "{}",
        table.out
    );
}

#[test]
fn each_message_that_is_not_ok_has_a_line_and_the_exit_code_says_so() {
    for (guest, reason) in [("reject", "Rejected"), ("trap", "Trap"), ("cbor-text", "Output"), ("spin", "GuestTime")] {
        let world = World::new();
        let module = world.guest(guest);
        world.write("in.cbor", sequence([payment(1), payment(2)]));
        let module = module.display().to_string();
        let ran = world.run(&[
            "run",
            "--module",
            &module,
            "--input",
            "in.cbor",
            "--out",
            "out.cbor",
            "--output",
            "json",
            "--dead-letters",
            "letters.cbor",
            "--limit",
            "guestTime=20ms",
        ]);
        assert_eq!(ran.code, 2, "{guest}: {}", ran.err);
        for message in ["message 1: ", "message 2: "] {
            assert!(ran.err.contains(&format!("{message}{reason}")), "{guest}: {}", ran.err);
        }
        assert_eq!(ran.json()["deadLetters"][reason], 2, "{guest}");
        assert_eq!(world.read("letters.cbor"), world.read("in.cbor"), "{guest}: the original bytes");
        assert!(world.read("out.cbor").is_empty());
    }
}

#[test]
fn what_is_no_record_is_malformed_and_the_others_go_on() {
    let world = World::new();
    world.guest("echo");
    // A text, which is CBOR and no fluxMsg; and at the end bytes that are nothing.
    let input = [payment(1).encode(), b"\x65hello".to_vec(), payment(2).encode(), b"\x1c\x00".to_vec()].concat();
    let args = ["run", "--module", "echo.wasm", "--input", "-", "--out", "out.cbor", "--output", "json"];
    let ran = world.run_with(&args, &input);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(serials(&world.read("out.cbor")), [1, 2]);
    assert!(ran.err.contains("message 2: Malformed") && ran.err.contains("message 4: Malformed"), "{}", ran.err);
    assert_eq!(ran.json()["deadLetters"]["Malformed"], 2);
}

#[test]
fn json_lines_go_in_and_out_and_leave_standard_output_to_the_records() {
    let world = World::new();
    world.guest("echo");
    let input = b"{\"data\":{\"n\":1,\"card\":{\"pan\":\"4111\"}}}\n{\"data\":{\"n\":2}}\n";
    let ran =
        world.run_with(&["run", "--module", "echo.wasm", "--input", "-", "--out", "-", "--format", "jsonl"], input);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["data"]["card"]["pan"], &lines[1]["data"]["n"]), (2, &"4111".into(), &2.into()));
    assert_eq!(lines[0]["path"].as_array().unwrap().len(), 2);
    assert!(ran.err.contains("received  2"), "{}", ran.err);
}

#[test]
fn a_line_that_is_no_record_ends_the_run_with_its_number() {
    let world = World::new();
    world.guest("echo");
    let args = ["run", "--module", "echo.wasm", "--input", "-", "--out", "-", "--format", "jsonl"];
    let ran = world.run_with(&args, b"{}\n{\"dta\":{}}\n");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("line 2") && ran.err.contains("dta"), "{}", ran.err);
}

#[test]
fn other_ports_have_files_of_their_own() {
    let world = World::new();
    world.guest("emit-review");
    world.write("in.cbor", sequence([payment(1)]));
    let args = ["run", "--module", "emit-review.wasm", "--input", "in.cbor", "--out", "out.cbor", "--output", "json"];
    let refused = world.run(&args);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("review"), "{}", refused.err);
    let ran = world.run(&[&args[..], &["--port", "review=review.cbor"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["ports"]["review"], 1);
    assert!(world.read("out.cbor").is_empty() && !world.read("review.cbor").is_empty());
}

#[test]
fn a_module_that_can_not_be_a_gear_or_asks_for_too_much_ends_with_3() {
    let world = World::new();
    world.write("in.cbor", sequence([payment(1)]));
    world.write("text.wasm", "(module)");
    world.guest("imports-http");
    world.guest("bomb-loops");
    for (module, told) in [
        ("text.wasm", "WebAssembly text"),
        ("imports-http.wasm", "imports env.flux_req_http, but allowHttp is false"),
        ("bomb-loops.wasm", "compiling more would cost too much"),
    ] {
        let ran = world.run(&["run", "--module", module, "--input", "in.cbor", "--out", "out.cbor"]);
        assert_eq!(ran.code, 3, "{module}: {}", ran.err);
        assert!(ran.err.contains(told), "{module}: {}", ran.err);
    }
    let args = ["run", "--module", "imports-http.wasm", "--input", "in.cbor", "--out", "out.cbor", "--allow-http"];
    let ran = world.run(&args);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("not available in this release"), "{}", ran.err);
}

#[test]
fn a_gear_whose_start_fails_is_refused_with_code_3() {
    let world = World::new();
    world.write("in.cbor", sequence([payment(1)]));
    for guest in ["start-trap", "initialize-trap", "initialize-spin"] {
        world.guest(guest);
        let module = format!("{guest}.wasm");
        let ran = world.run(&["run", "--module", &module, "--input", "in.cbor", "--out", "out.cbor"]);
        assert_eq!(ran.code, 3, "{guest}: {}", ran.err);
        assert!(ran.err.starts_with("wasmgear: Start: the first instance"), "{guest}: {}", ran.err);
        assert!(!world.path("out.cbor").exists(), "{guest}");
    }
}

#[test]
fn wrong_arguments_end_with_64_and_missing_files_with_1() {
    let world = World::new();
    world.guest("echo");
    world.write("in.cbor", []);
    let base = ["run", "--module", "echo.wasm", "--input", "in.cbor", "--out", "out.cbor"];
    for (extra, told) in [
        (["--limit", "gestTime=1s"], "guestTime"),
        (["--limit", "guestTime"], "NAME=VALUE"),
        (["--config", "keep"], "NAME=VALUE"),
        (["--attempts", "0"], "attempts"),
        (["--verify", "Required"], "--verify"),
    ] {
        let ran = world.run(&[&base[..], &extra].concat());
        assert_eq!(ran.code, 64, "{extra:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{extra:?}: {}", ran.err);
    }
    let missing = world.run(&["run", "--module", "echo.wasm", "--input", "nowhere.cbor", "--out", "out.cbor"]);
    assert_eq!(missing.code, 1, "{}", missing.err);
    assert!(missing.err.contains("nowhere.cbor"), "{}", missing.err);
}

#[test]
fn a_module_file_that_can_not_be_had_is_named_with_the_reason_and_the_next_step() {
    let world = World::new();
    world.write("in.cbor", []);
    world.write("huge.wasm", vec![0; (16 << 20) + 1]);
    for (file, code, told) in [
        ("nowhere.wasm", 1, "nowhere.wasm does not exist; name the file that the build wrote"),
        (".", 1, ". is no file; name the module's file"),
        ("huge.wasm", 3, "huge.wasm has 16777217 bytes, at most 16777216 are taken; make the module smaller"),
    ] {
        for command in [
            &["run", "--module", file, "--input", "in.cbor", "--out", "out.cbor"][..],
            &["inspect", file],
            &["push", file, "urn:wasm:x:v1", "--folder", "modules"],
        ] {
            let ran = world.run(command);
            assert_eq!(ran.code, code, "{command:?}: {}", ran.err);
            assert!(ran.err.starts_with(&format!("wasmgear: {told}")), "{command:?}: {}", ran.err);
        }
    }
}
