//! The current step, what it means, and when steps begin anew.

use serde_json::{Value, json};
use siskin::api::Rollout;
use siskin::api::steps::Pause;
use siskin::rollout::defaults;
use siskin::rollout::judge::reset;
use siskin::rollout::revision::hash::{pod_template_hash, steps_hash};
use siskin::rollout::strategy::steps as canary_steps;

use super::replicas::{replicas, rollout, sizes};

use crate::file::Recorded;

pub const FILE: Recorded = Recorded::new("steps", answer);

fn answer(kind: &str, input: &Value) -> Option<Value> {
    match kind {
        "duration" => {
            let pause: Pause = serde_json::from_value(input["pause"].clone()).ok()?;
            Some(json!(defaults::pause_seconds(&pause).map_or(-1, |seconds| seconds.unwrap_or(0))))
        }
        "index" => index(input),
        "change" => change(input),
        _ => None,
    }
}

fn index(input: &Value) -> Option<Value> {
    let rollout = rollout(&input["rollout"])?;
    let canary = rollout.spec.strategy.canary.clone().unwrap_or_default();
    let (replicas, sizes) = (replicas(&rollout), sizes(input));
    let followed = match canary_steps::canary_size(&rollout, replicas, &sizes) {
        canary_steps::CanarySize::Replicas(count) => json!({"replicas": count, "weight": 0}),
        canary_steps::CanarySize::Weight(weight) => json!({"replicas": null, "weight": weight}),
    };
    let experiment = canary_steps::experiment(&rollout).and_then(|step| step.templates.first());
    Some(json!({
        "current": printed(&rollout),
        "index": canary_steps::index(&rollout),
        "setWeight": canary_steps::set_weight(&rollout),
        "desiredWeight": canary_steps::desired_weight(&rollout, replicas, &sizes),
        "canaryScale": canary_steps::canary_scale(&rollout),
        "replicasOrWeight": followed,
        "experimentStep": experiment.map(|template| &template.name),
        "resetIndex": canary_steps::first(&rollout),
        "beforeStartingStep": canary_steps::before_starting_step(&rollout, &canary),
        "stepHash": steps_hash(&input["rollout"]["spec"]["strategy"]),
    }))
}

/// The current step as Go prints it: two structs of an experiment even where they are empty.
fn printed(rollout: &Rollout) -> Value {
    let mut current = json!(canary_steps::current(rollout));
    if let Some(experiment) = current.get_mut("experiment").filter(|experiment| experiment.is_object()) {
        let put = |object: &mut Value, key: &str| {
            if object[key].is_null() {
                object[key] = json!({});
            }
        };
        put(experiment, "analysisRunMetadata");
        for template in experiment["templates"].as_array_mut().into_iter().flatten() {
            put(template, "metadata");
        }
    }
    current
}

fn change(input: &Value) -> Option<Value> {
    let mut rollout = rollout(&input["rollout"])?;
    let spec = &input["rollout"]["spec"];
    let hash = steps_hash(&spec["strategy"]);
    if rollout.status.current_step_hash == "@" {
        rollout.status.current_step_hash.clone_from(&hash);
    }
    let computed = pod_template_hash(&spec["template"], rollout.status.collision_count);
    if rollout.status.current_pod_hash == "@" {
        rollout.status.current_pod_hash.clone_from(&computed);
    }
    let new = input["newRSHash"].as_str().unwrap_or(&computed);
    Some(json!({
        "stepsOrTemplateChanged": reset::changed(&rollout, &hash, new),
        "resetIndex": canary_steps::first(&rollout),
    }))
}
