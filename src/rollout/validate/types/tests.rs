use super::*;
use crate::rollout::revision::rollout_table::ROLLOUT_SPEC;
use serde_json::json;

fn texts(spec: &Value) -> Vec<String> {
    let mut report = Report::default();
    check(&ROLLOUT_SPEC, spec, &Path::new("spec"), &mut report);
    report.0.iter().map(ToString::to_string).collect()
}

#[test]
fn wrong_types_are_named_with_their_place() {
    let cases = [
        (json!({"replicas": "3"}), "spec.replicas: Invalid value: \"3\": must be a whole number of 32 bits"),
        (json!({"replicas": 3.5}), "spec.replicas: Invalid value: 3.5: must be a whole number of 32 bits"),
        (json!({"paused": 1}), "spec.paused: Invalid value: 1: must be true or false"),
        (json!([]), "spec: Invalid value: []: must be an object"),
        (
            json!({"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "x"}}}]}}}),
            "spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: \"x\": must be a quantity such \
             as 500m or 1Gi",
        ),
        (
            json!({"strategy": {"canary": {"steps": {"setWeight": 1}}}}),
            "spec.strategy.canary.steps: Invalid value: {\"setWeight\":1}: must be a list",
        ),
        (
            json!({"restartAt": "now"}),
            "spec.restartAt: Invalid value: \"now\": must be a time such as \
             2024-01-31T12:00:00Z",
        ),
    ];
    for (spec, want) in cases {
        assert_eq!(texts(&spec), [want]);
    }
}

#[test]
fn null_and_unknown_keys_have_no_type() {
    assert_eq!(
        texts(&json!({"replicas": null, "mystery": [1], "template": {"spec": {"containers": [null]}}})),
        [""; 0]
    );
}

#[test]
fn long_values_are_cut() {
    let text = texts(&json!({"replicas": "é".repeat(500)})).remove(0);
    assert!(text.len() < 400, "{text}");
}
