use std::collections::BTreeSet;

use super::super::build::{crds, with_rules};
use super::super::cel;
use super::*;
use crate::rollout::validate::{validate_spec, validate_strict};

fn holds(rule: &str, node: &Value) -> bool {
    cel::holds(rule, [("self", node)]).unwrap_or_else(|error| panic!("{error} on {node}"))
}

/// Messages of the rules that refuse a Rollout.
fn refusals(rollout: &Value) -> BTreeSet<String> {
    let broken = |(path, rule, _): &(String, String, String)| {
        let node = rollout.pointer(&format!("/{}", path.replace('.', "/")));
        node.is_some_and(|node| node.is_object() && !holds(rule, node))
    };
    rules().iter().filter(|rule| broken(rule)).map(|(path, _, message)| format!("{path} {message}")).collect()
}

fn rollout(spec: &Value) -> Value {
    let labels = json!({"app": "web"});
    let mut rollout = json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        "strategy": {"canary": {}},
    }});
    json_patch::merge(&mut rollout["spec"], spec);
    rollout
}

/// One Rollout for each rule; the API server's own schema refuses values of other types.
fn broken() -> Vec<Value> {
    let canary = |canary: Value| json!({"strategy": {"canary": canary}});
    let affinity = json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 0}});
    let blue_green = |rest: Value| {
        let mut strategy = json!({"activeService": "a"});
        json_patch::merge(&mut strategy, &rest);
        json!({"strategy": {"canary": null, "blueGreen": strategy}})
    };
    vec![
        json!({"replicas": -1}),
        json!({"minReadySeconds": -1}),
        json!({"revisionHistoryLimit": -1}),
        json!({"minReadySeconds": 700}),
        json!({"selector": null}),
        json!({"strategy": {"canary": null}}),
        json!({"strategy": {"blueGreen": {"activeService": "a"}}}),
        blue_green(json!({"previewService": "a"})),
        canary(json!({"canaryService": "a", "stableService": "a"})),
        canary(json!({"maxSurge": "0%", "maxUnavailable": 0})),
        canary(json!({"steps": [{"setWeight": 101}]})),
        canary(json!({"steps": [{"setCanaryScale": {"replicas": 1}}]})),
        canary(json!({"steps": [{"setWeight": 10, "pause": {}}]})),
        canary(json!({"antiAffinity": affinity})),
        blue_green(json!({"antiAffinity": affinity})),
        canary(json!({"canaryService": "a", "stableService": "b", "trafficRouting": {"managedRoutes": []}})),
    ]
}

#[test]
fn each_rule_refuses_something_and_the_controller_agrees() {
    let mut seen = BTreeSet::new();
    for spec in broken() {
        let rollout = rollout(&spec);
        let refused = refusals(&rollout);
        assert!(!refused.is_empty(), "{spec}");
        let errors = validate_spec(&rollout).len() + validate_strict(&rollout).len();
        assert!(errors > 0, "{spec}: {refused:?}");
        seen.extend(refused);
    }
    assert_eq!(seen.len(), rules().len(), "{seen:#?}");
    assert_eq!(refusals(&rollout(&json!({}))), BTreeSet::new());
}

#[test]
fn nothing_is_refused_that_the_contract_accepts() {
    let cases = include_str!("../../../../tests/vectors/validate.jsonl").lines().map(|line| {
        let case: Value = serde_json::from_str(line).unwrap();
        case
    });
    let specs = cases.filter(|case| case["kind"] == "spec");
    let mut accepted = 0;
    for case in specs.filter(|case| case["out"].as_array().is_some_and(Vec::is_empty)) {
        let rollout = &case["in"]["rollout"];
        if validate_strict(rollout).is_empty() {
            assert_eq!(refusals(rollout), BTreeSet::new(), "{}", case["n"]);
            accepted += 1;
        }
    }
    assert!(accepted > 10, "{accepted}");
}

#[test]
fn every_rule_finds_its_place() {
    let count = |crd: &Value| crd.to_string().matches("\"rule\"").count();
    let plain: usize = crds().iter().map(count).sum();
    assert_eq!(with_rules().iter().map(count).sum::<usize>(), plain + rules().len());
}
