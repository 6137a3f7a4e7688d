use serde_json::json;

use super::super::fixtures::{pair, route};
use super::*;

/// A route of generation 4 with these parents.
fn with(parents: Value, entries: Value) -> Acknowledgement {
    let mut route = route(vec![pair(70, 30)]);
    route["spec"]["parentRefs"] = parents;
    route["status"] = json!({"parents": entries});
    acknowledgement(&route)
}

/// A condition; a generation below 0 is left out.
fn condition(kind: &str, status: &str, generation: i64) -> Value {
    let mut condition = json!({"type": kind, "status": status, "reason": "Because", "message": "so"});
    if generation >= 0 {
        condition["observedGeneration"] = generation.into();
    }
    condition
}

fn entry(reference: Value, conditions: Value) -> Value {
    json!({"parentRef": reference, "controllerName": "example.com/gateway", "conditions": conditions})
}

fn good(reference: Value) -> Value {
    entry(reference, json!([condition("Accepted", "True", 4), condition("ResolvedRefs", "True", 4)]))
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
    let own = || json!({"name": "public"});
    for (case, conditions, expected) in [
        ("both true", json!([condition("Accepted", "True", 4), condition("ResolvedRefs", "True", 4)]), "accepted"),
        (
            "of a later generation",
            json!([condition("Accepted", "True", 5), condition("ResolvedRefs", "True", 5)]),
            "accepted",
        ),
        ("stale accepted", json!([condition("Accepted", "True", 3), condition("ResolvedRefs", "True", 4)]), "waiting"),
        ("stale refs", json!([condition("Accepted", "True", 4), condition("ResolvedRefs", "True", 3)]), "waiting"),
        ("stale refusal", json!([condition("Accepted", "False", 3), condition("ResolvedRefs", "True", 4)]), "waiting"),
        ("refused", json!([condition("Accepted", "False", 4), condition("ResolvedRefs", "True", 4)]), "refused"),
        (
            "refs unresolved",
            json!([condition("Accepted", "True", 4), condition("ResolvedRefs", "False", 4)]),
            "refused",
        ),
        ("refusal before wait", json!([condition("ResolvedRefs", "False", 4)]), "refused"),
        ("unknown", json!([condition("Accepted", "Unknown", 4), condition("ResolvedRefs", "True", 4)]), "waiting"),
        ("refs not reported", json!([condition("Accepted", "True", 4)]), "waiting"),
        ("no conditions", json!([]), "waiting"),
        (
            "no generations",
            json!([condition("Accepted", "True", -1), condition("ResolvedRefs", "True", -1)]),
            "unclaimed",
        ),
        (
            "one without generation",
            json!([condition("Accepted", "True", 4), condition("ResolvedRefs", "True", -1)]),
            "unclaimed",
        ),
        ("refused without generation", json!([condition("Accepted", "False", -1)]), "refused"),
        (
            "foreign conditions",
            json!([
                condition("Programmed", "False", 4),
                condition("Accepted", "True", 4),
                condition("ResolvedRefs", "True", 4)
            ]),
            "accepted",
        ),
        (
            "partly invalid",
            json!([
                condition("PartiallyInvalid", "True", 4),
                condition("Accepted", "True", 4),
                condition("ResolvedRefs", "True", 4)
            ]),
            "refused",
        ),
        (
            "partly invalid once",
            json!([
                condition("PartiallyInvalid", "True", 3),
                condition("Accepted", "True", 4),
                condition("ResolvedRefs", "True", 4)
            ]),
            "accepted",
        ),
        (
            "wholly valid",
            json!([
                condition("PartiallyInvalid", "False", 4),
                condition("Accepted", "True", 4),
                condition("ResolvedRefs", "True", 4)
            ]),
            "accepted",
        ),
    ] {
        let answer = with(json!([own()]), json!([entry(own(), conditions)]));
        assert_eq!(word_of(&answer), expected, "{case}: {answer:?}");
    }
}

