//! Guests whose name carries a number have exactly that much of what they are named for.

use guest_fixtures::{Failure, wasm};

use crate::runner::{Guest, MEMORY, Outcome};

const MESSAGE: &[u8] = b"\xa0";

fn call(name: &str) -> Outcome {
    Guest::new(&wasm(name), &[], None).map_or_else(Outcome::Failed, |mut guest| guest.call(MESSAGE))
}

#[test]
fn sizes_are_exact() {
    for bytes in [300, 16 << 20, (16 << 20) + 1] {
        assert_eq!(wasm(&format!("size-{bytes}")).len(), bytes);
    }
}

#[test]
fn outputs_are_exact() {
    for bytes in [14, 15, 1 << 20, (1 << 20) + 1] {
        let Outcome::Output(output) = call(&format!("output-bytes-{bytes}")) else { panic!("no output of {bytes}") };
        assert_eq!(output.len(), bytes);
    }
    assert_eq!(call("fan-out-300"), Outcome::Output([b"\x9a\0\0\x01\x2c", &[0xa0; 300][..]].concat()));
    assert_eq!(call("fan-out-0"), Outcome::Output(b"\x9a\0\0\0\0".to_vec()));
}

#[test]
fn memory_ends_at_the_limit() {
    let pages = MEMORY >> 16;
    assert_eq!(call(&format!("grow-to-{pages}")), Outcome::Output(MESSAGE.to_vec()));
    assert_eq!(call(&format!("grow-to-{}", pages + 1)), Outcome::Failed(Failure::Trap));
    assert_eq!(call(&format!("memory-minimum-{pages}")), Outcome::Output(MESSAGE.to_vec()));
    assert_eq!(call(&format!("memory-minimum-{}", pages + 1)), Outcome::Failed(Failure::Start));
}

#[test]
fn guests_that_turn_bad_do_so_after_the_given_number_of_messages() {
    for (name, failure) in [("spin-after-3", Failure::GuestTime), ("trap-after-3", Failure::Trap)] {
        let mut guest = Guest::new(&wasm(name), &[], None).unwrap();
        for _ in 0..3 {
            assert_eq!(guest.call(MESSAGE), Outcome::Output(MESSAGE.to_vec()), "{name}");
        }
        assert_eq!(guest.call(MESSAGE), Outcome::Failed(failure), "{name}");
    }
}

#[test]
fn large_and_deep_modules_still_echo() {
    // Fifty thousand functions take a compiler without optimisations longer than all other tests together.
    for name in ["functions-5000", "locals-2000", "nesting-10000", "loops-256", "body-1048576", "work-1"] {
        assert_eq!(call(name), Outcome::Output(MESSAGE.to_vec()), "{name}");
    }
}
