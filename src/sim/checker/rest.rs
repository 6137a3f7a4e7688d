//! What holds once nothing moves any more: I01, I10, I16, I30, I34, I35, I40, I41 and I42 at rest.

use serde_json::Value;

use super::facts::{Facts, Share, hash, wanted};
use super::state::State;
use super::{bounds, managed};
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::sim::object;

/// Bytes of a status at most, whatever has happened.
const MAX_STATUS: usize = 64 * 1024;

/// Judges a Rollout at rest. An invalid one is left as it is.
///
/// # Errors
/// The ID and the numbers of the first promise that does not hold.
pub fn judge(state: &State, namespace: &str, name: &str) -> Result<(), String> {
    let Some(value) = state.get("Rollout", namespace, name) else { return Ok(()) };
    let Some(facts) = Facts::of(state, value) else { return Ok(()) };
    let status = &facts.rollout.status;
    if bounds::invalid(&facts) {
        return Ok(());
    }
    let measures = state.list("AnalysisRun", namespace).any(|run| object::text(run, "/status/phase") == "Running");
    // A restart waits for as long as a budget spares no pod, for pods that do not come, and for routes that a pod of nobody
    // keeps unsettled.
    let spares = |budget: &Value| object::integer(budget, "/status/disruptionsAllowed").unwrap_or(0) > 0;
    let refused = state.list("PodDisruptionBudget", namespace).any(|budget| !spares(budget));
    let missing = facts.sets().any(|rs| state.available(rs) < wanted(rs));
    let measures = measures || ((refused || missing || !owned(&facts)) && status.message.contains("restarting"));
    if !measures {
        deadline(&facts)?;
        if !matches!(status.phase.as_str(), "Healthy" | "Paused" | "Degraded") {
            return Err(format!("I34: at rest in {} {:?}", status.phase, status.message));
        }
        goes_on(&facts)?;
    }
    let size = value.get("status").map_or(0, |status| status.to_string().len());
    if size > MAX_STATUS {
        return Err(format!("I40: a status of {size} bytes"));
    }
    selectors(&facts)?;
    image(&facts)?;
    ends(&facts)?;
    aborted(&facts)?;
    sizes(&facts)?;
    weights(&facts)?;
    managed::at_rest(&facts)
}

/// I35 Deadline, its first half: what waits for pods of the new revision at rest, where every deadline has long passed, is
/// said to have exceeded it, or is aborted; but for what waits on purpose.
fn deadline(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    let Some(new) = facts.by_hash(&status.current_pod_hash) else { return Ok(()) };
    let (available, wanted) = (facts.state.available(new), wanted(new));
    let says = |reason: &str| status.condition("Progressing").is_some_and(|condition| condition.reason == reason);
    if status.phase != "Progressing" || available >= wanted || status.abort || says("ProgressDeadlineExceeded") {
        return Ok(());
    }
    Err(format!("I35: at rest with {available} of {wanted} pods, in {} {:?}", status.phase, status.message))
}

/// A release that nothing stands in the way of does not stop: nobody has paused or aborted it, and every pod is there.
/// One that is over is Healthy then.
fn goes_on(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    let promoted = status.stable_rs == status.current_pod_hash;
    let over = if promoted { status.phase == "Healthy" } else { status.abort };
    let held = facts.rollout.spec.paused || !status.pause_conditions.is_empty();
    let complete = facts.sets().all(|rs| facts.state.available(rs) >= wanted(rs));
    if over || held || !complete || !can_end(facts) {
        return Ok(());
    }
    let place = status.current_step_index.filter(|_| !promoted).map(|index| format!("at step {index}, "));
    let place = place.unwrap_or_default();
    Err(format!("I34: at rest {place}{} {:?}, with every pod there", status.phase, status.message))
}

/// Whether there are pods to wait for, no more than are wanted, no size that stands against a weight, every Service
/// that the strategy needs has a name and no pods but those of its revision, and no data plane refuses the routes.
fn can_end(facts: &Facts<'_>) -> bool {
    let canary = facts.rollout.spec.strategy.canary.as_ref();
    let threshold = canary.and_then(|canary| canary.replica_progress_threshold.as_ref());
    let unreachable = threshold.is_some_and(|threshold| threshold.kind == "Pods");
    let nameless = facts.routed().is_some_and(|(canary, stable)| canary.is_empty() || stable.is_empty());
    facts.replicas > 0
        && owned(facts)
        && (!facts.claimed() || facts.acknowledged())
        && facts.canary_scale().is_none()
        && !unreachable
        && !nameless
        && facts.active() != Some("")
}

/// Whether every pod near the Rollout belongs to somebody.
fn owned(facts: &Facts<'_>) -> bool {
    facts.state.list("Pod", facts.namespace()).all(|pod| object::controller_uid(pod).is_some())
}

/// Every Service that the Rollout names selects a revision of it, where somebody could be given it and nobody paused.
fn selectors(facts: &Facts<'_>) -> Result<(), String> {
    let stable = facts.by_hash(&facts.rollout.status.stable_rs).map_or(0, |rs| facts.state.available(rs));
    if facts.rollout.spec.paused || stable < (facts.replicas - facts.unavailable).max(1) {
        return Ok(());
    }
    let dangling = facts
        .services()
        .into_iter()
        .find(|service| !facts.selected(service).is_empty() && facts.target(service).is_none());
    match dangling {
        Some(service) => {
            Err(format!("I01: Service {service} selects {:?}, which is no revision", facts.selected(service)))
        }
        None => Ok(()),
    }
}

