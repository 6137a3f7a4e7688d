//! Where an update pauses.

use super::Ruling;
use crate::api::rollout_status::PauseCondition;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::safety::capacity;
use crate::rollout::strategy::{blue_green, steps};

/// A full promotion asks no analysis, and leaves no resume behind that nothing would use: the deadline would wait for it.
/// The pause of a step goes with the promotion itself.
pub fn lift_for_full_promotion(ruling: &mut Ruling) {
    let next = &mut ruling.next;
    if !next.promote_full || next.abort {
        return;
    }
    let paused = !next.pause_conditions.is_empty();
    next.pause_conditions.retain(|pause| pause.reason != "InconclusiveAnalysisRun");
    if next.pause_conditions.is_empty() {
        next.controller_pause = false;
        if paused {
            ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
        }
    }
}

/// Pauses a canary at a pause step. Argo: `reconcileCanaryPause`.
pub fn canary(case: &Case<'_>, ruling: &mut Ruling) {
    let rollout = &case.world.rollout;
    let at_pause = steps::current(rollout).is_some_and(|step| step.pause.is_some());
    if !at_pause || rollout.spec.paused || rollout.status.promote_full || case.fully_promoted() || ruling.retried {
        return;
    }
    let status = case.status();
    if status.pause("CanaryPauseStep").is_none() && !(status.controller_pause && status.pause_conditions.is_empty()) {
        add("CanaryPauseStep", case, ruling);
    }
}

/// Pauses a blue-green before its switch, or ends that pause. Argo: `reconcileBlueGreenPause`.
pub fn blue_green(case: &Case<'_>, ruling: &mut Ruling) {
    let (world, cast) = (case.world, case.cast);
    let Some(strategy) = &world.rollout.spec.strategy.blue_green else { return };
    if ruling.next.abort || !blue_green::ready_for_pause(world, cast, strategy) || blue_green::halted(&world.rollout) {
        return;
    }
    let switched = capacity::selected(world, &strategy.active_service) == Some(case.new_hash());
    let automatic = strategy.auto_promotion_enabled != Some(false) && strategy.auto_promotion_seconds <= 0;
    if blue_green::fast_tracked(world, cast, strategy, case.now)
        || switched
        || case.status().blue_green.scale_up_preview_check_point
        || automatic
    {
        end_blue_green_pause(switched, ruling);
        return;
    }
    if !blue_green::pre_promotion_passed(world, strategy) || !blue_green::previewed(world, cast, strategy) {
        return;
    }
    match case.status().pause("BlueGreenPause") {
        Some(pause) if strategy.auto_promotion_enabled != Some(false) => {
            let end = pause.start_time.unwrap_or(case.now) + blue_green::auto_promotion_delay(strategy);
            // The switch itself is seen first; the condition goes with it (nothing is consumed before it is used).
            if end > case.now {
                ruling.wake(end);
            }
        }
        None if !case.status().controller_pause => add("BlueGreenPause", case, ruling),
        None if crate::mutant!("resume-cleared-early") => ruling.next.controller_pause = false,
        _ => {}
    }
}

/// Drops the pause; the person's resume is forgotten only once the switch, or the run, that it stands for is seen.
fn end_blue_green_pause(switched: bool, ruling: &mut Ruling) {
    let had = ruling.next.pause("BlueGreenPause").is_some();
    ruling.next.pause_conditions.retain(|pause| pause.reason != "BlueGreenPause");
    if switched && !ruling.replacing && ruling.next.pause_conditions.is_empty() {
        ruling.next.controller_pause = false;
    }
    if had && ruling.next.pause_conditions.is_empty() {
        ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
    }
}

/// Adds a pause, once.
pub fn add(reason: &str, case: &Case<'_>, ruling: &mut Ruling) {
    if ruling.next.pause(reason).is_some() {
        return;
    }
    if ruling.next.pause_conditions.is_empty() {
        ruling.events.push(Event::normal("RolloutPaused", format!("Rollout is paused ({reason})")));
    }
    let start_time = Some(case.now.truncated());
    ruling.next.pause_conditions.push(PauseCondition { reason: reason.to_owned(), start_time });
    ruling.next.controller_pause = true;
}
