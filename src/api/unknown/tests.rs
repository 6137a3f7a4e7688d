use serde::Deserialize as _;
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

/// Manifests of the five kinds, chosen so that every field that occurs in the vectors occurs here.
const MANIFESTS: &str = include_str!("manifests.jsonl");

/// Reads an object as its type and writes it again.
fn round_trip(kind: &str, object: &Value) -> Result<Value, serde_json::Error> {
    match kind {
        "Rollout" => Rollout::deserialize(object).and_then(serde_json::to_value),
        "AnalysisTemplate" => AnalysisTemplate::deserialize(object).and_then(serde_json::to_value),
        "ClusterAnalysisTemplate" => ClusterAnalysisTemplate::deserialize(object).and_then(serde_json::to_value),
        "AnalysisRun" => AnalysisRun::deserialize(object).and_then(serde_json::to_value),
        _ => Experiment::deserialize(object).and_then(serde_json::to_value),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

/// What the API server stores: no field of ours is nullable, so it prunes explicit nulls.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Paths at which `written` does not say what `read` says. An empty value may be left out; a time may be in UTC.
fn lost(read: &Value, written: &Value, path: &str, unknown: &[String], found: &mut Vec<String>) {
    if is_empty(read) || unknown.iter().any(|unknown| unknown == path) || path.starts_with("metadata.") {
        return;
    }
    match (read, written) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, value) in fields {
                lost(value, written.get(name).unwrap_or(&Value::Null), &join(path, name), unknown, found);
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (index, (item, other)) in items.iter().zip(others).enumerate() {
                lost(item, other, &format!("{path}[{index}]"), unknown, found);
            }
        }
        (Value::String(text), Value::String(other)) if text.parse::<crate::api::time::Time>().is_ok() => {
            let time = |text: &str| text.parse::<crate::api::time::Time>().ok().map(crate::api::time::Time::truncated);
            if time(text) != time(other) {
                found.push(path.to_owned());
            }
        }
        _ if read != written => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn reading_and_writing_loses_nothing_that_is_known() {
    let mut count = 0;
    let mut unreadable = Vec::new();
    for line in MANIFESTS.split('\n').filter(|line| !line.is_empty()) {
        let manifest: Value = serde_json::from_str(line).unwrap();
        let (kind, object) = (manifest["kind"].as_str().unwrap(), &without_nulls(&manifest["object"]));
        let unknown = unknown_fields(kind, object);
        match round_trip(kind, object) {
            Ok(written) => {
                let mut found = Vec::new();
                lost(object, &written, "", &unknown, &mut found);
                assert_eq!(found, Vec::<String>::new(), "{kind} {line}");
                let again = round_trip(kind, &written).unwrap();
                assert_eq!(again, written, "{kind} {line}");
                count += 1;
            }
            Err(error) => unreadable.push((error.to_string(), line.to_owned())),
        }
    }
    // Some vectors hold values of a wrong type on purpose: these the schema refuses as well.
    for (error, line) in &unreadable {
        let manifest: Value = serde_json::from_str(line).unwrap();
        let refused = crate::api::crd::check(manifest["kind"].as_str().unwrap(), &manifest["object"]);
        assert!(!refused.is_empty(), "{error}: {line}");
    }
    assert!(count >= 30, "{count} read, {} not", unreadable.len());
}
