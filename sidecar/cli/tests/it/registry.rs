//! `inspect`, `init`, `push`, `pull`.

use std::process::Command;

use nats_broker::Broker;

use crate::world::{World, program, ran};

#[test]
fn inspect_says_what_a_module_is_and_what_it_needs() {
    let world = World::new();
    world.guest("echo");
    world.guest("imports-http");
    let echo = world.run(&["inspect", "echo.wasm", "-o", "json"]);
    assert_eq!((echo.code, echo.err.as_str()), (0, ""));
    let report = echo.json();
    assert_eq!((&report["abi"], &report["entrypoint"]), (&"flux1".into(), &"flux_process".into()));
    assert_eq!(report["digest"], gear_module::Digest::of(&guest_fixtures::wasm("echo")).to_string());
    assert!(report["memory"]["minimum"].as_u64().unwrap() > 0 && report["problems"].is_null());

    let http = world.run(&["inspect", "imports-http.wasm", "--output", "json"]).json();
    let import = &http["imports"][0];
    assert_eq!((&import["name"], &import["needs"]), (&"flux_req_http".into(), &"allowHttp".into()));
    assert_eq!((&import["available"], http["problems"].as_array().unwrap().len()), (&false.into(), 1));
    let table = world.run(&["inspect", "imports-http.wasm"]).out;
    assert!(table.contains("env.flux_req_http") && table.contains("not available in this release"), "{table}");
    assert!(!table.contains('\u{1b}'), "colours only on a terminal");
    let yaml = world.run(&["inspect", "echo.wasm", "-o", "yaml"]).out;
    assert!(yaml.contains("abi: flux1\n"), "{yaml}");
}

#[test]
fn what_is_pushed_is_pulled_byte_for_byte_from_a_server_and_from_a_folder() {
    let broker = Broker::start().unwrap();
    let url = broker.url();
    let world = World::new();
    world.guest("echo");
    world.guest("drop");
    let unmade = world.run(&["push", "echo.wasm", "urn:wasm:echo:v1", "--nats", &url]);
    assert_eq!(unmade.code, 1, "{}", unmade.err);
    assert!(unmade.err.contains("wasmgear init"), "{}", unmade.err);

    let made = world.run(&["init", "--nats", &url, "-o", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.json()["stores"].as_array().unwrap().iter().all(|store| store["result"] == "created"));
    let again = world.run(&["init", "--nats", &url, "-o", "json"]);
    assert!(again.json()["stores"].as_array().unwrap().iter().all(|store| store["result"] == "kept"), "{}", again.out);

    for place in [["--nats", url.as_str()], ["--folder", "modules"]] {
        let command = |args: &[&str]| world.run(&[args, &place, &["-o", "json"]].concat());
        let pushed = command(&["push", "echo.wasm", "urn:wasm:team/echo:v1"]);
        assert_eq!((pushed.code, &pushed.json()["result"]), (0, &"pushed".into()), "{}", pushed.err);
        let same = command(&["push", "echo.wasm", "urn:wasm:team/echo:v1"]);
        assert_eq!((same.code, &same.json()["result"]), (0, &"already there".into()), "{}", same.err);
        let other = command(&["push", "drop.wasm", "urn:wasm:team/echo:v1"]);
        assert_eq!(other.code, 4, "{}", other.err);
        assert!(other.err.contains("versions are written once"), "{}", other.err);

        let pulled = command(&["pull", "urn:wasm:team/echo:v1", "pulled.wasm"]);
        assert_eq!((pulled.code, &pulled.json()["digest"]), (0, &pushed.json()["digest"]), "{}", pulled.err);
        assert_eq!(world.read("pulled.wasm"), world.read("echo.wasm"));
        let unknown = command(&["pull", "urn:wasm:team/echo:v2", "nothing.wasm"]);
        assert_eq!(unknown.code, 4, "{}", unknown.err);
        assert!(!world.path("nothing.wasm").exists());
        let pinned = format!("urn:wasm:team/echo:v1@{}", gear_module::Digest::of(b"other"));
        assert_eq!(command(&["pull", &pinned, "nothing.wasm"]).code, 4);
    }
}

#[test]
fn what_is_no_gear_is_not_pushed() {
    let world = World::new();
    world.write("x.wasm", "not wasm");
    let ran = world.run(&["push", "x.wasm", "urn:wasm:x:v1", "--folder", "modules"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(!world.path("modules").exists());
    for reference in ["oci://r/x:v1", "urn:wasm:x:latest", "x"] {
        let ran = world.run(&["push", "x.wasm", reference, "--folder", "modules"]);
        assert_eq!(ran.code, 64, "{reference}: {}", ran.err);
    }
}

#[test]
fn a_server_that_is_away_is_a_fault_with_its_address() {
    let world = World::new();
    let ran = world.run(&["pull", "urn:wasm:x:v1", "x.wasm", "--nats", "nats://127.0.0.1:1"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("127.0.0.1:1"), "{}", ran.err);
}

#[test]
fn as_a_plugin_of_kubectl_it_goes_by_that_name() {
    let world = World::new();
    let plugin = world.path("kubectl-gear");
    std::os::unix::fs::symlink(program(), &plugin).unwrap();
    let help = ran(Command::new(&plugin).arg("--help"), b"");
    assert!(help.out.contains("Usage: kubectl gear"), "{}", help.out);
    world.guest("echo");
    let inspect = ran(Command::new(&plugin).args(["inspect", "echo.wasm"]).current_dir(world.path(".")), b"");
    assert_eq!(inspect.code, 0, "{}", inspect.err);
}
