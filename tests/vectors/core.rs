//! Replica arithmetic, steps and phases.

use serde_json::{Value, json};
use siskin::api::rollout::ReplicaProgressThreshold;
use siskin::api::steps::{CanaryStep, Pause};
use siskin::api::{Rollout, RolloutStatus};
use siskin::rollout::defaults;
use siskin::rollout::revision::hash::steps_hash;
use siskin::rollout::safety::pace::{self, Room};
use siskin::rollout::size::{Size, Sizes};
use siskin::rollout::status::{health, phase as phases};
use siskin::rollout::strategy::{ratio, steps as canary_steps};

use super::file::Answer;

fn rollout(value: &Value) -> Rollout {
    serde_json::from_value(value.clone()).expect("a Rollout")
}

fn size(value: &Value) -> Option<Size> {
    let number = |key: &str| i32::try_from(value[key].as_i64().unwrap_or(0)).unwrap();
    value.is_object().then(|| Size {
        spec: number("spec"),
        replicas: number("replicas"),
        available: number("available"),
    })
}

/// The revisions of a case; a stable one with the new one's hash is the same revision.
fn sizes(input: &Value) -> Sizes {
    let stable = &input["stableRS"];
    let distinct = stable["hash"] != input["newRS"]["hash"] || input["newRS"].is_null();
    Sizes {
        new: size(&input["newRS"]),
        stable: size(stable).filter(|_| distinct),
        others: input["olderRSs"].as_array().into_iter().flatten().filter_map(size).collect(),
    }
}

fn replicas_of(rollout: &Rollout) -> i32 {
    rollout.spec.replicas.unwrap_or(1)
}

fn next(rollout: &Rollout, sizes: &Sizes) -> ratio::Ratio {
    let replicas = replicas_of(rollout);
    let (surge, unavailable) = defaults::fenceposts(rollout, replicas);
    let weight = match canary_steps::canary_size(rollout) {
        canary_steps::CanarySize::Weight(weight) => weight,
        canary_steps::CanarySize::Replicas(_) => 0,
    };
    let goal = ratio::basic(sizes, replicas, (weight, defaults::max_traffic_weight(rollout)), surge);
    pace::basic(sizes, goal, Room { replicas, surge, unavailable })
}

pub fn replicas(kind: &str, input: &Value) -> Answer {
    match kind {
        "fenceposts" => {
            let rollout = rollout(&input["rollout"]);
            let (surge, unavailable) = defaults::fenceposts(&rollout, replicas_of(&rollout));
            Some(json!({"maxSurge": surge, "maxUnavailable": unavailable}))
        }
        "basic" => {
            let found = next(&rollout(&input["rollout"]), &sizes(input));
            Some(json!({"new": found.new, "stable": found.stable}))
        }
        "converge" => Some(converge(&rollout(&input["rollout"]), sizes(input))),
        "traffic" => traffic(input),
        "threshold" => threshold(input),
        _ => None,
    }
}

/// Passes of one convergence.
const PASSES: usize = 12;

/// Applies the arithmetic again and again: every pod becomes available at once, older revisions lose one pod a pass.
fn converge(rollout: &Rollout, mut sizes: Sizes) -> Value {
    let mut trace: Vec<Value> = Vec::new();
    for _ in 0..PASSES {
        let found = next(rollout, &sizes);
        trace.push(json!([found.new, found.stable]));
        let full = |count: i32| Size { spec: count, replicas: count, available: count };
        sizes.new = sizes.new.map(|_| full(found.new));
        sizes.stable = sizes.stable.map(|_| full(found.stable));
        for other in sizes.others.iter_mut().filter(|size| size.spec > 0) {
            *other = full(other.spec - 1);
        }
    }
    Value::Array(trace)
}

fn traffic(input: &Value) -> Answer {
    let rollout = rollout(&input["rollout"]);
    if rollout.spec.strategy.canary.as_ref()?.dynamic_stable_scale {
        return None;
    }
    let (replicas, max) = (replicas_of(&rollout), defaults::max_traffic_weight(&rollout));
    let floor = rollout.spec.strategy.canary.as_ref()?.min_pods_per_replica_set;
    let new = match canary_steps::canary_size(&rollout) {
        canary_steps::CanarySize::Replicas(count) => count,
        canary_steps::CanarySize::Weight(weight) => {
            ratio::with_floor(ratio::by_weight(replicas, weight, max), floor, replicas)
        }
    };
    Some(json!({"new": new, "stable": replicas}))
}

