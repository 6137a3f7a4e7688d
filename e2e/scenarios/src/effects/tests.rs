//! What is told of a release, and what is not.

use serde_json::{Value, json};

use super::{Change, Tale, difference};

fn told(changes: &[(&'static str, Value)]) -> Tale {
    let mut tale = Tale::default();
    for (place, (kind, object)) in changes.iter().enumerate() {
        tale.hear(&Change { version: place as u64, kind, deleted: false, object: object.clone() });
    }
    tale
}

fn set(hash: &str, size: u32) -> (&'static str, Value) {
    let metadata = json!({"name": format!("shop-{hash}"), "labels": {"rollouts-pod-template-hash": hash}});
    ("ReplicaSet", json!({"metadata": metadata, "spec": {"replicas": size}}))
}

fn service(hash: &str) -> (&'static str, Value) {
    let selector = json!({"app": "shop", "rollouts-pod-template-hash": hash});
    ("Service", json!({"metadata": {"name": "shop"}, "spec": {"selector": selector}}))
}

#[test]
fn revisions_have_numbers_and_only_changes_are_told() {
    let tale = told(&[
        service(""),
        set("abc", 0),
        set("abc", 2),
        set("abc", 2),
        service("abc"),
        set("def", 0),
        service("def"),
    ]);
    let expected = [
        "ReplicaSet r1 created with 0",
        "ReplicaSet r1: 0 → 2",
        "Service shop → r1",
        "ReplicaSet r2 created with 0",
        "Service shop → r2",
    ];
    assert_eq!(tale.effects, expected);
}

#[test]
fn weights_and_headers_of_a_route_are_told() {
    let route = |weight: u32, rules: &[Value]| {
        let backends = json!([{"name": "stable", "weight": 100 - weight}, {"name": "canary", "weight": weight}]);
        let rules = [rules, &[json!({"backendRefs": backends})]].concat();
        ("HTTPRoute", json!({"metadata": {"name": "shop"}, "spec": {"rules": rules}}))
    };
    let header = json!({"matches": [{"headers": [{"name": "X-Tester", "value": "yes"}]}], "backendRefs": [{"name": "canary", "weight": 1}]});
    let tale = told(&[route(0, &[]), route(20, &[]), route(20, &[header])]);
    let expected =
        ["HTTPRoute shop: stable 80, canary 20", "HTTPRoute shop: X-Tester=yes: canary 1 | stable 80, canary 20"];
    assert_eq!(tale.effects, expected);
}

#[test]
fn states_say_what_they_rest_on_and_no_hash() {
    let rollout = |phase: &str, message: &str| {
        let status = json!({"phase": phase, "message": message, "currentStepIndex": 1, "stableRS": "abc", "currentPodHash": "abc"});
        ("Rollout", json!({"metadata": {"name": "shop"}, "status": status}))
    };
    let tale = told(&[
        set("abc", 1),
        ("Rollout", json!({"metadata": {"name": "shop"}})),
        rollout("Progressing", "one"),
        rollout("Progressing", "two"),
        rollout("Degraded", "shop-abc is late"),
    ]);
    let expected =
        ["Progressing, step 1, stable r1, newest r1", "Degraded (shop-r1 is late), step 1, stable r1, newest r1"];
    assert_eq!(tale.states, expected);
}

#[test]
fn a_difference_begins_near_the_first_line_that_differs() {
    let text = difference("a\nb\nc\nd", "a\nb\nc\ne");
    assert_eq!(text, "from line 3 on, expected\n  b\n  c\n  d\nfound\n  b\n  c\n  e");
}
