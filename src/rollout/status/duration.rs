//! How long an attempt took, and how it ended. Source: contract, api-rollout §3.4.

use crate::api::rollout_status::RolloutDuration;
use crate::rollout::case::Case;
use crate::rollout::defaults;
use crate::rollout::judge::Ruling;
use crate::rollout::strategy::steps;

/// Keeps `status.duration`.
pub fn update(case: &Case<'_>, ruling: &mut Ruling) {
    let now = case.now.truncated();
    if ruling.retried || (ruling.reset && begins(case)) {
        ruling.next.duration = Some(RolloutDuration { rollout_started_at: Some(now), ..RolloutDuration::default() });
        return;
    }
    let manual = manual_pause(case, ruling);
    let ended = ending(case, ruling);
    let Some(duration) = &mut ruling.next.duration else { return };
    if duration.finished_at.is_some() {
        return;
    }
    match (manual, duration.manual_pause_started_at) {
        (true, None) => duration.manual_pause_started_at = Some(now),
        (false, Some(since)) => {
            let seconds = i64::try_from(now.since(since).as_secs()).unwrap_or(i64::MAX);
            duration.total_manual_pause_duration_seconds =
                duration.total_manual_pause_duration_seconds.saturating_add(seconds);
            duration.manual_pause_started_at = None;
        }
        _ => {}
    }
    if let Some(status) = ended {
        duration.finished_at = Some(now);
        status.clone_into(&mut duration.completion_status);
    }
}

/// Whether a reset begins an attempt: not where the Rollout already is what it should be.
fn begins(case: &Case<'_>) -> bool {
    let stable = &case.status().stable_rs;
    let at_rest = !stable.is_empty() && *stable == case.new_hash();
    !at_rest || case.cast.new_size().available < case.world.replicas()
}

/// Whether a person holds the update.
fn manual_pause(case: &Case<'_>, ruling: &Ruling) -> bool {
    let rollout = &case.world.rollout;
    if rollout.spec.paused {
        return true;
    }
    ruling.next.pause_conditions.iter().any(|pause| match pause.reason.as_str() {
        "CanaryPauseStep" => steps::current(rollout)
            .and_then(|step| step.pause.as_ref())
            .is_some_and(|pause| defaults::pause_seconds(pause) == Ok(None)),
        "BlueGreenPause" => {
            rollout.spec.strategy.blue_green.as_ref().is_some_and(|s| s.auto_promotion_enabled == Some(false))
        }
        _ => true,
    })
}

/// How the attempt ended, if it did at this look.
fn ending(case: &Case<'_>, ruling: &Ruling) -> Option<&'static str> {
    let next = &ruling.next;
    if next.abort {
        return Some("Aborted");
    }
    let complete = super::health::completed(next) && case.cast.new_size().available >= case.world.replicas();
    let forced = case.status().promote_full;
    complete.then_some(if forced { "FastPromoted" } else { "Promoted" })
}
