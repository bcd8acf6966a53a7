use super::*;

const RULES: &str = r#"[
  { "namespaceSelector": { "matchLabels": { "team": "payments" } },
    "modules": ["urn:wasm:payments/*"], "streams": ["flux-msg"],
    "input": { "racks": ["edge-*"], "subjects": ["audit.>"] },
    "output": { "racks": ["edge-a"], "gears": ["pay-*"] }, "maxReplicas": 3 },
  { "namespaceSelector": { "matchExpressions": [{ "key": "team", "operator": "In", "values": ["free"] }] } },
  { "namespaceSelector": { "matchLabels": { "team": "none" } }, "modules": [] }
]"#;

fn labels(team: &str) -> BTreeMap<String, String> {
    [("team".to_owned(), team.to_owned())].into()
}

fn good<'a>() -> Ask<'a> {
    Ask {
        module: "urn:wasm:payments/x:v1",
        stream: "flux-msg",
        subjects: &[],
        rack: "edge-a",
        gear: "pay-x",
        replicas: 3,
    }
}

fn check(team: &str, ask: Ask<'_>) -> Result<(), String> {
    Tenants::parse(RULES).unwrap().check("ns", &labels(team), ask)
}

#[test]
fn without_rules_everything_is_allowed() {
    let tenants = Tenants::parse("[]").unwrap();
    assert!(tenants.is_empty());
    assert_eq!(tenants.check("ns", &BTreeMap::new(), Ask { replicas: 1000, ..good() }), Ok(()));
}

#[test]
fn a_namespace_that_no_rule_selects_may_do_nothing() {
    let refusal = check("other", good()).unwrap_err();
    assert!(refusal.contains("no rule of the operator's tenants selects it"), "{refusal}");
}

#[test]
fn the_first_rule_that_fits_decides_each_thing_by_name() {
    assert_eq!(check("payments", good()), Ok(()));
    for (ask, part) in [
        (
            Ask { module: "urn:wasm:other/x:v1", ..good() },
            "module urn:wasm:other/x:v1 is not allowed in namespace ns; allowed are urn:wasm:payments/*",
        ),
        (Ask { stream: "other", ..good() }, "input.stream other is not allowed"),
        (Ask { rack: "edge-b", ..good() }, "output.rack edge-b is not allowed"),
        (Ask { gear: "x", ..good() }, "output.gear x is not allowed"),
        (Ask { replicas: 4, ..good() }, "replicas 4 is not allowed in namespace ns; at most 3 are"),
    ] {
        let refusal = check("payments", ask).unwrap_err();
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn inputs_must_lie_inside_what_is_allowed() {
    for (subject, allowed) in [
        ("flux.msg.edge-a.in.out", true),
        ("flux.msg.edge-b.>", true),
        ("audit.log", true),
        ("audit.*.x", true),
        ("flux.msg.core.in.out", false),
        ("flux.msg.*.in.out", false),
        ("flux.msg.>", false),
        (">", false),
        ("audit", false),
    ] {
        let subjects = [subject.to_owned()];
        let result = check("payments", Ask { subjects: &subjects, ..good() });
        assert_eq!(result.is_ok(), allowed, "{subject}: {result:?}");
    }
}

#[test]
fn a_list_left_out_allows_everything_and_an_empty_one_nothing() {
    assert_eq!(check("free", Ask { module: "urn:wasm:any:v1", replicas: 999, ..good() }), Ok(()));
    assert!(check("none", good()).unwrap_err().ends_with("allowed are none"));
}

#[test]
fn rules_that_can_not_be_read_are_refused() {
    assert!(Tenants::parse(r#"[{ "namespaceSelector": {}, "module": ["x"] }]"#).is_err());
    let bad = r#"[{ "namespaceSelector": { "matchExpressions": [{ "key": "a", "operator": "Like" }] } }]"#;
    assert!(Tenants::parse(bad).unwrap_err().to_string().starts_with("tenants[0].namespaceSelector"));
}
