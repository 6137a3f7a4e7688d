use super::*;
use crate::rollout::revision::hash::canonical_template_json;

/// Templates, and what Kubernetes v1.34's own function makes of them.
const CASES: &str = include_str!("cases.jsonl");

#[test]
fn defaults_are_those_of_kubernetes() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = canonical_template_json(&with_defaults(&case["template"]));
        let got: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(got, case["defaulted"], "{}", case["template"]);
    }
    assert!(CASES.lines().count() > 20);
}

#[test]
fn defaults_are_filled_once() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let once = with_defaults(&case["template"]);
        assert_eq!(with_defaults(&once), once);
    }
}

#[test]
fn values_of_the_wrong_type_stay() {
    let odd = json!({"spec": {"containers": {"a": 1}, "volumes": [7], "dnsPolicy": 3}});
    let filled = with_defaults(&odd);
    assert_eq!(filled["spec"]["containers"], odd["spec"]["containers"]);
    assert_eq!(filled["spec"]["volumes"], odd["spec"]["volumes"]);
    assert_eq!(filled["spec"]["dnsPolicy"], json!(3));
    assert_eq!(with_defaults(&json!("text")), json!("text"));
}
