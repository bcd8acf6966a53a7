//! The three forms of a gear, natively: all of them compile, and the host functions go to the test.

use gear_guest::{
    Message, PerInstance, Reason, Verdict, config, gear, log,
    testing::{self, Outcome},
};

static LIMIT: PerInstance<usize> = PerInstance::new(|| config("limit").and_then(|text| text.parse().ok()).unwrap_or(3));

const TOO_LONG: Reason = Reason::new(9);

fn decoded(message: Message) -> Verdict {
    Verdict::EmitAll(vec![message.clone(), message])
}

fn shared(record: &[u8]) -> Verdict<Vec<u8>> {
    if record.len() > *LIMIT.get() { Verdict::reject_with(TOO_LONG, "too long") } else { Verdict::Pass }
}

fn in_place(record: &mut [u8]) -> Verdict<Vec<u8>> {
    record.fill(0);
    log::debug("cleared");
    Verdict::Pass
}

fn start() {
    LIMIT.get();
}

gear!(decoded);
gear!(shared, start = start);
gear!(in_place);

#[test]
fn a_gear_is_an_ordinary_function_outside_of_the_sandbox() {
    testing::set_config("limit", "2");
    start();
    assert_eq!(shared(b"12"), Verdict::Pass);
    assert_eq!(shared(b"123"), Verdict::RejectWith(TOO_LONG, "too long".into()));
    let mut record = [1, 2];
    assert_eq!(in_place(&mut record), Verdict::Pass);
    assert_eq!(record, [0, 0]);
    assert_eq!(testing::take_logs(), [(log::Level::Debug, "cleared".to_owned())]);
    assert_eq!(decoded(Message::default()), Verdict::EmitAll(vec![Message::default(), Message::default()]));
}

#[test]
fn a_value_longer_than_the_first_guess_is_read_whole() {
    let value = "x".repeat(1_000);
    testing::set_config("long", &value);
    assert_eq!(config("long"), Some(value));
    assert_eq!(config("nothing"), None);
    testing::set_config("empty", "");
    assert_eq!(config("empty"), Some(String::new()));
}

#[test]
fn each_form_is_called_as_the_host_calls_it() {
    let empty = Message::default().encode();
    let twice = [&[0x82][..], &empty, &empty].concat();
    assert_eq!(testing::call(decoded, &empty), Outcome::Output(twice));
    assert_eq!(testing::call(in_place, b"12"), Outcome::Output(vec![0, 0]));
    assert_eq!(testing::call(shared, b"1234"), Outcome::Reject { number: 9, reason: "too long".to_owned() });
    let Outcome::Reject { number: 1, reason } = testing::call(decoded, b"\x80") else {
        panic!("an array is no record")
    };
    assert!(reason.starts_with("the record can't be decoded: "), "{reason}");
}
