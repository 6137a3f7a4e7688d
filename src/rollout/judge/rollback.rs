//! A rollback inside the window goes straight to its end.

use super::Ruling;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::strategy::rollback;

/// Skips the steps and lifts the pauses of a rollback inside `spec.rollbackWindow`.
///
/// Clients are told only where pods of the revision are wanted already: to a revision without pods Argo's controller
/// goes back without a word. Source: contract, behaviour §6.3.
pub fn skip(case: &Case<'_>, ruling: &mut Ruling) {
    // A rollback that was aborted at this very look goes no further.
    if ruling.next.abort || ruling.retried || !rollback::direct(case.world, case.cast) {
        return;
    }
    let next = &mut ruling.next;
    let paused = !next.pause_conditions.is_empty();
    next.pause_conditions.clear();
    next.controller_pause = false;
    if paused {
        ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
    }
    if case.end().is_none() || next.current_step_index == case.end() {
        return;
    }
    next.current_step_index = case.end();
    if case.cast.new_size().spec > 0 {
        let message = "Rollback to active ReplicaSets within RollbackWindow";
        ruling.events.push(Event::normal("SkipSteps", message));
    }
}
