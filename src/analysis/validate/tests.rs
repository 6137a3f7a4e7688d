#![allow(clippy::needless_pass_by_value, reason = "literals read better")]

use serde_json::{Value, json};

use super::*;

fn error(fields: Value) -> String {
    let mut metric = json!({"name": "m", "provider": {"prometheus": {"query": "q"}}});
    metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let metric: Metric = serde_json::from_value(metric).unwrap();
    match metrics(&[metric]) {
        Ok(()) => String::new(),
        Err(error) => error.to_string().trim_start_matches("metrics[0]: ").to_owned(),
    }
}

#[test]
fn each_rule_has_its_text() {
    let cases = [
        (json!({}), ""),
        (json!({"count": 3, "interval": "1s", "failureLimit": 1, "consecutiveSuccessLimit": 2}), ""),
        (json!({"failureLimit": -1, "consecutiveSuccessLimit": 1, "interval": "1s"}), ""),
        (json!({"consecutiveSuccessLimit": -1}), "consecutiveSuccessLimit must be >= 0"),
        (json!({"failureLimit": -2}), "failureLimit must be >= 0, or -1 to be disabled"),
        (json!({"failureLimit": -1}), "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        (json!({"inconclusiveLimit": -1}), "inconclusiveLimit must be >= 0"),
        (json!({"consecutiveErrorLimit": "-1"}), "consecutiveErrorLimit must be >= 0"),
        (
            json!({"count": 3, "interval": "1s", "failureLimit": 2, "consecutiveSuccessLimit": 2}),
            "count (3) must be >= failureLimit + consecutiveSuccessLimit (2 + 2) if both >= 0",
        ),
        (
            json!({"count": 1, "failureLimit": -1, "consecutiveSuccessLimit": 2}),
            "count must be >= consecutiveSuccessLimit",
        ),
        (json!({"count": 1, "inconclusiveLimit": 2}), "count must be >= inconclusiveLimit"),
        (json!({"count": 2}), "interval must be specified when count > 1"),
        (json!({"interval": "1"}), "invalid interval string: time: missing unit in duration \"1\""),
        (json!({"initialDelay": "x"}), "invalid startDelay string: time: invalid duration \"x\""),
        (json!({"provider": {}}), "no provider specified"),
        (json!({"provider": {"plugin": {}}}), "no provider specified"),
        (json!({"provider": {"plugin": {"a": {}, "b": {}}}}), "multiple providers specified"),
        (json!({"provider": {"web": {"url": "u"}, "plugin": {"a": {}}}}), "multiple providers specified"),
    ];
    for (fields, text) in cases {
        assert_eq!(error(fields.clone()), text, "{fields}");
    }
}

#[test]
fn the_list_has_rules_of_its_own() {
    assert_eq!(metrics(&[]).unwrap_err().to_string(), "no metrics specified");
    let metric: Metric = serde_json::from_value(json!({"name": "m", "provider": {"job": {}}})).unwrap();
    let twice = metrics(&[metric.clone(), metric]).unwrap_err();
    assert_eq!(twice.to_string(), "metrics[1]: duplicate name 'm'");
}
