//! What has to happen within a time: I14, I30, I34, I35, I42. Judged as time passes, where nothing is late and nothing fails.

use std::time::Duration;

use serde_json::Value;

use super::check::{Found, Write};
use super::facts::{Facts, Share, hash, wanted};
use super::footprint::{MAX_REPAIRS, repairs};
use super::managed;
use super::state::State;
use crate::api::{Time, names};
use crate::mutants::is_heard;
use crate::rollout::defaults;
use crate::rollout::strategy::steps;
use crate::sim::object;

/// From an abort to the write that takes users back.
const ABORT_WITHIN: Duration = Duration::from_secs(2);
/// How long what a write of ours could mend may stand.
const MENDED_WITHIN: Duration = Duration::from_secs(5);

/// What is owed: the ID of the promise, the uid of the Rollout, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    id: &'static str,
    uid: String,
    since: Time,
}

/// A promise with a bound: its ID, the bound, and what is owed, where something is.
type Bound = (&'static str, Duration, fn(&Facts<'_>, Time) -> Option<String>);

const BOUNDS: &[Bound] = &[
    ("I30", ABORT_WITHIN, i30),
    ("I14", MENDED_WITHIN, i14),
    ("I42", MENDED_WITHIN, i42),
    ("I34", MENDED_WITHIN, i34),
];

/// Takes what was owed a moment ago; returns what is owed now.
///
/// # Errors
/// The ID and the numbers of what has been owed for longer than its bound.
pub fn judge(state: &State, owed: &[Owed], now: Time) -> Result<Vec<Owed>, (&'static str, String)> {
    let mut still = Vec::new();
    for value in state.rollouts() {
        let Some(facts) = Facts::of(state, value) else { continue };
        let uid = object::uid(value);
        for (id, bound, asked) in BOUNDS.iter().filter(|(id, ..)| is_heard(id)) {
            let Some(what) = asked(&facts, now) else { continue };
            let known = owed.iter().find(|known| known.id == *id && known.uid == uid);
            let since = known.map_or(now, |known| known.since);
            if now.since(since) > *bound {
                return Err((id, format!("{what}, since {since}")));
            }
            still.push(Owed { id, uid: uid.to_owned(), since });
        }
    }
    Ok(still)
}

/// I30 User command wins, the part of abort: where the stable revision carries all of the traffic, the route (or the
/// active Service) goes to it ≤ 2 s after the abort.
fn i30(facts: &Facts<'_>, _: Time) -> Option<String> {
    owes(facts).then(|| format!("aborted, stable could carry everything, canary share {:?}", facts.canary_share()))
}

/// I14 Managed routes are level-based, the part of pods that go: a managed rule leads to a Service without an available
/// pod for no longer than 5 s.
fn i14(facts: &Facts<'_>, _: Time) -> Option<String> {
    let (canary, _) = facts.routed().filter(|_| facts.replicas > 0)?;
    let led = managed::newest(facts).into_iter().next()?;
    let available = facts.target(canary).map_or(0, |rs| facts.state.available(rs));
    (available == 0).then(|| format!("managed rule {} leads to {canary}, which has no available pod", led.rule))
}

/// I42 Drift, as time passes: weights of somebody else's are set right within 5 s, once both Services lead where they
/// belong; but not for ever, where that somebody insists.
fn i42(facts: &Facts<'_>, now: Time) -> Option<String> {
    let (canary, stable) = facts.routed()?;
    let past = facts.state.past.get(object::uid(facts.value));
    if past.is_some_and(|past| past.repairs.values().any(|(_, times)| repairs(times, now) >= MAX_REPAIRS)) {
        return None;
    }
    let status = &facts.rollout.status;
    let led = facts.selected(canary) == status.current_pod_hash && facts.selected(stable) == status.stable_rs;
    if led { drifted(facts) } else { None }
}

