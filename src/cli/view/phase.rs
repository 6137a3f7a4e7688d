//! Phase and message of a Rollout as clients compute them. Source: api-rollout §3.3.
//!
//! The controller's stored phase is taken where it is there and current; else the same rules are applied here.

use crate::api::names::WORKLOAD_GENERATION;
use crate::api::rollout_status::RolloutCondition;
use crate::api::{Meta, Rollout};

/// Phase (`Healthy`, `Degraded`, `Progressing`, `Paused` or empty) and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// The phase.
    pub phase: String,
    /// Why; may be empty.
    pub message: String,
}

impl Phase {
    fn of(phase: &str, message: &str) -> Self {
        Self { phase: phase.to_owned(), message: message.to_owned() }
    }

    fn progressing(message: &str) -> Self {
        Self::of("Progressing", message)
    }
}

/// Whose template the Rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Its own, or one that this client has not looked up.
    Own,
    /// That of the workload behind `workloadRef`.
    Resolved,
}

/// What a client shows.
pub fn phase(rollout: &Rollout, template: Template) -> Phase {
    let status = &rollout.status;
    if !observed(&rollout.metadata, &status.observed_generation) {
        return Phase::progressing("waiting for rollout spec update to be observed");
    }
    if status.controller_pause && status.pause_conditions.is_empty() {
        return Phase::progressing("waiting for rollout to unpause");
    }
    if template == Template::Resolved && !workload_observed(rollout) {
        return Phase::progressing("waiting for rollout spec update to be observed for the reference workload");
    }
    if !status.phase.is_empty() {
        return Phase::of(&status.phase, &status.message);
    }
    computed(rollout)
}

/// A generation that is no number, or ahead of the object's, counts as observed.
fn observed(metadata: &Meta, observed: &str) -> bool {
    observed.parse::<i64>().map_or(true, |observed| observed >= metadata.generation)
}

fn workload_observed(rollout: &Rollout) -> bool {
    let wanted = rollout.metadata.annotation(WORKLOAD_GENERATION).map(str::parse::<i32>);
    let seen = rollout.status.workload_observed_generation.parse::<i32>();
    match (wanted, seen) {
        (Some(Ok(wanted)), Ok(seen)) => wanted == seen,
        _ => true,
    }
}

/// The rules of the controller, on what is stored.
pub fn computed(rollout: &Rollout) -> Phase {
    let (spec, status) = (&rollout.spec, &rollout.status);
    if let Some(degraded) = status.conditions.iter().find_map(degraded) {
        return degraded;
    }
    if spec.paused {
        return Phase::of("Paused", "manually paused");
    }
    if let Some(pause) = status.pause_conditions.first() {
        return Phase::of("Paused", &pause.reason);
    }
    if spec.restart_at.is_some() && spec.restart_at != status.restarted_at {
        return Phase::progressing("rollout is restarting");
    }
    if status.updated_replicas < spec.replicas.unwrap_or(1) {
        return Phase::progressing("more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return Phase::progressing("updated replicas are still becoming available");
    }
    let waiting = if spec.strategy.blue_green.is_some() { blue_green(rollout) } else { canary(rollout) };
    waiting.map_or_else(|| Phase::of("Healthy", ""), Phase::progressing)
}

fn degraded(condition: &RolloutCondition) -> Option<Phase> {
    if condition.kind == "InvalidSpec" {
        return Some(Phase::of("Degraded", &format!("InvalidSpec: {}", condition.message)));
    }
    matches!(condition.reason.as_str(), "RolloutAborted" | "ProgressDeadlineExceeded")
        .then(|| Phase::of("Degraded", &format!("{}: {}", condition.reason, condition.message)))
}

fn blue_green(rollout: &Rollout) -> Option<&'static str> {
    let status = &rollout.status;
    let active = &status.blue_green.active_selector;
    if active.is_empty() || *active != status.current_pod_hash {
        return Some("active service cutover pending");
    }
    if promoted(rollout) {
        return None;
    }
    let strategy = rollout.spec.strategy.blue_green.as_ref();
    let analysed = strategy.is_some_and(|strategy| strategy.post_promotion_analysis.is_some());
    let run = status.blue_green.post_promotion_analysis_run_status.as_ref();
    let completed = |phase: &str| matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive");
    if analysed && !run.is_some_and(|run| completed(&run.status)) {
        return Some("waiting for analysis to complete");
    }
    Some("waiting for post-promotion verification to complete")
}

fn canary(rollout: &Rollout) -> Option<&'static str> {
    let canary = rollout.spec.strategy.canary.as_ref()?;
    if canary.traffic_routing.is_none() && rollout.status.replicas > rollout.status.updated_replicas {
        return Some("old replicas are pending termination");
    }
    (!promoted(rollout)).then_some("waiting for all steps to complete")
}

fn promoted(rollout: &Rollout) -> bool {
    let status = &rollout.status;
    !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash
}

#[cfg(test)]
mod tests;
