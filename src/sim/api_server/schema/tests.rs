//! Our own definitions, installed as a user installs them.

use serde_json::{Value, json};

use super::super::tests::{Bench, bench, refusal};
use crate::api::crd;

fn installed() -> Bench {
    let bench = bench();
    for definition in crd::crds() {
        bench.hand.create("CustomResourceDefinition", definition).unwrap();
    }
    bench
}

fn rollout() -> Value {
    let mut rollout = super::super::tests::rollout("web");
    rollout["spec"]["selector"] = json!({ "matchLabels": { "app": "web" } });
    rollout["spec"]["strategy"] = json!({ "canary": { "steps": [{ "setWeight": 20 }] } });
    rollout
}

#[test]
fn a_definition_is_established_and_serves() {
    let bench = installed();
    let stored = bench.hand.get("CustomResourceDefinition", "", "rollouts.argoproj.io").unwrap();
    let types: Vec<&str> =
        stored["status"]["conditions"].as_array().unwrap().iter().filter_map(|c| c["type"].as_str()).collect();
    assert_eq!(types, ["NamesAccepted", "Established"]);
    assert_eq!(stored["status"]["storedVersions"], json!(["v1alpha1"]));
    bench.hand.create("Rollout", rollout()).unwrap();
    bench.hand.delete("CustomResourceDefinition", "", "rollouts.argoproj.io").unwrap();
    assert!(bench.hand.create("Rollout", rollout()).is_err(), "the kind has gone, and its objects with it");
    let mut odd = stored.as_ref().clone();
    odd["metadata"] = json!({ "name": "other.argoproj.io" });
    assert!(bench.hand.create("CustomResourceDefinition", odd).unwrap_err().message.contains("rollouts.argoproj.io"));
}

#[test]
fn unknown_fields_are_pruned() {
    let bench = installed();
    let mut odd = rollout();
    odd["spec"]["replicsa"] = json!(3);
    odd["metadata"]["annotations"] = json!({ "kept": "yes" });
    odd["spec"]["template"]["spec"]["containers"][0]["anything"] = json!({ "kept": true });
    let stored = bench.hand.create("Rollout", odd).unwrap();
    assert_eq!(stored["spec"].get("replicsa"), None);
    assert_eq!(stored["metadata"]["annotations"]["kept"], json!("yes"));
    assert_eq!(stored["spec"]["strategy"]["canary"]["steps"][0]["setWeight"], json!(20));
}

#[test]
fn wrong_types_and_missing_fields_are_refused() {
    let bench = installed();
    for (change, expected) in [
        (json!({ "spec": { "replicas": "three" } }), "spec.replicas in body must be of type integer: \"string\""),
        (json!({ "spec": { "strategy": { "canary": { "steps": { "a": 1 } } } } }), "must be of type array"),
    ] {
        let mut odd = rollout();
        json_patch::merge(&mut odd, &change);
        let refused = bench.hand.create("Rollout", odd).unwrap_err();
        assert_eq!(refused.code, 422);
        assert!(refused.message.contains(expected), "{}", refused.message);
    }
    let template = json!({ "metadata": { "name": "t" }, "spec": { "metrics": [{ "interval": "1s" }] } });
    let refused = bench.hand.create("AnalysisTemplate", template).unwrap_err();
    assert!(refused.message.contains("spec.metrics[0].name: Required value"), "{}", refused.message);
}

#[test]
fn a_selector_stays_as_it_is() {
    let bench = installed();
    bench.hand.create("Rollout", rollout()).unwrap();
    let patch = json!({ "spec": { "selector": { "matchLabels": { "app": "other" } } } });
    let refused = bench.hand.merge("Rollout", ("default", "web"), &patch).unwrap_err();
    assert!(refused.code == 422 && refused.message.contains(".spec.selector is immutable"), "{}", refused.message);
    bench.hand.merge("Rollout", ("default", "web"), &json!({ "spec": { "replicas": 5 } })).unwrap();
}

#[test]
fn what_was_wrong_before_may_stay() {
    let bench = bench();
    let mut odd = rollout();
    odd["spec"]["minReadySeconds"] = json!("soon");
    bench.hand.create("Rollout", odd).unwrap();
    for definition in crd::crds() {
        bench.hand.create("CustomResourceDefinition", definition).unwrap();
    }
    bench.hand.merge("Rollout", ("default", "web"), &json!({ "spec": { "replicas": 5 } })).unwrap();
    let worse = json!({ "spec": { "minReadySeconds": "later", "revisionHistoryLimit": "few" } });
    let refused = bench.hand.merge("Rollout", ("default", "web"), &worse).unwrap_err();
    assert!(refused.message.contains("revisionHistoryLimit"), "{}", refused.message);
}

#[tokio::test]
async fn strictness_is_the_clients_choice() {
    let bench = installed();
    let mut odd = rollout();
    odd["spec"]["replicsa"] = json!(3);
    let api = bench.rollouts();
    let strict = kube::api::PostParams::default();
    let request = api.create(&strict, &super::super::tests::dynamic(odd.clone())).await.unwrap();
    assert_eq!(request.data["spec"].get("replicsa"), None);
    let patch =
        kube::api::PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..Default::default() };
    let body = kube::api::Patch::Merge(json!({ "spec": { "replicsa": 1 } }));
    assert_eq!(refusal(api.patch("web", &patch, &body).await), (400, "BadRequest".to_owned()));
}
