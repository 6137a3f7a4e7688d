use super::*;
use serde_json::json;

fn threshold(kind: &str, value: i32) -> ReplicaProgressThreshold {
    ReplicaProgressThreshold { kind: kind.to_owned(), value }
}

fn full(count: i32) -> Size {
    Size { spec: count, replicas: count, available: count }
}

fn rollout(canary: &serde_json::Value, status: &serde_json::Value) -> Rollout {
    let mut whole = json!({"trafficRouting": {"gatewayAPI": {"httpRoute": "r"}}});
    json_patch::merge(&mut whole, canary);
    let mut record = json!({"stableRS": "a", "currentPodHash": "b", "currentStepIndex": 0});
    json_patch::merge(&mut record, status);
    serde_json::from_value(json!({"spec": {"replicas": 10, "strategy": {"canary": whole}}, "status": record})).unwrap()
}

fn pair(new: i32, stable: i32) -> Sizes {
    Sizes { new: Some(full(new)), stable: Some(full(stable)), others: Vec::new() }
}

#[test]
fn a_threshold_of_an_unknown_type_is_none() {
    let nine = Size { spec: 10, replicas: 10, available: 9 };
    assert!(!enough(Some(&threshold("percent", 50)), nine, 10));
    assert!(enough(Some(&threshold("", 50)), full(10), 10));
    assert_eq!(asked(Some(&threshold("percent", 50)), 10), None);
}

#[test]
fn more_pods_than_wanted_are_not_as_wanted() {
    assert!(!enough(None, full(11), 10));
    assert!(enough(Some(&threshold("Percent", 100)), full(11), 10));
}

#[test]
fn percentages_are_exact_for_huge_numbers() {
    let size = |available| Size { spec: i32::MAX, replicas: i32::MAX, available };
    let third = threshold("Percent", 33);
    assert!(enough(Some(&third), size(708_669_604), i32::MAX));
    assert!(!enough(Some(&third), size(708_669_603), i32::MAX));
    assert!(!enough(Some(&third), size(5), -3));
    assert_eq!(asked(Some(&third), 10), Some(4));
}

#[test]
fn an_aborted_canary_goes_back_step_by_step() {
    let canary = json!({"dynamicStableScale": true, "steps": [{"setWeight": 20}, {"setWeight": 50}]});
    let aborted = rollout(&canary, &json!({"abort": true}));
    let at = |new, stable, weight: i32| {
        let weights = Weights { canary: weight, stable: 100 - weight };
        let Ratio { new, stable } = sizes(&aborted, 10, &pair(new, stable), Some(weights));
        (new, stable)
    };
    assert_eq!(at(5, 5, 50), (5, 8));
    assert_eq!(at(5, 8, 20), (2, 8));
    assert_eq!(at(2, 8, 20), (2, 10));
    assert_eq!(at(2, 10, 0), (0, 10));
}

#[test]
fn a_floor_holds_for_revisions_that_have_pods() {
    let canary =
        json!({"minPodsPerReplicaSet": 3, "dynamicStableScale": true, "steps": [{"setWeight": 5}, {"setWeight": 95}]});
    let at = |index: i32, weight: i32| {
        let weights = Weights { canary: weight, stable: 100 - weight };
        let rollout = rollout(&canary, &json!({"currentStepIndex": index}));
        sizes(&rollout, 10, &pair(0, 10), Some(weights))
    };
    assert_eq!(at(0, 0), Ratio { new: 3, stable: 10 });
    assert_eq!(at(1, 95), Ratio { new: 10, stable: 3 });
    assert_eq!(at(2, 100), Ratio { new: 10, stable: 0 });
}
