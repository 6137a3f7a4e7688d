//! What has to happen within a time: I30, I35. Judged as time passes, where nothing is late and nothing fails.

use std::time::Duration;

use super::check::{Found, Write};
use super::facts::{Facts, Share};
use super::state::State;
use crate::api::Time;
use crate::rollout::defaults;

/// From an abort to the write that takes users back.
const ABORT_WITHIN: Duration = Duration::from_secs(2);

/// I30 User command wins, the part of abort: where the stable revision carries all of the traffic, the route (or the
/// active Service) goes to it ≤ 2 s after the abort. Takes since when an abort is owed, by uid; returns the new list.
///
/// # Errors
/// The share that the canary still has.
pub fn i30(state: &State, owed: &[(String, Time)], now: Time) -> Result<Vec<(String, Time)>, String> {
    let mut still = Vec::new();
    for value in state.rollouts() {
        let Some(facts) = Facts::of(state, value) else { continue };
        if !owes(&facts) {
            continue;
        }
        let uid = crate::sim::object::uid(value);
        let since = owed.iter().find(|(known, _)| known == uid).map_or(now, |(_, since)| *since);
        if now.since(since) > ABORT_WITHIN {
            let share = facts.canary_share();
            return Err(format!("aborted, stable could carry everything since {since}, canary share {share:?}"));
        }
        still.push((uid.to_owned(), since));
    }
    Ok(still)
}

/// Whether users of an aborted update are still to be taken back, and could be.
fn owes(facts: &Facts<'_>) -> bool {
    let status = &facts.rollout.status;
    let aborted = status.abort && status.stable_rs != status.current_pod_hash && !status.promote_full;
    let invalid = status.conditions.iter().any(|condition| condition.kind == "InvalidSpec");
    let Some(stable) = facts.by_hash(&status.stable_rs).filter(|_| aborted && !invalid && facts.replicas > 0) else {
        return false;
    };
    let all = Share { part: 1, whole: 1 };
    if facts.state.available(stable).min(super::facts::wanted(stable)) < facts.need(all) {
        return false;
    }
    if let Some((_, service)) = facts.routed() {
        // The stable Service has to select the stable revision first, and its endpoints follow a moment later.
        return facts.canary_share().part > 0 && facts.selected(service) == status.stable_rs;
    }
    facts.active().is_some_and(|active| facts.selected(active) == status.current_pod_hash)
}

/// I35 Deadline, its second half (not where views are late, for a delay may trip the deadline by itself: I37): an update is not said to have exceeded its deadline before progressDeadlineSeconds
/// have passed since the last structural progress.
pub fn i35(write: &Write<'_>) -> Found {
    if !write.is("Rollout") || write.before.state.late_views {
        return Ok(());
    }
    let exceeded = |facts: &Facts<'_>| {
        let condition = facts.rollout.status.condition("Progressing");
        condition.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded")
    };
    if exceeded(write.before) || !exceeded(write.after) {
        return Ok(());
    }
    let Some(progress) = write.past.progress else { return Ok(()) };
    let (waited, deadline) = (write.entry.time.since(progress), defaults::progress_deadline(&write.before.rollout));
    // The API holds whole seconds, so the record may be up to one older than the write.
    if waited + Duration::from_secs(1) < deadline {
        return Err(format!("deadline of {deadline:?} is said to have passed {waited:?} after progress"));
    }
    Ok(())
}