#[test]
fn which_entries_answer_for_a_parent() {
    let gateway = json!({"name": "public"});
    for (case, parents, entries, expected) in [
        ("no status", json!([gateway]), json!([]), "unclaimed"),
        ("no parents", json!([]), json!([good(gateway.clone())]), "unclaimed"),
        (
            "defaults filled in",
            json!([gateway]),
            json!([good(
                json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "shop", "name": "public"})
            )]),
            "accepted",
        ),
        (
            "defaults left out",
            json!([{"name": "public", "namespace": "shop", "kind": "Gateway"}]),
            json!([good(gateway.clone())]),
            "accepted",
        ),
        (
            "another namespace",
            json!([{"name": "public", "namespace": "infra"}]),
            json!([good(gateway.clone())]),
            "waiting",
        ),
        ("another name", json!([gateway]), json!([good(json!({"name": "private"}))]), "waiting"),
        (
            "another kind",
            json!([gateway]),
            json!([good(json!({"name": "public", "kind": "Service", "group": ""}))]),
            "waiting",
        ),
        (
            "another section",
            json!([{"name": "public", "sectionName": "https"}]),
            json!([good(gateway.clone())]),
            "waiting",
        ),
        (
            "same section",
            json!([{"name": "public", "sectionName": "https"}]),
            json!([good(json!({"name": "public", "sectionName": "https"}))]),
            "accepted",
        ),
        (
            "another port",
            json!([{"name": "public", "port": 80}]),
            json!([good(json!({"name": "public", "port": 81}))]),
            "waiting",
        ),
        (
            "core group by name",
            json!([{"name": "app", "kind": "Service", "group": "core"}]),
            json!([good(json!({"name": "app", "kind": "Service", "group": ""}))]),
            "accepted",
        ),
        ("one of two", json!([gateway, {"name": "private"}]), json!([good(gateway.clone())]), "waiting"),
        (
            "both of two",
            json!([gateway, {"name": "private"}]),
            json!([good(json!({"name": "private"})), good(gateway.clone())]),
            "accepted",
        ),
        (
            "two sections of one",
            json!([{"name": "public", "sectionName": "a"}, {"name": "public", "sectionName": "b"}]),
            json!([good(json!({"name": "public", "sectionName": "a"}))]),
            "waiting",
        ),
        (
            "a former parent refuses",
            json!([gateway]),
            json!([good(gateway.clone()), entry(json!({"name": "old"}), json!([condition("Accepted", "False", 4)]))]),
            "accepted",
        ),
        (
            "two controllers, one stale",
            json!([gateway]),
            json!([good(gateway.clone()), entry(gateway.clone(), json!([condition("Accepted", "True", 3)]))]),
            "waiting",
        ),
        ("claimed, nothing said", json!([gateway]), json!([{"parentRef": gateway, "controllerName": "c"}]), "waiting"),
        (
            "one accepts, one cannot tell",
            json!([gateway, {"name": "mesh"}]),
            json!([
                good(gateway.clone()),
                entry(
                    json!({"name": "mesh"}),
                    json!([condition("Accepted", "True", -1), condition("ResolvedRefs", "True", -1)])
                )
            ]),
            "unclaimed",
        ),
        (
            "refusal before wait",
            json!([{"name": "late"}, gateway]),
            json!([entry(
                gateway.clone(),
                json!([condition("Accepted", "False", 4), condition("ResolvedRefs", "True", 4)])
            )]),
            "refused",
        ),
    ] {
        let answer = with(parents, entries);
        assert_eq!(word_of(&answer), expected, "{case}: {answer:?}");
    }
}

#[test]
fn the_answer_says_who_and_what() {
    let parents = json!([{"name": "public", "namespace": "infra", "sectionName": "https", "port": 443}]);
    let stale = entry(parents[0].clone(), json!([condition("Accepted", "True", 3)]));
    assert_eq!(
        with(parents.clone(), json!([stale])).to_string(),
        "waiting for Gateway infra/public section https port 443: its Accepted is about generation 3, the route is at 4"
    );
    let refused = entry(parents[0].clone(), json!([condition("ResolvedRefs", "False", 4)]));
    assert_eq!(
        with(parents, json!([refused])),
        Acknowledgement::Refused {
            parent: "Gateway infra/public section https port 443".into(),
            condition: "ResolvedRefs".into(),
            reason: "Because".into(),
            message: "so".into(),
        }
    );
}
