use serde_json::{Value, json};

use super::*;

/// Rollouts with the weight that Argo computes from their steps.
const CASES: &str = include_str!("cases.jsonl");

#[test]
fn set_weight_agrees_with_the_reference() {
    let mut count = 0;
    for line in CASES.split('\n').filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let rollout: Rollout = serde_json::from_value(case["rollout"].clone()).unwrap();
        if rollout.spec.strategy.canary.is_some() {
            assert_eq!(json!(set_weight(&rollout)), case["setWeight"], "case {}", case["n"]);
            count += 1;
        }
    }
    assert!(count > 20, "only {count} cases");
}

#[allow(clippy::needless_pass_by_value, reason = "literals read better")]
fn canary(routing: Value, status: Value) -> Rollout {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]);
    let strategy = json!({"canary": {"steps": steps, "trafficRouting": routing}});
    serde_json::from_value(json!({"spec": {"strategy": strategy}, "status": status})).unwrap()
}

#[test]
fn actual_weight_is_a_share_of_pods_or_what_the_router_was_told() {
    let basic = canary(Value::Null, json!({"currentStepIndex": 1, "availableReplicas": 3}));
    assert_eq!(actual_weight(&basic, Some(1)), 33);
    assert_eq!(actual_weight(&basic, None), 0);
    let none = canary(Value::Null, json!({"currentStepIndex": 1, "availableReplicas": 0}));
    assert_eq!(actual_weight(&none, Some(1)), 0);
    let routed = json!({"currentStepIndex": 1, "availableReplicas": 3});
    assert_eq!(actual_weight(&canary(json!({"smi": {}}), routed), Some(1)), 20);
    let weights = json!({"canary": {"weight": 7}});
    let routed = json!({"currentStepIndex": 1, "availableReplicas": 3, "canary": {"weights": weights}});
    assert_eq!(actual_weight(&canary(json!({"smi": {}}), routed), Some(1)), 7);
    let done = canary(json!({"plugins": {}, "maxTrafficWeight": 1000}), json!({"currentStepIndex": 3}));
    assert_eq!((actual_weight(&done, None), set_weight(&done)), (1000, 1000));
}

#[test]
fn step_needs_steps_and_an_index() {
    assert_eq!(step(&canary(Value::Null, json!({"currentStepIndex": 2}))).as_deref(), Some("2/3"));
    assert_eq!(step(&canary(Value::Null, json!({}))), None);
}
