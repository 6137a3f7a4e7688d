//! Aborts: by people, by verdicts, by the deadline.

use super::Ruling;
use crate::api::text::shortened;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::strategy::steps;

/// What contradicts itself in the record: an abort of a finished update, a promotion of an aborted one, an abort of a promotion.
pub fn settle_contradictions(case: &Case<'_>, ruling: &mut Ruling) {
    let next = &mut ruling.next;
    if case.fully_promoted() {
        // There is no update to abort or to promote: both are without effect.
        next.abort = false;
        next.aborted_at = None;
        next.promote_full = false;
        return;
    }
    if next.abort && next.promote_full {
        // The later command wins: an abort that is already on record is older than the promotion.
        if next.aborted_at.is_some() || crate::mutant!("promotion-beats-abort") {
            next.abort = false;
            next.aborted_at = None;
        } else {
            next.promote_full = false;
        }
    }
    if !next.abort && next.aborted_at.is_some() {
        retry(case, ruling);
    }
}

/// The user took the abort back: the same revision starts again at the first step.
fn retry(case: &Case<'_>, ruling: &mut Ruling) {
    let next = &mut ruling.next;
    next.aborted_at = None;
    next.canary.current_step_analysis_run_status = None;
    next.canary.current_background_analysis_run_status = None;
    next.blue_green.pre_promotion_analysis_run_status = None;
    next.blue_green.post_promotion_analysis_run_status = None;
    let first = steps::first(&case.world.rollout);
    next.current_step_index = first.map(|first| first + i32::from(crate::mutant!("retry-skips-a-step")));
    ruling.retried = true;
}

/// Aborts the update because of something that was observed.
pub fn because(message: String, case: &Case<'_>, ruling: &mut Ruling) {
    if ruling.next.abort || case.fully_promoted() {
        return;
    }
    ruling.next.abort = true;
    ruling.next.promote_full = false;
    ruling.abort_message = Some(shortened(message));
}

/// Writes down an abort that is new, whoever asked for it: the time, no pauses, back to the first step.
pub fn acknowledge(case: &Case<'_>, ruling: &mut Ruling) {
    if !ruling.next.abort {
        return;
    }
    let next = &mut ruling.next;
    next.pause_conditions.clear();
    next.controller_pause = false;
    if let Some(end) = case.end() {
        next.current_step_index = Some(if next.stable_rs == next.current_pod_hash { end } else { 0 });
    }
    if next.aborted_at.is_none() {
        next.aborted_at = Some(case.now.truncated());
        let message = aborted_message(case, ruling.abort_message.as_deref());
        ruling.events.push(Event::warning("RolloutAborted", message));
    }
}

/// The text of the event and of the condition.
pub fn aborted_message(case: &Case<'_>, why: Option<&str>) -> String {
    let revision = case.revision();
    why.map_or_else(
        || format!("Rollout aborted update to revision {revision}"),
        |why| format!("Rollout aborted update to revision {revision}: {why}"),
    )
}
