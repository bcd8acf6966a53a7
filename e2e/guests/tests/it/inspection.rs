//! The catalog and `gear-module` agree on which guests are gears, and on why the others are not.

use gear_module::{Grants, StaticLimits, check, inspect};
use guest_fixtures::{Expect, all, wasm};

/// What stands in the way of a guest that is granted nothing, in words.
fn obstacle(name: &str) -> Option<String> {
    let entrypoint = (name == "echo-renamed").then_some("score");
    let examined = inspect(&wasm(name), &StaticLimits::default());
    let inspection = match examined.and_then(|found| found.entrypoint(entrypoint).map(|_| found)) {
        Ok(inspection) => inspection,
        Err(refusal) => return Some(format!("{}: {refusal}", refusal.reason())),
    };
    let denials = check(&inspection, &Grants::default()).err()?;
    Some(denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[test]
fn each_guest_is_judged_as_the_catalog_says() {
    let mut wrong = Vec::new();
    for fixture in all() {
        let found = obstacle(fixture.name);
        let as_expected = match (fixture.expect, &found) {
            (Expect::Refused(text) | Expect::NeedsGrant(text), Some(sentence)) => sentence.contains(text),
            (Expect::Refused(_) | Expect::NeedsGrant(_), None) | (_, Some(_)) => false,
            (_, None) => true,
        };
        if !as_expected {
            wrong.push(format!("{}: {:?}, but {found:?}", fixture.name, fixture.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn limits_hold_at_their_value_and_fire_one_above() {
    for (kind, limit, reason) in [
        ("functions", 50_000, "CompileLimit"),
        ("locals", 2_000, "CompileLimit"),
        ("nesting", 10_000, "CompileLimit"),
        ("loops", 256, "CompileLimit"),
        ("body", 1 << 20, "CompileLimit"),
        ("size", 16 << 20, "ModuleTooLarge"),
    ] {
        assert_eq!(obstacle(&format!("{kind}-{limit}")), None);
        let sentence = obstacle(&format!("{kind}-{}", limit + 1)).unwrap_or_default();
        assert!(sentence.starts_with(reason) && sentence.contains(&(limit + 1).to_string()), "{kind}: {sentence}");
    }
}
