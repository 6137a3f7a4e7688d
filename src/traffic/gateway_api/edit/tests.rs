use serde_json::json;

use super::super::fixtures::*;
use super::super::read;
use super::*;
use crate::plan::ObjectRef;
use crate::plan::object::HTTP_ROUTE;

const LABEL: &str = "/metadata/labels/rollouts.argoproj.io~1gatewayapi-canary";

#[test]
fn a_rule_without_weights_gets_them() {
    // Acceptance: a rule without weights, when its Rollout is created.
    let before = route(&[pair(-1, -1)]);
    let after = driven(&before, &goal(0));
    assert_eq!(weights(&after, 0), [100, 0]);
    assert_eq!(after.pointer("/metadata/labels"), None);
    assert_eq!(after["spec"]["rules"].as_array().unwrap().len(), 1);
}

#[test]
fn a_step_and_the_end_of_a_rollout() {
    // Acceptance: setWeight 30 and a pause, then completion.
    let stepped = driven(&route(&[pair(100, 0)]), &goal(30));
    assert_eq!(weights(&stepped, 0), [70, 30]);
    assert_eq!(stepped.pointer(LABEL), Some(&json!("in-progress")));
    let full = driven(&stepped, &goal(100));
    assert_eq!((weights(&full, 0), full.pointer(LABEL).is_some()), (vec![0, 100], true));
    let done = driven(&full, &goal(0));
    assert_eq!((weights(&done, 0), done.pointer(LABEL)), (vec![100, 0], None));
    assert_eq!(edit(&done, &goal(0)), Ok(None));
}

#[test]
fn foreign_backends_keep_their_weights() {
    // Acceptance: two extra backends; four at all times, foreign weights unchanged at 20, 50 and the end.
    let mut route = route(&[rule(&[("a", 7), (STABLE, 100), (CANARY, 0), ("b", -1)])]);
    for (weight, expected) in [(20, [7, 80, 20, -1]), (50, [7, 50, 50, -1]), (0, [7, 100, 0, -1])] {
        route = driven(&route, &goal(weight));
        assert_eq!(weights(&route, 0), expected);
    }
}

#[test]
fn header_rules_keep_their_weights() {
    // Acceptance: setWeight 30, header route r1, setWeight 60, header route r2, setWeight 90.
    let rules = vec![pair(40, 60), header_rule("r1"), header_rule("r2"), header_rule("r1-1")];
    let goal = Goal { backends: backends(&["r1", "r2"]), ..goal(90) };
    let after = driven(&route(&rules), &goal);
    assert_eq!(weights(&after, 0), [10, 90]);
    assert_eq!(after["spec"]["rules"].as_array().unwrap()[1..], rules[1..]);
}

#[test]
fn every_rule_that_splits_is_edited_and_no_other() {
    let rules = vec![pair(100, 0), rule(&[(STABLE, 1)]), pair(-1, 5), rule(&[(CANARY, 3)]), rule(&[("x", 2)])];
    let after = driven(&route(&rules), &goal(100));
    let all: Vec<_> = (0..5).map(|rule| weights(&after, rule)).collect();
    assert_eq!(all, [vec![0, 100], vec![1], vec![0, 100], vec![3], vec![2]]);
}

#[test]
fn the_canary_beside_others_is_turned_off() {
    let after = driven(&route(&[pair(50, 50), rule(&[(CANARY, 50), ("other", 10)])]), &goal(0));
    assert_eq!((weights(&after, 0), weights(&after, 1)), (vec![100, 0], vec![0, 10]));
}

#[test]
fn the_maximum_stands_for_all_traffic() {
    let after = driven(&route(&[pair(-1, -1)]), &Goal { max_weight: 1000, ..goal(333) });
    assert_eq!(weights(&after, 0), [667, 333]);
}

