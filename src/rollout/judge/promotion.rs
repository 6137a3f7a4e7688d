//! Whether the new revision becomes the stable one.

use super::Ruling;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::safety::capacity;
use crate::rollout::sides::{Sides, flipped};
use crate::rollout::strategy::{blue_green, desired, rollback, steps};

/// Promotes where everything that a promotion needs is observed. Returns whether the record is (or stays) promoted.
pub fn judge(case: &Case<'_>, ruling: &mut Ruling) -> bool {
    if case.cast.new.is_none() {
        return false;
    }
    if case.fully_promoted() {
        tidy(case, ruling);
        return true;
    }
    let reason = if case.is_canary() { canary_reason(case, ruling) } else { blue_green_reason(case, ruling) };
    match reason {
        Some(reason) => promote(case, &reason, ruling),
        None => {
            check_point(case, ruling);
            return false;
        }
    }
    true
}

/// A finished update has no pauses, and its steps are done.
fn tidy(case: &Case<'_>, ruling: &mut Ruling) {
    let had_pauses = !ruling.next.pause_conditions.is_empty();
    ruling.next.pause_conditions.clear();
    ruling.next.controller_pause = false;
    ruling.next.blue_green.scale_up_preview_check_point = false;
    if case.is_canary() {
        ruling.next.current_step_index = case.end();
        ruling.next.canary.current_step_analysis_run_status = None;
        ruling.next.canary.current_background_analysis_run_status = None;
    }
    if had_pauses {
        ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
    }
}

/// Why a canary is promoted now. Source: contract, behaviour §6.5.
fn canary_reason(case: &Case<'_>, ruling: &Ruling) -> Option<String> {
    if case.cast.stable.is_none() {
        return Some("Initial deploy".to_owned());
    }
    if ruling.next.abort || ruling.retried || !enough(case) && !crate::mutant!("promoted-without-pods") {
        return None;
    }
    if case.status().promote_full {
        return Some("Full promotion requested".to_owned());
    }
    if rollback::direct(case.world, case.cast) {
        return Some("Rollback within window".to_owned());
    }
    let rollout = &case.world.rollout;
    let Some(end) = case.end() else { return Some("Completed all 0 canary steps".to_owned()) };
    let without_traffic = !case.routes.configured || case.world.replicas() == 0;
    let weighted = without_traffic || case.routes.accepted(case.routes.max, case.world);
    let over = steps::index(rollout) == Some(end) && weighted && !rollout.spec.paused;
    over.then(|| format!("Completed all {end} canary steps"))
}

/// Whether so many pods of the new revision are available that it can be promoted.
fn enough(case: &Case<'_>) -> bool {
    let (size, replicas) = (case.cast.new_size(), case.world.replicas());
    let canary = case.world.rollout.spec.strategy.canary.as_ref();
    let threshold = canary.and_then(|canary| canary.replica_progress_threshold.as_ref());
    size.available >= replicas || desired::enough(threshold, size, replicas)
}

/// Why a blue-green is promoted now. Source: contract, behaviour §10.6.
fn blue_green_reason(case: &Case<'_>, ruling: &Ruling) -> Option<String> {
    let strategy = case.world.rollout.spec.strategy.blue_green.as_ref()?;
    let active = capacity::selected(case.world, &strategy.active_service);
    if case.cast.stable.is_none() {
        return Some("Initial deploy".to_owned());
    }
    if active != Some(case.new_hash()) {
        return None;
    }
    // An abort leads the active Service away again, also on the way back to an earlier revision, where it comes after the
    // wish for a full promotion, and in the look that still finds it where it comes before (I30).
    if (ruling.next.abort || case.status().abort) && !crate::mutant!("aborted-is-promoted") {
        return None;
    }
    if case.status().promote_full {
        return Some("Full promotion requested".to_owned());
    }
    if rollback::direct(case.world, case.cast) {
        return Some("Rollback within window".to_owned());
    }
    if blue_green::fast_rollback(case.world, case.cast, case.now) {
        return Some("Fast rollback".to_owned());
    }
    let passed = blue_green::post_promotion_passed(case.world, strategy);
    passed.then(|| "Completed blue-green update".to_owned())
}

/// Lets a small preview grow to full size once its gates are open. Argo: `calculateScaleUpPreviewCheckPoint`.
fn check_point(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(strategy) = &case.world.rollout.spec.strategy.blue_green else { return };
    let Some(preview) = strategy.preview_replica_count else {
        ruling.next.blue_green.scale_up_preview_check_point = false;
        return;
    };
    let open = blue_green::pre_promotion_passed(case.world, strategy)
        && blue_green::pause_completed(case.world, strategy, case.now)
        && !blue_green::halted(&case.world.rollout);
    if open && !ruling.next.abort && case.cast.new_size().available == preview {
        ruling.next.blue_green.scale_up_preview_check_point = true;
    }
}

fn promote(case: &Case<'_>, reason: &str, ruling: &mut Ruling) {
    let next = &mut ruling.next;
    let paused = !next.pause_conditions.is_empty();
    next.pause_conditions.clear();
    next.controller_pause = false;
    next.abort = false;
    next.aborted_at = None;
    next.promote_full = false;
    next.blue_green.scale_up_preview_check_point = false;
    next.current_step_index = case.end();
    next.stable_rs = next.current_pod_hash.clone();
    if Sides::of(&case.world.rollout).ping_pong {
        flipped(&next.canary.stable_ping_pong).clone_into(&mut next.canary.stable_ping_pong);
    }
    if paused {
        ruling.events.push(Event::normal("RolloutResumed", "Rollout is resumed"));
    }
    let message = format!(
        "Rollout completed update to revision {} ({}): {reason}",
        case.revision(),
        ruling.next.current_pod_hash
    );
    ruling.events.push(Event::normal("RolloutCompleted", message));
}
