use serde_json::Value;

use super::*;

/// Rollouts with the phase that Argo's clients and controller compute for them.
const CASES: &str = include_str!("cases.jsonl");

fn of(value: &Value) -> Phase {
    Phase::of(value["phase"].as_str().unwrap(), value["message"].as_str().unwrap())
}

#[test]
fn agrees_with_the_reference() {
    let mut count = 0;
    for line in CASES.split('\n').filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let rollout: Rollout = serde_json::from_value(case["rollout"].clone()).unwrap();
        let template = if case["resolved"] == true { Template::Resolved } else { Template::Own };
        assert_eq!(phase(&rollout, template), of(&case["client"]), "client, case {}", case["n"]);
        assert_eq!(computed(&rollout), of(&case["controller"]), "controller, case {}", case["n"]);
        count += 1;
    }
    assert!(count > 50, "only {count} cases");
}
