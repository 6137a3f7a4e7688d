use serde_json::{Value, json};

use super::*;

fn canary() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "r", "labels": {"any": "thing"}, "finalizers": ["x"], "managedFields": [{"manager": "m"}]},
        "spec": {
            "replicas": 5, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
            "strategy": {"canary": {
                "steps": [{"setWeight": 20}, {"pause": {"duration": "1m"}}],
                "trafficRouting": {"istio": {"virtualService": {"name": "v"}},
                    "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "h"}}},
            }},
        },
    })
}

#[test]
fn knows_every_field_of_a_good_manifest() {
    assert_eq!(unknown_fields("Rollout", &canary()), Vec::<String>::new());
}

#[test]
fn names_the_place_of_each_unknown_field() {
    let mut rollout = canary();
    rollout["metadata"]["label"] = json!({});
    rollout["spec"]["replica"] = json!(1);
    rollout["spec"]["strategy"]["canary"]["steps"][1]["pause"]["durations"] = json!("1m");
    rollout["spec"]["strategy"]["canary"]["trafficRouting"]["istio"]["virtualService"]["route"] = json!([]);
    rollout["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = json!("Always");
    let mut found = unknown_fields("Rollout", &rollout);
    found.sort();
    assert_eq!(
        found,
        [
            "metadata.label",
            "spec.replica",
            "spec.strategy.canary.steps[1].pause.durations",
            "spec.strategy.canary.trafficRouting.istio.virtualService.route",
            "spec.template.spec.containers[0].imagePullPolice",
        ]
    );
}

#[test]
fn looks_into_jobs_and_experiments() {
    let run = json!({"spec": {"metrics": [{"name": "m", "provider": {"job": {"spec": {"template": {}, "backofLimit": 1}}}}]}});
    assert_eq!(unknown_fields("AnalysisRun", &run), ["spec.metrics[0].provider.job.spec.backofLimit"]);
    let experiment =
        json!({"spec": {"templates": [{"name": "a"}, {"name": "b", "template": {"spec": {"container": []}}}]}});
    assert_eq!(unknown_fields("Experiment", &experiment), ["spec.templates[1].template.spec.container"]);
    assert_eq!(unknown_fields("Deployment", &json!({"x": 1})), Vec::<String>::new());
}
