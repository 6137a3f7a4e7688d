//! How long an attempt took, and how it ended. Source: contract, api-rollout §3.4.

use std::time::Duration;

use crate::api::rollout_status::RolloutDuration;
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::defaults;
use crate::rollout::judge::Ruling;
use crate::rollout::strategy::{blue_green, rollback, steps};

const ABORTED: &str = "Aborted";
/// What the record's times are exact to.
const TICK: Duration = Duration::from_secs(1);

/// Keeps `status.duration`.
pub fn update(case: &Case<'_>, ruling: &mut Ruling) {
    let now = case.now.truncated();
    let back = rolled_back(case, ruling);
    if ruling.retried || (ruling.reset && back.is_none() && begins(case)) {
        // A time of its own: by it, runs of an earlier attempt within the same second are told from those of this one.
        let last = case.status().duration.as_ref().and_then(|duration| duration.rollout_started_at);
        let started = last.map_or(now, |last| now.max(last + TICK));
        ruling.next.duration =
            Some(RolloutDuration { rollout_started_at: Some(started), ..RolloutDuration::default() });
        return;
    }
    let manual = manual_pause(case, ruling);
    let ended = ending(case, ruling);
    let Some(duration) = &mut ruling.next.duration else { return };
    if duration.finished_at.is_some() {
        return;
    }
    if let Some(status) = back {
        status.clone_into(&mut duration.completion_status);
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
        if status == ABORTED || duration.completion_status.is_empty() {
            status.clone_into(&mut duration.completion_status);
        }
    }
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended.
    pub status: String,
    /// From its start to its end.
    pub total: Duration,
    /// As long as people held it.
    pub held: Duration,
}

/// The attempt that a write of the status ended: it says so, or another attempt has taken its place.
pub fn ended(old: Option<&RolloutDuration>, new: Option<&RolloutDuration>) -> Option<Attempt> {
    let (old, new) = (old?, new?);
    if old.finished_at.is_some() {
        return None;
    }
    let (last, end, status) = if new.rollout_started_at == old.rollout_started_at {
        (new, new.finished_at?, new.completion_status.as_str())
    } else {
        (old, new.rollout_started_at?, "Superseded")
    };
    let open = last.manual_pause_started_at.map_or(Duration::ZERO, |since| end.since(since));
    let held = Duration::from_secs(u64::try_from(last.total_manual_pause_duration_seconds).unwrap_or(0));
    Some(Attempt { status: status.to_owned(), total: end.since(last.rollout_started_at?), held: held + open })
}

/// Whether a reset begins an attempt: not where the Rollout already is what it should be.
fn begins(case: &Case<'_>) -> bool {
    let stable = &case.status().stable_rs;
    let at_rest = !stable.is_empty() && *stable == case.new_hash();
    !at_rest || case.cast.new_size().available < case.world.replicas()
}

/// How the attempt under way will have ended, where a change of the template has turned it into a rollback: to the
/// stable revision, or to one that was created before it. It stays the same attempt.
fn rolled_back(case: &Case<'_>, ruling: &Ruling) -> Option<&'static str> {
    let running = case.status().duration.as_ref().is_some_and(|duration| duration.finished_at.is_none());
    if !ruling.reset || ruling.retried || !running {
        return None;
    }
    let (new, stable) = (case.cast.new.as_ref()?, case.cast.stable.as_ref()?);
    let created = |revision: &Revision| revision.rs.metadata.creation_timestamp;
    if new.hash() != stable.hash() && created(new) >= created(stable) {
        return None;
    }
    let fast = if case.is_canary() {
        rollback::direct(case.world, case.cast)
    } else {
        blue_green::fast_rollback(case.world, case.cast, case.now)
    };
    Some(if fast { "FastRolledBack" } else { "RolledBack" })
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
        return Some(ABORTED);
    }
    let complete = super::health::completed(next) && case.cast.new_size().available >= case.world.replicas();
    let forced = case.status().promote_full;
    complete.then_some(if forced { "FastPromoted" } else { "Promoted" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Time;

    fn duration(started: i64, finished: Option<i64>, status: &str) -> RolloutDuration {
        RolloutDuration {
            rollout_started_at: Some(Time::from_seconds(started)),
            finished_at: finished.map(Time::from_seconds),
            completion_status: status.to_owned(),
            total_manual_pause_duration_seconds: 20,
            ..RolloutDuration::default()
        }
    }

    #[test]
    fn an_attempt_ends_once() {
        let running = duration(100, None, "");
        let over = duration(100, Some(160), "Promoted");
        let attempt = |status: &str, total: u64, held: u64| {
            let (total, held) = (Duration::from_secs(total), Duration::from_secs(held));
            Some(Attempt { status: status.to_owned(), total, held })
        };
        assert_eq!(ended(Some(&running), Some(&over)), attempt("Promoted", 60, 20));
        assert_eq!(ended(Some(&over), Some(&over)), None);
        assert_eq!(ended(Some(&running), Some(&running)), None);
        assert_eq!(ended(None, Some(&running)), None);
        assert_eq!(ended(Some(&over), Some(&duration(200, None, ""))), None);
        let held = RolloutDuration { manual_pause_started_at: Some(Time::from_seconds(120)), ..running };
        assert_eq!(ended(Some(&held), Some(&duration(150, None, ""))), attempt("Superseded", 50, 50));
    }
}