#[test]
fn the_patch_tests_what_it_replaces() {
    let patch = edit(&route(&[pair(100, -1)]), &goal(30)).unwrap().unwrap();
    assert_eq!(
        patch,
        json!([
            {"op": "test", "path": "/spec/rules/0/backendRefs/0/name", "value": STABLE},
            {"op": "test", "path": "/spec/rules/0/backendRefs/0/weight", "value": 100},
            {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 70},
            {"op": "test", "path": "/spec/rules/0/backendRefs/1/name", "value": CANARY},
            {"op": "add", "path": "/spec/rules/0/backendRefs/1/weight", "value": 30},
            {"op": "add", "path": "/metadata/labels", "value": {"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}},
        ])
    );
}

#[test]
fn a_route_changed_in_between_refuses_the_patch() {
    let patch = edit(&route(&[pair(100, 0)]), &goal(30)).unwrap().unwrap();
    let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
    for mut changed in [route(&[pair(90, 0)]), route(&[rule(&[("x", 100), (CANARY, 0)])]), route(&[])] {
        let before = changed.clone();
        assert!(json_patch::patch(&mut changed, &patch).is_err());
        assert_eq!(changed, before);
    }
}

#[test]
fn label_cases() {
    let own = "rollouts.argoproj.io/gatewayapi-canary";
    let at = |labels: Value| {
        let mut route = route(&[pair(70, 30)]);
        route["metadata"]["labels"] = labels;
        route
    };
    let with = Some(label());
    for (case, labels, label, weight, expected) in [
        ("created", json!(null), with.clone(), 30, json!({own: "in-progress"})),
        ("added", json!({"a": "b"}), with.clone(), 30, json!({"a": "b", own: "in-progress"})),
        ("kept", json!({own: "in-progress"}), with.clone(), 30, json!({own: "in-progress"})),
        ("overwritten", json!({own: "x"}), with.clone(), 30, json!({own: "in-progress"})),
        ("removed", json!({own: "in-progress", "a": "b"}), with.clone(), 0, json!({"a": "b"})),
        ("removed whatever it says", json!({own: "x"}), with.clone(), 0, json!({})),
        ("nothing to remove", json!({"a": "b"}), with, 0, json!({"a": "b"})),
        ("left on", json!({own: "x"}), None, 30, json!({own: "x"})),
        ("left at zero", json!({own: "x"}), None, 0, json!({own: "x"})),
        ("not created", json!(null), None, 30, json!(null)),
    ] {
        let after = driven(&at(labels), &Goal { label, ..goal(weight) });
        assert_eq!(after["metadata"]["labels"], expected, "{case}");
    }
}

#[test]
fn label_keys_are_escaped() {
    let odd = Label { key: "a~1/b".into(), value: "v".into() };
    let goal = |weight| Goal { label: Some(odd.clone()), ..goal(weight) };
    let mut route = route(&[pair(70, 30)]);
    route["metadata"]["labels"] = json!({"a": "b"});
    let marked = driven(&route, &goal(30));
    assert_eq!(marked["metadata"]["labels"], json!({"a": "b", "a~1/b": "v"}));
    assert_eq!(driven(&marked, &goal(0))["metadata"]["labels"], json!({"a": "b"}));
}

#[test]
fn errors_have_the_texts_of_the_contract() {
    let not_found = "backendRef was not found in httpRoute";
    let same = Goal { backends: Backends { stable_service: CANARY.into(), ..backends(&[]) }, ..goal(30) };
    let managed = Goal { backends: backends(&["hdr"]), ..goal(30) };
    for (route, goal) in [
        (json!(null), goal(30)),
        (route(&[]), goal(30)),
        (route(&[rule(&[(STABLE, 1)])]), goal(30)),
        (route(&[rule(&[(CANARY, 1)])]), goal(30)),
        (route(&[rule(&[(STABLE, 1)]), rule(&[(CANARY, 1)])]), goal(30)),
        (route(&[pair(1, 1)]), same),
        (route(&[named("hdr", pair(1, 1))]), managed),
    ] {
        assert_eq!(edit(&route, &goal).unwrap_err().to_string(), not_found);
    }
    assert_eq!(
        RouteError::NoRoutes.to_string(),
        "No routes configured. At least one of 'httpRoutes', 'grpcRoutes', 'tcpRoutes', 'tlsRoutes', 'httpRoute', 'grpcRoute', 'tcpRoute' or 'tlsRoute' must be set"
    );
    let object = ObjectRef { resource: HTTP_ROUTE, namespace: "shop".into(), name: "x".into() };
    assert_eq!(
        RouteError::NotFound(Box::new(object)).to_string(),
        "httproutes.gateway.networking.k8s.io \"x\" not found"
    );
}

#[test]
fn what_no_weight_can_say_is_refused() {
    for (weight, max) in [(-1, 100), (101, 100), (0, 0), (0, -1), (1, MAX_WEIGHT + 1), (i32::MIN, i32::MAX)] {
        let error = edit(&route(&[pair(1, 1)]), &Goal { max_weight: max, ..goal(weight) }).unwrap_err();
        assert_eq!(error, RouteError::WeightOutOfRange { weight, max });
    }
    let twice = named("main", rule(&[(STABLE, 1), (CANARY, 1), (CANARY, 1)]));
    let error = edit(&route(&[twice]), &goal(30)).unwrap_err();
    assert_eq!(error, RouteError::Repeated { rule: "spec.rules[0] (main)".into(), service: CANARY.into() });
    let mut odd = route(&[pair(1, 1)]);
    odd["metadata"]["labels"] = json!("x");
    assert_eq!(edit(&odd, &goal(30)), Err(RouteError::Malformed { path: "metadata.labels" }));
}

#[test]
fn what_was_edited_reads_as_the_goal() {
    let after = driven(&route(&[pair(-1, 4), pair(9, 9), rule(&[(CANARY, 4), ("x", 1)])]), &goal(30));
    assert!(read(&after, &backends(&[]), None).is_at(30, 100));
}
