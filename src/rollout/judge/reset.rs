//! A new template or new steps begin a new attempt.

use super::Ruling;
use crate::plan::Event;
use crate::rollout::case::Case;

/// Whether template or steps are not those that the record is about.
///
/// An empty step hash counts as changed: a blue-green that becomes a canary, and a first deploy, begin at the first step.
pub fn needed(case: &Case<'_>) -> bool {
    let status = case.status();
    let steps_changed = case.is_canary() && status.current_step_hash != case.world.digest.steps_hash;
    steps_changed || status.current_pod_hash != case.new_hash()
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
    next.restarted_at = case.world.rollout.spec.restart_at;
    case.new_hash().clone_into(&mut next.current_pod_hash);
    next.current_step_hash = if case.is_canary() { case.world.digest.steps_hash.clone() } else { String::new() };
    next.current_step_index = case.end().map(|_| 0);
    if !next.stable_rs.is_empty() && next.stable_rs == next.current_pod_hash && case.end().is_some() {
        next.current_step_index = case.end();
        if case.status().current_pod_hash != next.current_pod_hash {
            ruling.events.push(Event::normal("SkipSteps", "Rollback to stable ReplicaSets"));
        }
    }
}
