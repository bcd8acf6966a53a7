//! The catalog and `gear-module` agree on which guests are gears, and on why the others are not.

use gear_module::{Grants, StaticLimits, check, inspect};
use guest_fixtures::{Expect, all, wasm};

/// What stands in the way of a guest that is granted nothing, in words.
fn obstacle(name: &str) -> Option<String> {
    let inspection = match inspect(&wasm(name), &StaticLimits::default()) {
        Ok(inspection) => inspection,
        Err(refusal) => return Some(refusal.to_string()),
    };
    let entrypoint = (name == "echo-renamed").then_some("score");
    if let Err(refusal) = inspection.entrypoint(entrypoint) {
        return Some(refusal.to_string());
    }
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
    for (kind, limit) in [
        ("functions", 50_000),
        ("locals", 2_000),
        ("nesting", 10_000),
        ("loops", 256),
        ("body", 1 << 20),
        ("size", 16 << 20),
    ] {
        assert_eq!(obstacle(&format!("{kind}-{limit}")), None);
        let sentence = obstacle(&format!("{kind}-{}", limit + 1)).unwrap_or_default();
        assert!(sentence.contains(&(limit + 1).to_string()), "{kind}: {sentence}");
    }
}