fn threshold(input: &Value) -> Answer {
    let threshold: Option<ReplicaProgressThreshold> = serde_json::from_value(input["threshold"].clone()).ok()?;
    let size = size(&input["rs"])?;
    let desired = i32::try_from(input["desired"].as_i64()?).ok()?;
    threshold.is_none().then(|| json!(size.spec == desired && size.available == desired))
}

pub fn steps(kind: &str, input: &Value) -> Answer {
    match kind {
        "duration" => {
            let pause: Pause = serde_json::from_value(input["pause"].clone()).ok()?;
            Some(json!(defaults::pause_seconds(&pause).map_or(-1, |seconds| seconds.unwrap_or(0))))
        }
        "index" => index(input),
        _ => None,
    }
}

fn index(input: &Value) -> Answer {
    let rollout = rollout(&input["rollout"]);
    let canary = rollout.spec.strategy.canary.clone().unwrap_or_default();
    if canary.dynamic_stable_scale && rollout.status.abort {
        return None;
    }
    let (replicas, weight) = match canary_steps::canary_size(&rollout) {
        canary_steps::CanarySize::Replicas(count) => (json!(count), 0),
        canary_steps::CanarySize::Weight(weight) => (Value::Null, weight),
    };
    let len = canary_steps::len(&rollout);
    let mut current = json!(canary_steps::current(&rollout));
    if let Some(experiment) = current.get_mut("experiment").filter(|experiment| experiment.is_object()) {
        // Go prints these two structs even where they are empty.
        experiment["analysisRunMetadata"] = json!({});
        for template in experiment["templates"].as_array_mut().into_iter().flatten() {
            template["metadata"] = json!({});
        }
    }
    Some(json!({
        "current": current,
        "index": canary_steps::index(&rollout),
        "setWeight": canary_steps::set_weight(&rollout),
        "desiredWeight": canary_steps::set_weight(&rollout),
        "canaryScale": canary_steps::canary_scale(&rollout),
        "replicasOrWeight": {"replicas": replicas, "weight": weight},
        "experimentStep": experiment_step(&rollout),
        "resetIndex": if len == 0 { Value::Null } else { json!(0) },
        "beforeStartingStep": canary_steps::before_starting_step(&rollout, &canary),
        "stepHash": steps_hash(&input["rollout"]["spec"]["strategy"]),
    }))
}

fn experiment_step(rollout: &Rollout) -> Value {
    if canary_steps::current(rollout).is_none() {
        return Value::Null;
    }
    let end = canary_steps::index(rollout).and_then(|index| usize::try_from(index + 1).ok()).unwrap_or(0);
    let found = canary_steps::steps(rollout).iter().take(end).rev().find_map(|step| step.experiment.as_ref());
    found.and_then(|step| step.templates.first()).map_or(Value::Null, |template| json!(template.name))
}

pub fn phase(kind: &str, input: &Value) -> Answer {
    match kind {
        "stepString" => {
            let step: CanaryStep = serde_json::from_value(input["step"].clone()).ok()?;
            Some(json!(canary_steps::describe(&step)))
        }
        "conditions" => {
            let rollout = rollout(&input["rollout"]);
            let new: RolloutStatus = serde_json::from_value(input["newStatus"].clone()).ok()?;
            Some(json!({
                "progressing": health::progressing(&rollout, &rollout.status, &new),
                "healthy": health::healthy(&rollout, &new, &rollout.status.observed_generation),
                "completed": health::completed(&new),
            }))
        }
        _ => {
            let rollout = rollout(&input["rollout"]);
            let source = if input["templateResolvedFromRef"] == json!(true) {
                phases::TemplateSource::Workload
            } else {
                phases::TemplateSource::Own
            };
            let controller = phases::controller(&rollout, &rollout.status);
            let client = phases::client(&rollout, source);
            let show = |shown: phases::PhaseMessage| json!({"phase": shown.phase, "message": shown.message});
            Some(json!({
                "controller": show(controller),
                "client": show(client),
                "fullyPromoted": rollout.status.stable_rs == rollout.status.current_pod_hash,
                "unpausing": phases::unpausing(&rollout.status),
            }))
        }
    }
}
