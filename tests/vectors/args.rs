//! Of an analysis: composing, arguments, substitution, validation, rules.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use siskin::analysis::args::{ExperimentReplicaSet, Hashes, experiment_args, rollout_args};
use siskin::analysis::compose::{Caller, Templates, equal, run_spec};
use siskin::analysis::{rules, substitute, validate};
use siskin::api::analysis::{AnalysisRunSpec, AnalysisTemplateSpec, Argument, Metric};
use siskin::api::experiment::Experiment;
use siskin::api::rollout::{AnalysisRunArgument, DryRun, MeasurementRetention, TemplateRef};

use crate::file::Recorded;

pub const FILE: Recorded = Recorded { compared: |_, value| comparable(&value), ..Recorded::new("args", answer) };

fn answer(kind: &str, input: &Value) -> Option<Value> {
    Some(match kind {
        "compose" => compose_case(input),
        "dryRun" => dry_run_case(input),
        "equal" => equal_case(input),
        "experimentArg" => experiment_arg_case(input),
        "resolveMetric" => resolve_case(input),
        "retention" => retention_case(input),
        "rolloutArgs" => rollout_args_case(input),
        "validate" => validate_case(input),
        _ => return None,
    })
}

fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    if value.is_null() { T::default() } else { serde_json::from_value(value.clone()).unwrap() }
}

fn outcome<T: serde::Serialize, E: ToString>(result: Result<T, E>) -> Value {
    match result {
        Ok(value) => json!({"value": value}),
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// A template as the vectors write it; Go reads `null` lists as empty ones.
fn template_spec(value: &Value) -> AnalysisTemplateSpec {
    AnalysisTemplateSpec {
        metrics: read(&value["metrics"]),
        args: read(&value["args"]),
        dry_run: read(&value["dryRun"]),
        measurement_retention: read(&value["measurementRetention"]),
        templates: Vec::new(),
    }
}

fn compose_case(case: &Value) -> Value {
    let named = |list: &Value| -> Vec<(String, AnalysisTemplateSpec)> {
        let items = list.as_array().into_iter().flatten();
        items.map(|item| (item["name"].as_str().unwrap().to_owned(), template_spec(&item["spec"]))).collect()
    };
    let (namespaced, cluster) = (named(&case["templates"]), named(&case["clusterTemplates"]));
    let refs: Vec<TemplateRef> = namespaced
        .iter()
        .map(|(name, _)| TemplateRef { template_name: name.clone(), cluster_scope: false })
        .chain(cluster.iter().map(|(name, _)| TemplateRef { template_name: name.clone(), cluster_scope: true }))
        .collect();
    let lookup = |wanted: &TemplateRef| {
        let list = if wanted.cluster_scope { &cluster } else { &namespaced };
        list.iter().find(|(name, _)| *name == wanted.template_name).map(|(_, spec)| spec)
    };
    let templates = Templates::collect(&refs, &lookup).unwrap();
    let args: Vec<Argument> = read(&case["args"]);
    let dry_run: Vec<DryRun> = read(&case["dryRun"]);
    let retention: Vec<MeasurementRetention> = read(&case["measurementRetention"]);
    let caller = Caller { args: &args, dry_run: &dry_run, measurement_retention: &retention };
    outcome(run_spec(&templates, caller).map(|spec| {
        let names: Vec<&str> = spec.metrics.iter().map(|metric| metric.name.as_str()).collect();
        json!({
            "metrics": names,
            "args": spec.args,
            "dryRun": spec.dry_run,
            "measurementRetention": spec.measurement_retention,
        })
    }))
}

fn rollout_args_case(case: &Value) -> Value {
    let args: Vec<AnalysisRunArgument> = read(&case["args"]);
    let hashes =
        Hashes { stable: case["stableHash"].as_str().unwrap_or(""), latest: case["newHash"].as_str().unwrap_or("") };
    outcome(rollout_args(&args, &case["rollout"], hashes).at_creation())
}

fn experiment_arg_case(case: &Value) -> Value {
    let experiment: Experiment = read(&case["experiment"]);
    let sets: BTreeMap<String, Value> = read(&case["replicaSets"]);
    let sets: BTreeMap<String, ExperimentReplicaSet<'_>> = sets
        .iter()
        .map(|(template, set)| {
            let (name, hash) = (set["name"].as_str().unwrap(), set["hash"].as_str().unwrap());
            (template.clone(), ExperimentReplicaSet { name, hash })
        })
        .collect();
    let arg = Argument { name: "a".into(), value: Some(read(&case["value"])), value_from: None };
    outcome(experiment_args(&[arg], &experiment, &sets).map(|args| args[0].value.clone()))
}

fn named(names: &Value) -> Vec<Metric> {
    let names: Vec<String> = read(names);
    names.into_iter().map(|name| Metric { name, ..Metric::default() }).collect()
}

fn dry_run_case(case: &Value) -> Value {
    let rules: Vec<String> = read(&case["rules"]);
    let rules: Vec<DryRun> = rules.into_iter().map(|metric_name| DryRun { metric_name }).collect();
    outcome(rules::dry_run(&rules, &named(&case["metrics"])))
}

fn retention_case(case: &Value) -> Value {
    let rules: Vec<MeasurementRetention> = read(&case["rules"]);
    outcome(rules::retention(&rules, &named(&case["metrics"])))
}

fn equal_case(case: &Value) -> Value {
    let (left, right): (AnalysisRunSpec, AnalysisRunSpec) = (read(&case["left"]), read(&case["right"]));
    json!({"value": equal(&left, &right)})
}

fn resolve_case(case: &Value) -> Value {
    let args: Vec<Argument> = read(&case["args"]);
    outcome(substitute::metric(&read(&case["metric"]), &args))
}

fn validate_case(case: &Value) -> Value {
    let metrics: Vec<Metric> = read(&case["metrics"]);
    outcome(validate::metrics(&metrics).map(|()| true))
}

/// Without empty values; the error of an unterminated tag shows the JSON that follows it and only its beginning compares.
fn comparable(value: &Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), comparable(value)))
                .filter(|(key, value)| key == "value" || !empty(value))
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::String(text) if text.starts_with("failed to resolve {{") && text.contains("\",\"") => {
            json!(text.split("\",\"").next())
        }
        Value::String(text) if text.starts_with("failed to resolve {{") && text.contains("\"}") => {
            json!(text.split("\"}").next())
        }
        other => other.clone(),
    }
}