/// I34 Termination, the part of former revisions: where the stable one is complete and nothing moves users, what has none
/// goes within 5 s of the deadline that was promised for it.
fn i34(facts: &Facts<'_>, now: Time) -> Option<String> {
    let status = &facts.rollout.status;
    let held = facts.rollout.spec.paused || status.pause("InconclusiveAnalysisRun").is_some() || invalid(facts);
    let stable = facts.by_hash(&status.stable_rs).map_or(0, |rs| facts.state.available(rs).min(wanted(rs)));
    let resting = matches!(status.phase.as_str(), "Healthy" | "Paused" | "Degraded");
    let moving = facts.routed().is_some() && (!resting || (facts.claimed() && !facts.acknowledged()));
    if held || moving || stable < facts.replicas {
        return None;
    }
    let parts = [&status.stable_rs, &status.current_pod_hash];
    let deadline = |rs: &Value| object::annotation(rs, names::SCALE_DOWN_DEADLINE)?.parse::<Time>().ok();
    let late = facts.sets().find(|rs| {
        let hash = hash(rs);
        let users = facts.share_up(hash).part > 0 || facts.services().iter().any(|name| facts.selected(name) == hash);
        let former = parts.iter().all(|part| *part != hash) || (status.abort && status.stable_rs != hash);
        wanted(rs) > 0 && former && !users && deadline(rs).is_some_and(|deadline| deadline < now)
    })?;
    Some(format!("{} has {} pods after its deadline {:?}", object::name(late), wanted(late), deadline(late)))
}

/// Whether the Rollout is left as it is because of what it says.
pub(super) fn invalid(facts: &Facts<'_>) -> bool {
    facts.rollout.status.condition("InvalidSpec").is_some()
}

/// Whether the routes hold other weights than in a pause those of its step, once promoted those of rest, although the pods
/// of the side that gains could carry those.
pub(super) fn drifted(facts: &Facts<'_>) -> Option<String> {
    facts.routed()?;
    let (status, share) = (&facts.rollout.status, facts.canary_share());
    let paused = status.phase == "Paused" && status.pause("CanaryPauseStep").is_some() && !status.abort;
    let weight = match status.phase.as_str() {
        "Healthy" => 0,
        _ if paused => steps::weight_at(&facts.rollout, status.current_step_index.unwrap_or(0)).into(),
        _ => return None,
    };
    let (given, due) = (share.part * facts.max(), weight * share.whole);
    if facts.rollout.spec.paused || facts.replicas == 0 || given == due {
        return None;
    }
    let gains = |part: i64| Share { part, whole: facts.max() };
    let (hash, need) = if given < due {
        (&status.current_pod_hash, facts.need_of(gains(weight), &status.current_pod_hash))
    } else {
        let rest = gains(facts.max() - weight);
        (&status.stable_rs, if facts.dynamic() { facts.whole(rest) } else { facts.need(rest) })
    };
    let carried = facts.by_hash(hash).is_some_and(|rs| facts.state.available(rs).min(wanted(rs)) >= need.max(1));
    carried.then(|| format!("{} with a canary share of {share:?}, {weight} wanted", status.phase))
}

/// Whether users of an aborted update are still to be taken back, and could be.
fn owes(facts: &Facts<'_>) -> bool {
    let status = &facts.rollout.status;
    // Of an abort and a full promotion the later one counts: an abort with a time was there before.
    let promoted = status.promote_full && status.aborted_at.is_some();
    let aborted = status.abort && status.stable_rs != status.current_pod_hash && !promoted;
    if !aborted {
        return false;
    }
    let Some(stable) = facts.by_hash(&status.stable_rs).filter(|_| !invalid(facts) && facts.replicas > 0) else {
        return false;
    };
    let all = Share { part: 1, whole: 1 };
    if facts.state.available(stable).min(wanted(stable)) < facts.need(all) {
        return false;
    }
    if let Some((_, service)) = facts.routed() {
        // The stable Service has to select the stable revision first, and its endpoints follow a moment later.
        return facts.canary_share().part > 0 && facts.selected(service) == status.stable_rs;
    }
    facts.active().is_some_and(|active| facts.selected(active) == status.current_pod_hash)
}

/// I35 Deadline, its second half: an update is not said to have exceeded its deadline before progressDeadlineSeconds have
/// passed since the last structural progress. Not where views are late, for a delay may trip the deadline by itself
/// (I37). The first half is judged at rest.
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
    let (waited, deadline) = (write.latest().since(progress), defaults::progress_deadline(&write.before.rollout));
    // The API holds whole seconds, so the record may be up to one older than the write.
    if waited + Duration::from_secs(1) < deadline {
        return Err(format!("deadline of {deadline:?} is said to have passed {waited:?} after progress"));
    }
    Ok(())
}
