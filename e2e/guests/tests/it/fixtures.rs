//! Each fixture does what the catalog says.

use std::collections::BTreeSet;

use guest_fixtures::{Answer, Expect, Failure, PARAMETRIC, all, try_wasm, wasm};
use wasmtime::Module;

use crate::runner::{Guest, Outcome, engine};

/// A record, as far as these guests care.
const MESSAGE: &[u8] = b"\xa2\x62id\x50................\x64data\xa1\x61n\x18\x2a";

fn expected(answer: Answer) -> Outcome {
    match answer {
        Answer::Echo => Outcome::Output(MESSAGE.to_vec()),
        Answer::Copies(copies) => {
            let mut bytes = vec![0x9a];
            bytes.extend(copies.to_be_bytes());
            bytes.extend(MESSAGE.repeat(copies as usize));
            Outcome::Output(bytes)
        }
        Answer::Record(bytes) => Outcome::Output(bytes.to_vec()),
        Answer::Nothing => Outcome::Output(vec![0x80]),
        Answer::Drop => Outcome::Drop,
        Answer::Reject { code, reason } => Outcome::Reject { code, reason: reason.to_owned() },
    }
}

fn first_outcome(name: &str) -> Outcome {
    let entrypoint = (name == "echo-renamed").then_some("score");
    Guest::new(&wasm(name), &[], entrypoint).map_or_else(Outcome::Failed, |mut guest| guest.call(MESSAGE))
}

#[test]
fn every_name_is_there_once() {
    let names: BTreeSet<&str> = all().map(|fixture| fixture.name).collect();
    assert_eq!(names.len(), all().count());
    for fixture in all() {
        try_wasm(fixture.name).unwrap();
    }
}

#[test]
fn guests_that_load_do_what_the_catalog_says() {
    for fixture in all() {
        match fixture.expect {
            Expect::Answers(Answer::Nothing) => {
                let outcome = first_outcome(fixture.name);
                assert!(
                    matches!(&outcome, Outcome::Output(bytes) if bytes == b"\x80" || bytes == b"\x9f\xff"),
                    "{}: {outcome:?}",
                    fixture.name
                );
            }
            Expect::Answers(answer) => assert_eq!(first_outcome(fixture.name), expected(answer), "{}", fixture.name),
            // What an output holds is judged by a host that reads CBOR.
            Expect::Fails(Failure::Output) => {
                assert!(matches!(first_outcome(fixture.name), Outcome::Output(_)), "{}", fixture.name);
            }
            Expect::Fails(failure) => {
                assert_eq!(first_outcome(fixture.name), Outcome::Failed(failure), "{}", fixture.name);
            }
            Expect::Refused(_) | Expect::NeedsGrant(_) | Expect::CompileLimit => {}
        }
    }
}

#[test]
fn proposals_are_unknown_to_an_engine_of_core_2_0_and_nothing_else_is() {
    let engine = engine();
    // Refused by rules of our own, not by the instruction set.
    let ours = |name: &str| {
        name.starts_with("bytes-header")
            || [
                "no-",
                "alloc-",
                "free-",
                "entrypoint-",
                "memory-",
                "imports-",
                "table",
                "two-tables",
                "command",
                "initialize-",
                "bomb-",
            ]
            .iter()
            .any(|start| name.starts_with(start))
    };
    for fixture in all() {
        let compiled = Module::validate(engine, &wasm(fixture.name));
        match fixture.expect {
            // Passed by an engine whose garbage collector is compiled out, refused by ours.
            Expect::Refused("externref") => {}
            Expect::Refused(_) if !ours(fixture.name) => assert!(compiled.is_err(), "{} validates", fixture.name),
            _ => compiled.unwrap_or_else(|error| panic!("{}: {error:#}", fixture.name)),
        }
    }
}

