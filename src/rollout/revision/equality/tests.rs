use super::*;
use crate::rollout::revision::tests::any_json;
use serde_json::json;

/// Pairs of templates, and whether Argo Rollouts' own function calls them equal.
const CASES: &str = include_str!("cases.jsonl");

#[test]
fn templates_are_equal_where_argo_says_so() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let same = same_template_ignoring_hash(&case["stored"], &case["desired"]);
        assert_eq!(Value::Bool(same), case["same"], "{}", case["what"]);
    }
    assert!(CASES.lines().count() > 20);
}

fn desired() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}})
}

fn stored() -> Value {
    let mut stored = defaults::with_defaults(&desired());
    stored["metadata"]["labels"][HASH_LABEL] = json!("abc");
    stored
}

#[test]
fn what_the_controller_added_to_the_metadata_does_not_count() {
    let mut template = stored();
    template["metadata"]["labels"]["role"] = json!("canary");
    template["metadata"]["annotations"] = json!({"note": "x"});
    let added = json!({"labels": {"role": "anything"}, "annotations": {"note": "y", "absent": "z"}});
    assert!(same_template(&template, &desired(), Some(&added), InjectedTerm::None));
    assert!(!same_template(&template, &desired(), None, InjectedTerm::None));
    let less = json!({"labels": {"role": "canary"}});
    assert!(!same_template(&template, &desired(), Some(&less), InjectedTerm::None));
}

fn hash_term() -> Value {
    json!({
        "labelSelector": {"matchExpressions": [{"key": HASH_LABEL, "operator": "In", "values": ["old"]}]},
        "namespaces": ["prod"], "topologyKey": "kubernetes.io/hostname",
    })
}

#[test]
fn the_injected_term_does_not_count() {
    let own = json!({"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"});
    let mut template = stored();
    template["spec"]["affinity"] = json!({"podAntiAffinity": {REQUIRED: [hash_term()]}});
    assert!(same_template(&template, &desired(), None, InjectedTerm::Required));
    assert!(!same_template(&template, &desired(), None, InjectedTerm::Preferred));
    assert!(!same_template(&template, &desired(), None, InjectedTerm::None));

    let mut wanted = desired();
    wanted["spec"]["affinity"] = json!({"podAntiAffinity": {REQUIRED: [own]}});
    template["spec"]["affinity"] = json!({"podAntiAffinity": {REQUIRED: [own, hash_term()]}});
    assert!(same_template(&template, &wanted, None, InjectedTerm::Required));

    let weighted = json!({"weight": 5, "podAffinityTerm": hash_term()});
    template["spec"]["affinity"] = json!({"podAntiAffinity": {PREFERRED: [weighted]}});
    assert!(same_template(&template, &desired(), None, InjectedTerm::Preferred));
}

#[test]
fn only_the_first_injected_term_is_taken_out() {
    let mut template = stored();
    template["spec"]["affinity"] = json!({"podAntiAffinity": {REQUIRED: [hash_term(), hash_term()]}});
    assert!(!same_template(&template, &desired(), None, InjectedTerm::Required));
}

#[test]
fn the_strategy_says_which_term_may_be_injected() {
    let cases = [
        (json!({}), InjectedTerm::None),
        (json!({"canary": {"antiAffinity": {}}}), InjectedTerm::None),
        (json!({"canary": {"antiAffinity": {REQUIRED: {}}}}), InjectedTerm::Required),
        (json!({"blueGreen": {"antiAffinity": {PREFERRED: {"weight": 1}}}}), InjectedTerm::Preferred),
    ];
    for (strategy, want) in cases {
        assert_eq!(InjectedTerm::of_strategy(&strategy), want, "{strategy}");
    }
}

proptest::proptest! {
    #[test]
    fn any_template_equals_its_defaulted_self(template in any_json()) {
        proptest::prop_assert!(same_template_ignoring_hash(&defaults::with_defaults(&template), &template));
        same_template(&template, &template, Some(&template), InjectedTerm::Required);
    }
}
