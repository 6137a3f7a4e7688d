//! Whether the current step is done. One step a look: each index is visible in a status write of its own.

use super::Ruling;
use crate::api::steps::{CanaryStep, Pause};
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::defaults;
use crate::rollout::safety::capacity;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::analysis::{self, RunKind};
use crate::rollout::strategy::{canary, managed, steps};

/// Moves to the next step where the current one is done. Returns whether it did.
pub fn advance(case: &Case<'_>, ruling: &mut Ruling) -> bool {
    let rollout = &case.world.rollout;
    let paused = rollout.spec.paused && !crate::mutant!("steps-while-paused");
    if paused || case.fully_promoted() || ruling.retried || rollout.status.promote_full {
        return false;
    }
    let (Some(step), Some(index), Some(end)) = (steps::current(rollout), steps::index(rollout), case.end()) else {
        return false;
    };
    if !done(case, step, index, ruling) {
        return false;
    }
    let was_paused = !case.status().pause_conditions.is_empty() || case.status().controller_pause;
    let next = &mut ruling.next;
    let stride = if crate::mutant!("two-steps-at-once") { 2 } else { 1 };
    next.current_step_index = Some((index + stride).min(end));
    next.canary.current_step_analysis_run_status = None;
    next.pause_conditions.retain(|pause| pause.reason != "CanaryPauseStep");
    next.controller_pause = !next.pause_conditions.is_empty();
    let message = format!("Rollout step {}/{end} completed ({})", index + 1, steps::describe(step));
    ruling.events.push(Event::normal("RolloutStepCompleted", message));
    if was_paused && step.pause.is_some() {
        ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
    }
    true
}

/// Whether everything that the step asks for holds. A step with several keys is done when all of them are.
fn done(case: &Case<'_>, step: &CanaryStep, index: i32, ruling: &mut Ruling) -> bool {
    let at_desired = || canary::at_desired(case.world, case.cast);
    // Without pods there is no traffic to weigh, and a canary that has none gets no weight.
    let has_pods = case.world.replicas() > 0 || case.cast.new_size().available > 0;
    let given = |weight: i32| if has_pods { weight } else { 0 };
    let serves_new = || {
        let behind = capacity::selected(case.world, Sides::of(&case.world.rollout).canary);
        behind.is_some() && behind == case.cast.new.as_ref().map(Revision::hash)
    };
    let weight_holds = |weight: i32| {
        let weight = given(weight);
        // A weight on another revision is none of this one's, and is taken back by this very plan.
        !case.routes.configured || (case.routes.accepted(weight, case.world) && (weight == 0 || serves_new()))
    };
    let paused = step.pause.as_ref().is_none_or(|pause| pause_over(case, pause, ruling));
    let scaled = step.set_canary_scale.is_none() || at_desired();
    let weighted =
        step.set_weight.is_none_or(|_| at_desired() && weight_holds(steps::weight_at(&case.world.rollout, index)));
    let routed = step.set_weight.is_some() || step.set_header_route.is_some() || step.set_mirror_route.is_some();
    let managed =
        crate::mutant!("managed-step-passed") || !routed || !case.routes.configured || managed_hold(case, index);
    let run = case.status().canary.current_step_analysis_run_status.as_ref();
    let run = run.filter(|run| !analysis::left_behind(case, RunKind::Step(index), &run.name));
    let analysed = crate::mutant!("analysis-step-skipped")
        || step.analysis.is_none()
        || run.is_some_and(|run| run.status == "Successful");
    // Steps that this release does not carry out never reach this point: their Rollout is InvalidSpec.
    let known = step.experiment.is_none() && step.plugin.is_none();
    paused && scaled && weighted && managed && analysed && known && !is_empty(step)
}

/// Whether the managed routes of the steps so far are written, and accepted wherever somebody can accept them.
fn managed_hold(case: &Case<'_>, index: i32) -> bool {
    let rollout = &case.world.rollout;
    // Rules that were taken away may still be in force: where there can be some, that has to be accepted as well.
    let configured = rollout.spec.strategy.canary.as_ref().is_some_and(|canary| managed::configured(canary));
    if !configured && managed::through(rollout, index).is_empty() && case.routes.bare() {
        return true;
    }
    let wanted = managed::wanted_at(case.world, case.cast, index);
    // A rule of the same name may lead to an earlier revision still: this very plan takes it away.
    let led = wanted.is_empty() || managed::leads_to_new(case.world, case.cast);
    led && case.routes.managed_hold(case.world, &wanted) && case.routes.acknowledged(case.world)
}

const fn is_empty(step: &CanaryStep) -> bool {
    step.set_weight.is_none()
        && step.pause.is_none()
        && step.analysis.is_none()
        && step.set_canary_scale.is_none()
        && step.set_header_route.is_none()
        && step.set_mirror_route.is_none()
}

/// Whether a pause is over: a person resumed it, or its time has passed. Argo: `completedPauseStep`.
fn pause_over(case: &Case<'_>, pause: &Pause, ruling: &mut Ruling) -> bool {
    let status = case.status();
    let Some(condition) = status.pause("CanaryPauseStep") else {
        // Lifted with all others: what analysis has paused is no approval of this step.
        return case.resumed() || crate::mutant!("pause-never-begins");
    };
    let Ok(Some(seconds)) = defaults::pause_seconds(pause) else { return false };
    let start = condition.start_time.unwrap_or(case.now);
    let end = start + std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    if end <= case.now || crate::mutant!("pause-cut-short") {
        return true;
    }
    ruling.wake(end);
    false
}
