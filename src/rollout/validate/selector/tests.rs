use super::*;
use serde_json::json;

#[test]
fn selectors_match_as_in_kubernetes() {
    let labels = [("a", "1"), ("b", "2")];
    let expression = |key: &str, operator: &str, values: &[&str]| {
        let requirement = json!({"key": key, "operator": operator, "values": values});
        json!({ "matchExpressions": [requirement] })
    };
    let cases = [
        (json!({}), true),
        (json!({"matchLabels": {"a": "1"}}), true),
        (json!({"matchLabels": {"a": "1", "c": "3"}}), false),
        (expression("a", "In", &["0", "1"]), true),
        (expression("c", "In", &["3"]), false),
        (expression("a", "NotIn", &["1"]), false),
        (expression("c", "NotIn", &["1"]), true),
        (expression("b", "Exists", &[]), true),
        (expression("c", "Exists", &[]), false),
        (expression("c", "DoesNotExist", &[]), true),
        (expression("b", "DoesNotExist", &[]), false),
    ];
    for (selector, want) in cases {
        assert!(is_usable(Some(&selector)), "{selector}");
        assert_eq!(matches(Some(&selector), &labels), want, "{selector}");
    }
    assert!(!matches(None, &labels));
}

#[test]
fn unusable_selectors_are_told_apart() {
    for selector in [
        json!({"matchLabels": {"a b": "1"}}),
        json!({"matchLabels": {"a": "1 2"}}),
        json!({"matchExpressions": [{"key": "a", "operator": "In"}]}),
        json!({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}),
        json!({"matchExpressions": [{"key": "a", "operator": "is", "values": ["x"]}]}),
        json!({"matchExpressions": [{"key": "", "operator": "Exists"}]}),
    ] {
        assert!(!is_usable(Some(&selector)), "{selector}");
    }
}
