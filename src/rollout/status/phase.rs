//! `status.phase` and `status.message`. Source: contract, api-rollout §3.3.

use crate::api::text::shortened;
use crate::api::{Rollout, RolloutStatus, names};
use crate::rollout::strategy::restart;

/// The four phases.
pub const HEALTHY: &str = "Healthy";
/// Something is wrong.
pub const DEGRADED: &str = "Degraded";
/// The update goes on.
pub const PROGRESSING: &str = "Progressing";
/// The update waits for a person or a time.
pub const PAUSED: &str = "Paused";
/// Message while pods of the current revision are not available.
pub const PODS_PENDING: &str = "updated replicas are still becoming available";
/// Message while the routes do not hold their final weights; Siskin's own, persisted phase only.
pub const WEIGHTS_PENDING: &str = "waiting for traffic weights to be verified";

/// A phase with the message that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseMessage {
    /// The phase.
    pub phase: &'static str,
    /// Why; empty where Healthy.
    pub message: String,
}

fn of(phase: &'static str, message: impl Into<String>) -> PhaseMessage {
    PhaseMessage { phase, message: shortened(message) }
}

/// The phase that the controller persists, from specification and status; the first rule that applies.
pub fn controller(rollout: &Rollout, status: &RolloutStatus) -> PhaseMessage {
    for condition in &status.conditions {
        if condition.kind == "InvalidSpec" {
            return of(DEGRADED, format!("InvalidSpec: {}", condition.message));
        }
        if matches!(condition.reason.as_str(), "RolloutAborted" | "ProgressDeadlineExceeded") {
            return of(DEGRADED, format!("{}: {}", condition.reason, condition.message));
        }
    }
    if rollout.spec.paused {
        return of(PAUSED, "manually paused");
    }
    if let Some(pause) = status.pause_conditions.first() {
        return of(PAUSED, pause.reason.clone());
    }
    if restart::pending_by(rollout, status).is_some() {
        return of(PROGRESSING, "rollout is restarting");
    }
    if status.updated_replicas < rollout.spec.replicas.unwrap_or(1) {
        return of(PROGRESSING, "more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return of(PROGRESSING, PODS_PENDING);
    }
    if rollout.spec.strategy.blue_green.is_some() {
        return blue_green(rollout, status);
    }
    match &rollout.spec.strategy.canary {
        Some(canary) if canary.traffic_routing.is_none() && status.replicas > status.updated_replicas => {
            of(PROGRESSING, "old replicas are pending termination")
        }
        Some(_) if !promoted(status) => of(PROGRESSING, "waiting for all steps to complete"),
        _ => of(HEALTHY, ""),
    }
}

fn blue_green(rollout: &Rollout, status: &RolloutStatus) -> PhaseMessage {
    let active = &status.blue_green.active_selector;
    if active.is_empty() || *active != status.current_pod_hash {
        return of(PROGRESSING, "active service cutover pending");
    }
    if promoted(status) {
        return of(HEALTHY, "");
    }
    let strategy = rollout.spec.strategy.blue_green.as_ref();
    let declared = strategy.is_some_and(|strategy| strategy.post_promotion_analysis.is_some());
    let run = status.blue_green.post_promotion_analysis_run_status.as_ref();
    let open = run.is_none_or(|run| !crate::analysis::phase::Phase::text_completed(&run.status));
    if declared && open {
        return of(PROGRESSING, "waiting for analysis to complete");
    }
    of(PROGRESSING, "waiting for post-promotion verification to complete")
}

/// Whether the current revision is the stable one.
pub fn promoted(status: &RolloutStatus) -> bool {
    !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash
}

/// Whether a user resumed and the controller has not seen it yet, as clients tell it.
pub fn unpausing(status: &RolloutStatus) -> bool {
    status.controller_pause && status.pause_conditions.is_empty()
}

/// Whether the template was taken from another workload when the object was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// It is the Rollout's own.
    Own,
    /// It was resolved from `workloadRef`.
    Workload,
}

impl TemplateSource {
    /// Where the template of a Rollout is that was read as it is stored.
    pub const fn of(rollout: &Rollout) -> Self {
        if rollout.spec.workload_ref.is_some() { Self::Workload } else { Self::Own }
    }
}

/// The phase that clients show: first whether the status is about what is specified now.
pub fn client(rollout: &Rollout, source: TemplateSource) -> PhaseMessage {
    let status = &rollout.status;
    let observed = status.observed_generation.parse::<i64>();
    if observed.is_ok_and(|observed| observed < rollout.metadata.generation) {
        return of(PROGRESSING, "waiting for rollout spec update to be observed");
    }
    if unpausing(status) {
        return of(PROGRESSING, "waiting for rollout to unpause");
    }
    if source == TemplateSource::Workload && !workload_observed(rollout) {
        return of(PROGRESSING, "waiting for rollout spec update to be observed for the reference workload");
    }
    match status.phase.as_str() {
        "" => controller(rollout, status),
        HEALTHY => of(HEALTHY, status.message.clone()),
        DEGRADED => of(DEGRADED, status.message.clone()),
        PAUSED => of(PAUSED, status.message.clone()),
        _ => of(PROGRESSING, status.message.clone()),
    }
}

/// Two generations count as different only where both are numbers.
fn workload_observed(rollout: &Rollout) -> bool {
    let annotated = rollout.metadata.annotation(names::WORKLOAD_GENERATION).and_then(|text| text.parse::<i32>().ok());
    let observed = rollout.status.workload_observed_generation.parse::<i32>().ok();
    match (annotated, observed) {
        (Some(annotated), Some(observed)) => annotated == observed,
        _ => true,
    }
}
