//! A new template or new steps begin a new attempt.

use super::Ruling;
use crate::api::{Rollout, Time};
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::strategy::steps;

/// Whether template or steps are not those that the record is about.
///
/// An empty step hash counts as changed: a blue-green that becomes a canary, and a first deploy, begin at the first step.
pub fn needed(case: &Case<'_>) -> bool {
    // A record that names no revision yet is about none.
    case.status().current_pod_hash.is_empty()
        || changed(&case.world.rollout, &case.world.digest.steps_hash, case.new_hash())
}

/// Whether the record is about other steps or another revision. Source: contract, behaviour §6.
pub fn changed(rollout: &Rollout, steps_hash: &str, new_hash: &str) -> bool {
    let status = &rollout.status;
    let recorded = status.current_step_hash.as_str();
    let steps_changed = rollout.spec.strategy.canary.is_some() && (recorded.is_empty() || recorded != steps_hash);
    steps_changed || (!status.current_pod_hash.is_empty() && status.current_pod_hash != new_hash)
}

/// Clears what belonged to the attempt before. Weights and the stable revision stay. Source: contract, api-rollout §3.2.
pub fn begin(case: &Case<'_>, ruling: &mut Ruling) {
    let next = &mut ruling.next;
    ruling.reset = true;
    next.pause_conditions.clear();
    next.controller_pause = false;
    next.abort = false;
    next.aborted_at = None;
    next.promote_full = false;
    next.canary.current_step_analysis_run_status = None;
    next.canary.current_background_analysis_run_status = None;
    next.canary.step_plugin_statuses.clear();
    next.blue_green.pre_promotion_analysis_run_status = None;
    next.blue_green.post_promotion_analysis_run_status = None;
    next.blue_green.scale_up_preview_check_point = false;
    next.restarted_at = case.world.rollout.spec.restart_at.map(Time::truncated);
    case.new_hash().clone_into(&mut next.current_pod_hash);
    next.current_step_hash = if case.is_canary() { case.world.digest.steps_hash.clone() } else { String::new() };
    if !crate::mutant!("new-revision-keeps-step") {
        next.current_step_index = steps::first(&case.world.rollout);
    }
    if !next.stable_rs.is_empty() && next.stable_rs == next.current_pod_hash && case.end().is_some() {
        next.current_step_index = case.end();
        if case.status().current_pod_hash != next.current_pod_hash {
            ruling.events.push(Event::normal("SkipSteps", "Rollback to stable ReplicaSets"));
        }
    }
}