#[test]
fn a_kept_instance_answers_the_ten_thousandth_message_like_the_first_in_the_same_memory() {
    for name in
        ["echo", "echo-copy", "echo-rack", "reject", "emit-empty", "emit-review", "obedient", "drop", "fan-out-3"]
    {
        let mut guest = Guest::new(&wasm(name), &[], None).unwrap();
        let (first, memory) = (guest.call(MESSAGE), guest.memory());
        for _ in 0..10_000 {
            assert_eq!(guest.call(MESSAGE), first, "{name}");
        }
        assert_eq!(guest.memory(), memory, "{name} grows");
    }
}

#[test]
fn the_counter_and_the_footprint_show_whether_an_instance_was_kept() {
    let mut counter = Guest::new(&wasm("counter"), &[], None).unwrap();
    assert_eq!(counter.call(MESSAGE), Outcome::Reject { code: 3, reason: String::new() });
    assert_eq!(counter.call(MESSAGE), Outcome::Reject { code: 4, reason: String::new() });
    let mut footprint = Guest::new(&wasm("footprint"), &[], None).unwrap();
    assert_eq!(footprint.call(MESSAGE), Outcome::Output(MESSAGE.to_vec()));
    assert_eq!(footprint.call(MESSAGE), Outcome::Reject { code: 7, reason: String::new() });
}

#[test]
fn the_obedient_guest_does_what_the_message_says() {
    let mut guest = Guest::new(&wasm("obedient"), &[], None).unwrap();
    let mut tell = |order: &str| guest.call(&[b"....", order.as_bytes()].concat());
    assert_eq!(tell("do:drop"), Outcome::Drop);
    assert_eq!(tell("do:reject"), Outcome::Reject { code: 3, reason: String::new() });
    assert_eq!(tell("do:output"), Outcome::Output(vec![0xff; 4]));
    assert_eq!(tell("do:nothing"), Outcome::Output(vec![0x80]));
    assert_eq!(tell("do:fan"), Outcome::Output(b"\x82....do:fan....do:fan".to_vec()));
    assert_eq!(tell("do:abi"), Outcome::Failed(Failure::Abi));
    assert_eq!(tell("do"), Outcome::Output(b"....do".to_vec()));
    assert_eq!(tell("do:trap"), Outcome::Failed(Failure::Trap));
    let order = |order: &[u8]| Guest::new(&wasm("obedient"), &[], None).unwrap().call(order);
    assert_eq!(order(b"do:spin"), Outcome::Failed(Failure::GuestTime));
    assert_eq!(order(b"do:grow"), Outcome::Failed(Failure::Memory));
}

#[test]
fn host_calls_arrive_with_what_the_guest_said() {
    let logs = |name: &str| {
        let mut guest = Guest::new(&wasm(name), &[], None).unwrap();
        guest.call(MESSAGE);
        guest.logs().to_vec()
    };
    let levels: Vec<i32> = logs("log-levels").iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [0, 1, 2, 3, 4, 5]);
    assert_eq!(logs("log-pan"), [(2, "card 4111111111111111 declined".to_owned())]);
    assert_eq!(logs("log-info"), [(2, "declined".to_owned())]);
    assert_eq!(logs("log-outside"), []);
    assert_eq!(logs("initialize-log"), [(2, "warming up".to_owned())]);
    assert_eq!(logs("log-bytes-100"), [(2, "x".repeat(100))]);
    assert_eq!(logs("log-lines-3").len(), 3);
    let mut guest = Guest::new(&wasm("config-reason"), &[("reason", "closed on Sundays")], None).unwrap();
    assert_eq!(guest.call(MESSAGE), Outcome::Reject { code: 1, reason: "closed on Sundays".to_owned() });
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let sentence = try_wasm("eco").unwrap_err().to_string();
    assert!(sentence.starts_with("no fixture guest is called eco; there are: echo, "), "{sentence}");
    assert!(PARAMETRIC.iter().all(|kind| sentence.contains(kind.pattern)), "{sentence}");
}
