use super::*;

const CARGO: &str = r"
   Compiling gear-abi v0.1.0 (/checkout/sidecar/abi)
     Running unittests src/lib.rs (target/x/debug/deps/gear_abi-0123456789abcdef)

running 3 tests
test peek::tests::one ... ok
test peek::tests::two ... ok
test peek::tests::three ... ignored

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s

   Doc-tests gear_abi

running 1 test
test src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

fn count(runner: Runner, text: &str) -> (Counts, Vec<String>) {
    let mut counter = Counter::new(runner);
    let shown = text.lines().flat_map(|line| counter.line(line)).collect();
    (counter.counts, shown)
}

#[test]
fn cargo_test_is_counted_over_all_its_programs() {
    let (counts, shown) = count(Runner::Cargo, CARGO);
    assert_eq!(counts, Counts { run: 3, failed: 0, ignored: 1, filtered: 4, begun: 2, ended: 2 });
    assert!(shown.iter().any(|line| line.contains("gear_abi") && line.contains("2 run")), "{shown:?}");
    assert!(!shown.iter().any(|line| line.contains("peek::tests::one")), "{shown:?}");
}

#[test]
fn a_test_that_was_left_out_is_a_fault_even_when_all_others_pass() {
    let passed = Counts { run: 10, begun: 1, ended: 1, ..Counts::default() };
    assert_eq!(passed.fault(), None);
    for (counts, says) in [
        (Counts { ignored: 1, run: 10, ..Counts::default() }, "1 tests were ignored"),
        (Counts { filtered: 2, run: 10, ..Counts::default() }, "2 filtered out"),
        (Counts { failed: 3, run: 10, ..Counts::default() }, "3 tests failed"),
        (Counts { begun: 2, ended: 1, run: 10, ..Counts::default() }, "1 of 2 test programs ended without a result"),
        (Counts::default(), "no test was run"),
    ] {
        assert!(counts.fault().is_some_and(|fault| fault.contains(says)), "{counts:?}");
    }
}

#[test]
fn a_program_that_aborts_leaves_no_result_and_is_missed() {
    let aborted = CARGO
        .replace("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s", "");
    let (counts, _) = count(Runner::Cargo, &aborted);
    assert_eq!((counts.begun, counts.ended), (2, 1));
}

#[test]
fn failures_of_cargo_test_are_shown_whole() {
    let text = "     Running tests/it/main.rs (target/deps/it-00)\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nassertion failed\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    let (counts, shown) = count(Runner::Cargo, text);
    assert_eq!((counts.run, counts.failed), (1, 1));
    assert!(shown.iter().any(|line| line == "assertion failed"));
}

#[test]
fn go_test_is_counted_by_test_and_shows_the_output_of_failed_ones_only() {
    let text = r#"{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"A","Elapsed":0.1}
{"Action":"output","Package":"p","Test":"B","Output":"loud\n"}
{"Action":"fail","Package":"p","Test":"B","Elapsed":0.1}
{"Action":"skip","Package":"p","Test":"C","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0.3}
{"Action":"start","Package":"q"}
{"Action":"skip","Package":"q","Elapsed":0}"#;
    let (counts, shown) = count(Runner::Go, text);
    assert_eq!((counts.run, counts.failed, counts.ignored), (2, 1, 1));
    assert!(shown.contains(&"loud".to_owned()) && !shown.contains(&"quiet".to_owned()), "{shown:?}");
}

#[test]
fn a_go_package_that_does_not_build_fails_and_says_why() {
    let text = r#"{"ImportPath":"p","Action":"build-output","Output":"main.go:1: undefined: x\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p"}"#;
    let (counts, shown) = count(Runner::Go, text);
    assert_eq!(counts.failed, 1);
    assert!(shown.iter().any(|line| line.contains("undefined: x")), "{shown:?}");
}

#[test]
fn checks_of_scripts_are_counted_from_their_last_line() {
    let (counts, _) = count(Runner::Checks, "check:   ok  one\ncheck: 44 checks passed, 0 ignored, in 1m44s");
    assert_eq!((counts.run, counts.ignored), (44, 0));
    assert!(count(Runner::Checks, "check: cut off").0.fault().is_some());
}

#[test]
fn numbers_are_read_before_their_word_only() {
    assert_eq!(number_before("12 passed; 3 failed", " failed"), 3);
    assert_eq!(number_before("12 passed", " failed"), 0);
}
