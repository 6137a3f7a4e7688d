use serde_json::json;

use super::super::fixtures::{pair, route};
use super::*;

/// Type, status and observed generation of a condition; a generation below 0 is left out.
type Said = (&'static str, &'static str, i64);

const OK: Said = ("Accepted", "True", 4);
const REFS: Said = ("ResolvedRefs", "True", 4);

/// A route of generation 4 with these parents.
fn with(parents: &Value, entries: &Value) -> Acknowledgement {
    let mut route = route(&[pair(70, 30)]);
    route["spec"]["parentRefs"] = parents.clone();
    route["status"] = json!({"parents": entries});
    acknowledgement(&route)
}

/// A controller's entry for a parent.
fn entry(reference: &Value, conditions: &[Said]) -> Value {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|&(kind, status, generation)| {
            let mut condition = json!({"type": kind, "status": status, "reason": "Because", "message": "so"});
            if generation >= 0 {
                condition["observedGeneration"] = generation.into();
            }
            condition
        })
        .collect();
    json!({"parentRef": reference, "controllerName": "example.com/gateway", "conditions": conditions})
}

fn good(reference: &Value) -> Value {
    entry(reference, &[OK, REFS])
}

fn word_of(answer: &Acknowledgement) -> &'static str {
    match answer {
        Acknowledgement::Unclaimed => "unclaimed",
        Acknowledgement::Waiting { .. } => "waiting",
        Acknowledgement::Refused { .. } => "refused",
        Acknowledgement::Accepted => "accepted",
    }
}

#[test]
fn conditions_of_one_parent() {
    let own = json!({"name": "public"});
    let cases: [(&str, &[Said], &str); 18] = [
        ("both true", &[OK, REFS], "accepted"),
        ("of a later generation", &[("Accepted", "True", 5), ("ResolvedRefs", "True", 5)], "accepted"),
        ("stale accepted", &[("Accepted", "True", 3), REFS], "waiting"),
        ("stale refs", &[OK, ("ResolvedRefs", "True", 3)], "waiting"),
        ("stale refusal", &[("Accepted", "False", 3), REFS], "waiting"),
        ("refused", &[("Accepted", "False", 4), REFS], "refused"),
        ("refs unresolved", &[OK, ("ResolvedRefs", "False", 4)], "refused"),
        ("refusal before wait", &[("ResolvedRefs", "False", 4)], "refused"),
        ("unknown", &[("Accepted", "Unknown", 4), REFS], "waiting"),
        ("refs not reported", &[OK], "waiting"),
        ("no conditions", &[], "waiting"),
        ("no generations", &[("Accepted", "True", -1), ("ResolvedRefs", "True", -1)], "unclaimed"),
        ("one without generation", &[OK, ("ResolvedRefs", "True", -1)], "unclaimed"),
        ("refused without generation", &[("Accepted", "False", -1)], "refused"),
        ("foreign conditions", &[("Programmed", "False", 4), OK, REFS], "accepted"),
        ("partly invalid", &[("PartiallyInvalid", "True", 4), OK, REFS], "refused"),
        ("partly invalid once", &[("PartiallyInvalid", "True", 3), OK, REFS], "accepted"),
        ("wholly valid", &[("PartiallyInvalid", "False", 4), OK, REFS], "accepted"),
    ];
    for (case, conditions, expected) in cases {
        let answer = with(&json!([own]), &json!([entry(&own, conditions)]));
        assert_eq!(word_of(&answer), expected, "{case}: {answer:?}");
    }
}

#[test]
fn a_reference_is_matched_with_its_defaults() {
    let short = json!({"name": "public"});
    let long = json!({"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": "shop", "name": "public"});
    let service = |group: &str| json!({"name": "public", "kind": "Service", "group": group});
    let section = |name: &str| json!({"name": "public", "sectionName": name});
    let port = |port: i64| json!({"name": "public", "port": port});
    for (case, wanted, named, expected) in [
        ("defaults in the status", &short, &long, "accepted"),
        ("defaults in the spec", &long, &short, "accepted"),
        ("another namespace", &json!({"name": "public", "namespace": "infra"}), &short, "waiting"),
        ("another name", &short, &json!({"name": "private"}), "waiting"),
        ("another group", &short, &json!({"name": "public", "group": "example.com"}), "waiting"),
        ("another kind", &short, &service(""), "waiting"),
        ("core group by name", &service("core"), &service(""), "accepted"),
        ("section not named", &section("https"), &short, "waiting"),
        ("same section", &section("https"), &section("https"), "accepted"),
        ("another section", &section("https"), &section("http"), "waiting"),
        ("same port", &port(80), &port(80), "accepted"),
        ("another port", &port(80), &port(81), "waiting"),
    ] {
        let answer = with(&json!([wanted]), &json!([good(named)]));
        assert_eq!(word_of(&answer), expected, "{case}: {answer:?}");
    }
}

#[test]
fn every_parent_must_answer() {
    let (a, b) = (json!({"name": "a"}), json!({"name": "b"}));
    let silent = entry(&b, &[("Accepted", "True", -1), ("ResolvedRefs", "True", -1)]);
    let stale = entry(&a, &[("Accepted", "True", 3), REFS]);
    let refused = |parent| entry(parent, &[("Accepted", "False", 4), REFS]);
    let sections = json!([{"name": "a", "sectionName": "x"}, {"name": "a", "sectionName": "y"}]);
    for (case, parents, entries, expected) in [
        ("no status", json!([a]), json!([]), "unclaimed"),
        ("no parents", json!([]), json!([good(&a)]), "unclaimed"),
        ("one of two", json!([a, b]), json!([good(&a)]), "waiting"),
        ("both, in any order", json!([a, b]), json!([good(&b), good(&a)]), "accepted"),
        ("one of two sections", sections.clone(), json!([good(&sections[0])]), "waiting"),
        ("a former parent refuses", json!([a]), json!([good(&a), refused(&b)]), "accepted"),
        ("only a former parent", json!([a]), json!([good(&b)]), "waiting"),
        ("two controllers, the second stale", json!([a]), json!([good(&a), stale]), "waiting"),
        ("two controllers, the first stale", json!([a]), json!([stale, good(&a)]), "waiting"),
        ("claimed, nothing said", json!([a]), json!([{"parentRef": a, "controllerName": "c"}]), "waiting"),
        ("one cannot tell", json!([a, b]), json!([good(&a), silent]), "unclaimed"),
        ("one refuses, one is late", json!([b, a]), json!([refused(&a)]), "refused"),
    ] {
        let answer = with(&parents, &entries);
        assert_eq!(word_of(&answer), expected, "{case}: {answer:?}");
    }
}

#[test]
fn the_answer_says_who_and_what() {
    let parent = json!({"name": "public", "namespace": "infra", "sectionName": "https", "port": 443});
    let said = |conditions: &[Said]| with(&json!([parent]), &json!([entry(&parent, conditions)]));
    assert_eq!(
        said(&[("Accepted", "True", 3)]).to_string(),
        "waiting for Gateway infra/public section https port 443: its Accepted is about generation 3, the route is at 4"
    );
    assert_eq!(
        said(&[("ResolvedRefs", "False", 4)]),
        Acknowledgement::Refused {
            parent: "Gateway infra/public section https port 443".into(),
            condition: "ResolvedRefs".into(),
            reason: "Because".into(),
            message: "so".into(),
        }
    );
}
