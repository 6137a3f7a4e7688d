//! Replica arithmetic.

use serde_json::{Value, json};
use siskin::api::Rollout;
use siskin::api::rollout::ReplicaProgressThreshold;
use siskin::api::rollout_status::TrafficWeights;
use siskin::rollout::defaults;
use siskin::rollout::safety::pace::{self, Room};
use siskin::rollout::size::{Size, Sizes};
use siskin::rollout::strategy::desired::{self, Weights};
use siskin::rollout::strategy::{blue_green, ratio::Ratio};

use crate::file::Recorded;

/// Passes of one convergence.
const PASSES: usize = 12;

pub const FILE: Recorded = Recorded::new("replicas", answer);

fn answer(kind: &str, input: &Value) -> Option<Value> {
    if kind == "threshold" {
        return threshold(input);
    }
    let rollout = rollout(&input["rollout"])?;
    match kind {
        "fenceposts" => {
            let (surge, unavailable) = defaults::fenceposts(&rollout, replicas(&rollout));
            Some(json!({"maxSurge": surge, "maxUnavailable": unavailable}))
        }
        "basic" => Some(pair(next(&rollout, &sizes(input), None))),
        "traffic" => Some(pair(next(&rollout, &sizes(input), weights(input).ok()?))),
        "converge" => Some(converge(&rollout, sizes(input))),
        "atDesired" => Some(json!(desired::reached(&rollout, replicas(&rollout), &sizes(input), weights(input).ok()?))),
        "newRS" => new_size(&rollout, input),
        _ => None,
    }
}

pub fn rollout(value: &Value) -> Option<Rollout> {
    serde_json::from_value(value.clone()).ok()
}

/// Wanted pods of a Rollout of which nothing runs yet.
pub fn replicas(rollout: &Rollout) -> i32 {
    rollout.spec.replicas.unwrap_or(1)
}

fn size(value: &Value) -> Option<Size> {
    let number = |key: &str| i32::try_from(value[key].as_i64().unwrap_or(0)).ok();
    value.as_object()?;
    Some(Size { spec: number("spec")?, replicas: number("replicas")?, available: number("available")? })
}

/// The revisions of a case; a stable one with the new one's hash is the same revision.
pub fn sizes(input: &Value) -> Sizes {
    let (new, stable) = (&input["newRS"], &input["stableRS"]);
    let distinct = stable["hash"] != new["hash"] || new.is_null();
    let olders = input["olderRSs"].as_array().into_iter().flatten();
    Sizes { new: size(new), stable: size(stable).filter(|_| distinct), others: olders.filter_map(size).collect() }
}

/// The weights of a case, if it has any.
///
/// # Errors
/// They do not parse.
fn weights(input: &Value) -> serde_json::Result<Option<Weights>> {
    let weights: Option<TrafficWeights> = serde_json::from_value(input["weights"].clone())?;
    Ok(weights.map(|weights| Weights { canary: weights.canary.weight.0, stable: weights.stable.weight.0 }))
}

fn pair(ratio: Ratio) -> Value {
    json!({"new": ratio.new, "stable": ratio.stable})
}

/// The next sizes of a canary: paced without a router.
fn next(rollout: &Rollout, sizes: &Sizes, weights: Option<Weights>) -> Ratio {
    let replicas = replicas(rollout);
    let goal = desired::sizes(rollout, replicas, sizes, weights);
    if rollout.spec.strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some()) {
        return goal;
    }
    let (surge, unavailable) = defaults::fenceposts(rollout, replicas);
    pace::basic(sizes, goal, Room { replicas, surge, unavailable })
}

/// Applies the arithmetic again and again: every pod becomes available at once, older revisions lose one pod a pass.
fn converge(rollout: &Rollout, mut sizes: Sizes) -> Value {
    let mut trace: Vec<Value> = Vec::new();
    for _ in 0..PASSES {
        let found = next(rollout, &sizes, None);
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

fn threshold(input: &Value) -> Option<Value> {
    let threshold: Option<ReplicaProgressThreshold> = serde_json::from_value(input["threshold"].clone()).ok()?;
    let wanted = i32::try_from(input["desired"].as_i64()?).ok()?;
    Some(json!(size(&input["rs"]).is_some_and(|size| desired::enough(threshold.as_ref(), size, wanted))))
}

/// The size of the new revision; the stable one is found among the others by its hash.
fn new_size(rollout: &Rollout, input: &Value) -> Option<Value> {
    let all = || input["allRSs"].as_array().into_iter().flatten();
    let new = &input["newRS"];
    if let Some(strategy) = &rollout.spec.strategy.blue_green {
        let active = rollout.status.blue_green.active_selector.as_str();
        let known = |rs: &&Value| !active.is_empty() && rs["hash"] == active;
        let active = all().chain([new]).find(known).and_then(|rs| rs["hash"].as_str());
        return Some(json!(blue_green::desired_size(
            rollout,
            replicas(rollout),
            strategy,
            (new["hash"].as_str(), active)
        )));
    }
    let is_stable = |rs: &&Value| rs["hash"] == rollout.status.stable_rs.as_str();
    let stable = all().find(is_stable).filter(|stable| stable["hash"] != new["hash"]);
    let others = all().filter(|rs| !is_stable(rs) && rs["hash"] != new["hash"]);
    let sizes = Sizes { new: size(new), stable: stable.and_then(size), others: others.filter_map(size).collect() };
    Some(json!(next(rollout, &sizes, weights(input).ok()?).new))
}
