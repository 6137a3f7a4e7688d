//! I24: the pods of the Deployment that a Rollout takes its template from are capacity too.

use std::sync::Arc;

use serde_json::Value;

use super::check::{Found, Write};
use super::facts::{Facts, HASH, Share, hash, wanted};
use super::pace::former_sizes;
use super::state::State;
use crate::api::{Rollout, names};
use crate::sim::object;

/// `maxSurge` of a Deployment that does not say, in percent, rounded up.
const SURGE_PERCENT: i64 = 25;

/// The workload that a Rollout takes its template from, as it is stored.
pub fn source<'s>(facts: &Facts<'s>) -> Option<&'s Arc<Value>> {
    referenced(facts.state, facts.value, &facts.rollout)
}

/// The same, where it is a Deployment.
pub fn deployment<'s>(facts: &Facts<'s>) -> Option<&'s Arc<Value>> {
    source(facts).filter(|_| facts.rollout.spec.workload_ref.as_ref().is_some_and(|r| r.kind == "Deployment"))
}

fn referenced<'s>(state: &'s State, value: &Value, rollout: &Rollout) -> Option<&'s Arc<Value>> {
    let reference = rollout.spec.workload_ref.as_ref()?;
    state.get(&reference.kind, object::namespace(value), &reference.name)
}

/// Pods that a Rollout stands for: `spec.replicas`; where that is absent, the current scale (I20).
pub fn replicas(state: &State, value: &Value, rollout: &Rollout) -> i32 {
    if let Some(replicas) = rollout.spec.replicas {
        return replicas;
    }
    let stable = |rs: &&Arc<Value>| {
        object::controller_uid(rs) == Some(object::uid(value))
            && object::label(rs, HASH) == Some(rollout.status.stable_rs.as_str())
    };
    let noted = |rs: &Value| object::annotation(rs, names::DESIRED_REPLICAS).and_then(|text| text.parse().ok());
    let sets = state.list("ReplicaSet", object::namespace(value)).filter(stable);
    let sizes = sets.map(|rs| noted(rs).unwrap_or_else(|| wanted(rs)));
    let deployment = referenced(state, value, rollout)
        .filter(|_| rollout.spec.workload_ref.as_ref().is_some_and(|reference| reference.kind == "Deployment"));
    let most = sizes.chain(deployment.map(|deployment| wanted(deployment))).max().unwrap_or(1).max(1);
    i32::try_from(most).unwrap_or(i32::MAX)
}

/// Available pods and all pods that a Deployment's ReplicaSets own.
fn pods(state: &State, deployment: &Value) -> (i64, i64, usize) {
    let sets: Vec<_> = state
        .list("ReplicaSet", object::namespace(deployment))
        .filter(|rs| object::controller_uid(rs) == Some(object::uid(deployment)))
        .collect();
    let all = |rs: &Value| i64::try_from(state.pods(rs).count()).unwrap_or(i64::MAX);
    let populated = sets.iter().filter(|rs| all(rs) > 0).count();
    (sets.iter().map(|rs| state.available(rs)).sum(), sets.iter().map(|rs| all(rs)).sum(), populated)
}

/// Pods of a Deployment that surely stay when it shrinks to its present `spec.replicas`: with one ReplicaSet those that
/// are not ready go first, else any. Where nobody has made it smaller, the pods beyond its size may be the surge of an
/// update of its own, which takes nothing away before it is there.
fn dependable(state: &State, deployment: &Value) -> i64 {
    let (available, all, populated) = pods(state, deployment);
    let size = wanted(deployment);
    let shrunk = object::annotation(deployment, names::DRAINED_FROM).is_some();
    let surge = if shrunk { 0 } else { (size * SURGE_PERCENT + 99) / 100 };
    if populated <= 1 { available.min(size) } else { (available - (all - size - surge).max(0)).max(0) }
}

/// Pods that can be counted on, of the Deployment and of the Rollout.
fn capacity(facts: &Facts<'_>, deployment: &Value) -> i64 {
    let own: i64 = facts.sets().map(|rs| facts.state.available(rs).min(wanted(rs))).sum();
    own + dependable(facts.state, deployment)
}

/// I24 Workload hand-over: no write of ours takes Σ avail(Deployment pods + Rollout pods) below N − maxUnavailable.
pub fn i24(write: &Write<'_>) -> Found {
    if !(write.is("Deployment") || write.is("ReplicaSet")) {
        return Ok(());
    }
    let (Some(old), Some(new)) = (deployment(write.before), deployment(write.after)) else { return Ok(()) };
    let facts = write.before;
    let shared = facts.routed().is_some() || facts.active().is_some();
    if write.is("ReplicaSet") && shared && facts.share_up(hash(write.left())) == Share::NONE {
        // Nobody is served by it: that is I04's and I23's matter.
        return Ok(());
    }
    let (before, after) = (capacity(write.before, old), capacity(write.after, new));
    // Absent changes of N: the pods for a larger one are still to come.
    let floor = former_sizes(write).min().map_or(write.after.replicas, |size| size.min(write.after.replicas))
        - write.after.unavailable;
    if after < floor && after < before {
        return Err(format!("{after} pods of Deployment and Rollout to count on, {floor} are promised"));
    }
    Ok(())
}

/// What is missing of what I24 promises, in a state where nothing has failed by itself: (available, promised).
pub fn shortage(state: &State, namespace: &str, name: &str) -> Option<(i64, i64)> {
    let facts = Facts::of(state, state.get("Rollout", namespace, name)?)?;
    let own: i64 = facts.sets().map(|rs| state.available(rs)).sum();
    let available = own + pods(state, deployment(&facts)?).0;
    let floor = facts.replicas - facts.unavailable;
    (available < floor).then_some((available, floor))
}
