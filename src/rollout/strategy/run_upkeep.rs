//! AnalysisRuns that are no longer wanted: stopped, and after a while deleted.

use serde_json::json;

use crate::analysis::phase::Phase;
use crate::api::{AnalysisRun, names};
use crate::plan::{Effect, ObjectRef, Phase as PlanPhase, Precondition, Verb};
use crate::rollout::case::Case;
use crate::rollout::defaults;
use crate::rollout::strategy::analysis;

/// Deletions of runs in one plan.
const MAX_DELETIONS: usize = 10;

/// Stops runs that are not in `kept`, and deletes finished ones beyond the history limits. Source: contract, behaviour §11.
pub fn effects(case: &Case<'_>, kept: &[&str]) -> Vec<Effect> {
    let others = || case.world.runs.iter().filter(|run| !kept.contains(&run.metadata.name.as_str()));
    let mut effects: Vec<Effect> = others().filter_map(|run| leave(case, run)).collect();
    let (successful_limit, other_limit) = defaults::run_history_limits(&case.world.rollout);
    let (mut successful, mut unsuccessful) = (0, 0);
    let mut deletions = 0;
    // The newest first: the oldest are beyond the limits.
    for run in others().rev().filter(|run| Phase::text_completed(&run.status.phase)) {
        let (count, limit) = if run.status.phase == Phase::Successful.as_str() {
            (&mut successful, successful_limit)
        } else {
            (&mut unsuccessful, other_limit)
        };
        *count += 1;
        let recorded = is_recorded(case, run);
        if !recorded && deletions < MAX_DELETIONS && (*count > limit || orphaned(case, run)) {
            deletions += 1;
            effects.push(delete(run));
        }
    }
    effects
}

/// Whether the revision that the run measured is gone.
fn orphaned(case: &Case<'_>, run: &AnalysisRun) -> bool {
    let Some(hash) = run.metadata.label(names::POD_HASH) else { return true };
    !case.world.replica_sets.iter().any(|rs| rs.pod_hash() == hash && rs.metadata.deletion_timestamp.is_none())
}

/// Whether the status still names the run: people look it up there.
fn is_recorded(case: &Case<'_>, run: &AnalysisRun) -> bool {
    let status = case.status();
    let named = [
        &status.canary.current_step_analysis_run_status,
        &status.canary.current_background_analysis_run_status,
        &status.blue_green.pre_promotion_analysis_run_status,
        &status.blue_green.post_promotion_analysis_run_status,
    ];
    named.into_iter().flatten().any(|recorded| recorded.name == run.metadata.name)
}

/// Stops a run that goes on, and takes it out of the attempt where it measured another revision: a rollback under way
/// keeps the attempt's time, and may come to that revision once more.
fn leave(case: &Case<'_>, run: &AnalysisRun) -> Option<Effect> {
    let attempt = analysis::attempt(case);
    let other = run.metadata.label(names::POD_HASH) != Some(case.new_hash());
    let outlives = other && !attempt.is_empty() && run.metadata.annotation(analysis::ATTEMPT) == Some(attempt.as_str());
    let goes_on = !Phase::text_completed(&run.status.phase) && !run.spec.terminate;
    let mut patch = json!({});
    if outlives {
        patch["metadata"] = json!({"annotations": {analysis::ATTEMPT: null}});
    }
    if goes_on {
        patch["spec"] = json!({"terminate": true});
    }
    (outlives || goes_on).then(|| Effect {
        phase: PlanPhase::Upkeep,
        object: ObjectRef::to(run),
        verb: Verb::Merge(patch),
        precondition: Precondition::identity(&run.metadata.uid),
        rests_on: Vec::new(),
        reason: "analysis is no longer needed".to_owned(),
        events: Vec::new(),
    })
}

fn delete(run: &AnalysisRun) -> Effect {
    Effect {
        phase: PlanPhase::Delete,
        object: ObjectRef::to(run),
        verb: Verb::Delete,
        precondition: Precondition::of(&run.metadata),
        rests_on: Vec::new(),
        reason: "beyond the run history limit".to_owned(),
        events: Vec::new(),
    }
}
