//! Verdicts, and headers that are refused.

use std::{collections::BTreeSet, path::Path, time::Duration};

use super::*;

const PATCH: &str =
    "control: a holds\nbreaks: b\ntest: cargo test -p a --lib\nred: t::a\ngreen: t::b\n\ndiff --git a/x b/x\n";

fn tooth() -> Tooth {
    Tooth::parse(Path::new("e2e/teeth/some-name.patch"), PATCH).unwrap()
}

fn ended(failed: &[&str]) -> Ran {
    Ran::Ended { failed: failed.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>(), log: "log".into() }
}

#[test]
fn only_exactly_the_named_tests_make_a_control_red() {
    let tooth = tooth();
    assert_eq!(judge(&tooth, ended(&["t::a"])), Verdict::Red);
    assert!(matches!(judge(&tooth, ended(&[])), Verdict::Green(_)));
    assert!(matches!(judge(&tooth, ended(&["t::b"])), Verdict::Unsound(_)));
    assert!(matches!(judge(&tooth, ended(&["t::a", "t::b"])), Verdict::Unsound(_)));
}

#[test]
fn what_does_not_compile_or_does_not_end_is_not_red() {
    let tooth = tooth();
    assert!(matches!(judge(&tooth, Ran::NoBuild { log: "log".into() }), Verdict::NoBuild(_)));
    let unfinished = Ran::Unfinished { why: "the tests did not end within 1 s".into(), log: "log".into() };
    assert!(matches!(judge(&tooth, unfinished), Verdict::Unsound(_)));
}

#[test]
fn a_header_is_whole_or_refused_with_what_is_wrong() {
    let refused = [
        ("control: a holds\n", "", "`control: <sentence>` is missing"),
        ("breaks: b\n", "", "`breaks: <sentence>` is missing"),
        ("test: cargo test -p a --lib\n", "", "`test: <command>` is missing"),
        ("red: t::a\n", "", "`red: <test>` is missing"),
        ("green: t::b\n", "", "`green: <test>` is missing"),
        ("green: t::b", "green: t::a", "a test can not be red and green"),
        ("breaks: b", "braeks: b", "'braeks' is no key"),
        ("red: t::a", "red: t::a\nlimit: soon", "limit: 'soon' is no number"),
        ("diff --git a/x b/x", "--- a/x", "a diff as `git diff` writes it"),
    ];
    for (from, to, sentence) in refused {
        let error = Tooth::parse(Path::new("x.patch"), &PATCH.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(sentence), "{from:?} → {to:?}: {error}");
    }
}

#[test]
fn a_name_that_is_no_patch_is_told_with_those_that_are() {
    let error = chosen(vec![tooth()], &["other".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "e2e/teeth/other.patch is not there; there are: some-name");
    assert_eq!(chosen(vec![tooth()], &[]).unwrap().len(), 1);
}

#[test]
fn the_result_names_control_test_verdict_and_time() {
    let (one, other) = (tooth(), tooth());
    let rows = [
        Row::new(&one, Verdict::Red, Duration::from_secs(7)),
        Row::new(&other, Verdict::Green("nobody noticed".into()), Duration::from_secs(9)),
    ];
    let table = report::print(&rows, Output::Table).unwrap();
    for words in [
        "red           7  some-name: a holds",
        "GREEN         9",
        "cargo test -p a --lib → t::a",
        "nobody noticed",
        "1 of 2",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let json: serde_json::Value = serde_json::from_str(&report::print(&rows, Output::Json).unwrap()).unwrap();
    assert_eq!(json[1]["result"], "GREEN");
    assert_eq!(json[0]["red"][0], "t::a");
}
