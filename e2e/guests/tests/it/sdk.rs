//! gear-guest in the sandbox: the guest `sdk-probe` uses all of it, the C echo goes without.

use gear_abi::Message;
use guest_fixtures::{Failure, wasm};

use crate::{
    payments::with,
    runner::{Guest, Outcome},
};

fn probe(pairs: &[(&str, &str)]) -> Guest {
    Guest::new(&wasm("sdk-probe"), pairs, None).unwrap()
}

fn tell(order: &str) -> Vec<u8> {
    with("do", order)
}

#[test]
fn each_verdict_arrives() {
    let mut guest = probe(&[("greeting", "moin")]);
    let mut greeted = Message::decode(&tell("emit")).unwrap();
    greeted.data.insert("greeting", "moin");
    assert_eq!(guest.call(&tell("emit")), Outcome::Output(greeted.encode()));
    assert_eq!(guest.call(&tell("pass")), Outcome::Output(tell("pass")));
    assert_eq!(guest.call(&tell("all")), Outcome::Output([&[0x82][..], &tell("all"), &tell("all")].concat()));
    assert_eq!(guest.call(&tell("none")), Outcome::Output(vec![0x80]));
    assert_eq!(guest.call(&tell("drop")), Outcome::Drop);
    assert_eq!(guest.call(&tell("reject")), Outcome::Reject { code: 1, reason: "as you said".to_owned() });
    assert_eq!(guest.call(&tell("reject-with")), Outcome::Reject { code: 200, reason: "as you said, moin".to_owned() });
    let Outcome::Reject { code: 1, reason } = guest.call(b"\x01") else { panic!("a number is no record") };
    assert!(reason.starts_with("the record can't be decoded"), "{reason}");
}

#[test]
fn log_lines_arrive_at_their_level() {
    let mut guest = probe(&[]);
    guest.call(&tell("log"));
    let lines: Vec<_> = guest.logs().iter().map(|(level, text)| (*level, text.as_str())).collect();
    assert_eq!(lines, [(1, "one"), (2, "two"), (3, "three"), (4, "four")]);
}

#[test]
fn a_panic_is_a_line_at_level_error_and_then_a_trap() {
    let mut guest = probe(&[]);
    assert_eq!(guest.call(&tell("panic")), Outcome::Failed(Failure::Trap));
    let [(4, line)] = guest.logs() else { panic!("{:?}", guest.logs()) };
    assert!(line.contains("lib.rs:") && line.contains("no account 1 in {}"), "{line}");
    let mut guest = probe(&[]);
    assert_eq!(guest.call(&tell("fail")), Outcome::Failed(Failure::Trap));
    assert_eq!(guest.logs(), [(4, "nothing works".to_owned())]);
}

#[test]
fn a_start_that_fails_says_why() {
    let sentence = "config.refuse is set: this instance does not start".to_owned();
    assert_eq!(Guest::refused(&wasm("sdk-probe"), &[("refuse", "1")]), (Failure::Start, vec![(4, sentence)]));
}

#[test]
fn memory_is_used_again() {
    let mut guest = probe(&[]);
    let first = guest.call(&tell("memory"));
    let memory = guest.memory();
    for _ in 0..300 {
        assert_eq!(guest.call(&tell("memory")), first);
    }
    assert_eq!(guest.memory(), memory);
}

#[test]
fn the_echo_in_c_takes_any_length_in_the_same_memory() {
    let mut guest = Guest::new(&wasm("echo-c"), &[], None).unwrap();
    for len in [1, 15, 16, 17, 512, 65_536, 1 << 20, 3 << 20] {
        let message = vec![0xa0; len];
        assert_eq!(guest.call(&message), Outcome::Output(message), "{len}");
    }
    let memory = guest.memory();
    for _ in 0..20_000 {
        assert_eq!(guest.call(&[0xa0; 512]), Outcome::Output(vec![0xa0; 512]));
    }
    assert_eq!(guest.memory(), memory);
    assert!(memory < 5 << 20, "{memory}");
}