/// Healthy: every Service that the Rollout names and that selects a revision selects the stable one.
fn ends(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    if status.phase != "Healthy" || facts.rollout.spec.paused || facts.replicas == 0 {
        return Ok(());
    }
    let selects =
        |service: &&str| !matches!(facts.selected(service), hash if hash.is_empty() || hash == status.stable_rs);
    let idle = idle(facts);
    match facts.services().into_iter().filter(|service| Some(*service) != idle).find(selects) {
        Some(service) => Err(format!("I41: Healthy, and Service {service} selects {}", facts.selected(service))),
        None => Ok(()),
    }
}

/// Healthy: the stable revision was made with the image that is specified, whatever its template says today.
fn image(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    let past = facts.state.past.get(&facts.rollout.metadata.uid);
    let made = facts.by_hash(&status.stable_rs).and_then(|rs| past?.made.get(object::uid(rs)));
    let image = |value: &Value| object::at(value, "/spec/template/spec/containers/0/image").cloned();
    let (Some(wanted), Some(made)) = (image(facts.value), made.and_then(|made| image(made))) else { return Ok(()) };
    if status.phase != "Healthy" || made == wanted {
        return Ok(());
    }
    Err(format!("I41: Healthy with pods of {made} where {wanted} is specified"))
}

/// The side of ping and pong that has no part now: it stays on the revision that it served last.
fn idle<'f>(facts: &'f Facts<'_>) -> Option<&'f str> {
    let canary = facts.rollout.spec.strategy.canary.as_ref();
    facts.routed().filter(|_| canary.is_some_and(|canary| canary.ping_pong.is_some())).map(|sides| sides.0)
}

/// Aborted, with a complete stable revision that nothing keeps from serving: every Service that has users selects it, and
/// nobody else has pods, but for an aborted revision whose delay is 0, which the user has so decided to keep, and the one
/// that a preview Service still shows because the pods of the next never came.
fn aborted(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    let updating = status.stable_rs != status.current_pod_hash && !facts.rollout.spec.paused;
    let Some(stable) = facts.by_hash(&status.stable_rs).filter(|_| status.abort && updating) else { return Ok(()) };
    let full = facts.state.available(stable).min(wanted(stable)) >= facts.replicas;
    if !full || !can_end(facts) {
        return Ok(());
    }
    // What people look at before the switch stays on the revision that they are to look at.
    let preview = facts.rollout.spec.strategy.blue_green.as_ref().map_or("", |blue_green| &blue_green.preview_service);
    let idle = idle(facts);
    let mut users = facts.services().into_iter().filter(|service| *service != preview && Some(*service) != idle);
    if let Some(service) = users.find(|service| facts.selected(service) != status.stable_rs) {
        return Err(format!("I41: aborted, and Service {service} selects {:?}", facts.selected(service)));
    }
    let keeps = defaults::abort_scale_down(&facts.rollout) == AbortScaleDown::Never;
    let shown = |hash: &str| !preview.is_empty() && facts.selected(preview) == hash && hash != status.current_pod_hash;
    let kept = |rs: &Value| match hash(rs) {
        current if current == status.current_pod_hash => keeps,
        other => other == status.stable_rs || shown(other),
    };
    match facts.sets().find(|rs| wanted(rs) > 0 && !kept(rs)) {
        Some(rs) => Err(format!("I34: aborted, and {} still has {} pods at rest", object::name(rs), wanted(rs))),
        None => Ok(()),
    }
}

/// Healthy without a delay: exactly one revision has pods, as many as are wanted.
fn sizes(facts: &Facts<'_>) -> Result<(), String> {
    let status = &facts.rollout.status;
    if status.phase != "Healthy" {
        return Ok(());
    }
    let sizes: Vec<(&str, i64)> = facts.sets().map(|rs| (hash(rs), wanted(rs))).filter(|(_, size)| *size > 0).collect();
    let expected = if facts.replicas == 0 { Vec::new() } else { vec![(status.stable_rs.as_str(), facts.replicas)] };
    if sizes == expected { Ok(()) } else { Err(format!("I10: at rest {sizes:?}, expected {expected:?}")) }
}

/// The route holds what the record asks for, and the record says what the route holds.
fn weights(facts: &Facts<'_>) -> Result<(), String> {
    let Some((canary, stable)) = facts.routed() else { return Ok(()) };
    let status = &facts.rollout.status;
    let share = facts.canary_share();
    if let Some(told) = &status.canary.weights {
        let (canary, stable) = (i64::from(told.canary.weight.0), i64::from(told.stable.weight.0));
        if canary * share.whole != share.part * (canary + stable) {
            return Err(format!("I16: the status says {canary} to {stable}, the route's canary share is {share:?}"));
        }
    }
    // What is led around the stable Service reaches the stable revision.
    let around = facts.selected(canary) == status.stable_rs;
    if status.abort && share.part > 0 && !around {
        let available = facts.target(stable).map_or(0, |rs| facts.state.available(rs));
        let all = Share { part: 1, whole: 1 };
        let need = if facts.dynamic() { facts.whole(all) } else { facts.need(all) };
        if available >= need {
            return Err(format!("I30: {} with a canary share of {share:?}", status.phase));
        }
    }
    if status.phase == "Healthy" && share.part > 0 {
        return Err(format!("I42: Healthy with a canary share of {share:?}"));
    }
    bounds::drifted(facts).map_or(Ok(()), |what| Err(format!("I42: {what}")))
}
