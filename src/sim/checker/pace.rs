//! How far and how fast sizes and weights go: I08, I10, I21, I23, I25, I29, I33.

use super::check::{Found, Write};
use super::facts::{Facts, Share, hash, wanted};
use super::revisions;
use super::traffic::resize;
use crate::api::Time;
use crate::rollout::defaults;
use crate::sim::api_server::journal::Entry;
use crate::sim::bare::view::LATEST;
use crate::sim::models::replica_sets::ready_since;
use crate::sim::object;
use serde_json::Value;
use std::time::Duration;

/// The deadline on a ReplicaSet.
fn deadline(rs: &Value) -> Option<Time> {
    object::annotation(rs, crate::api::names::SCALE_DOWN_DEADLINE).and_then(|text| text.parse().ok())
}

/// The least and the most weight that the record allows the canary.
pub fn allowed(facts: &Facts<'_>) -> (i64, i64) {
    let steps =
        facts.rollout.spec.strategy.canary.as_ref().and_then(|canary| canary.steps.as_deref()).unwrap_or_default();
    let index = usize::try_from(facts.rollout.status.current_step_index.unwrap_or(0)).unwrap_or(0);
    let completed = steps.iter().take(index).rev().find_map(|step| step.set_weight).unwrap_or(0).into();
    let current = match steps.get(index) {
        Some(step) => step.set_weight.map_or(completed, i64::from),
        None if steps.is_empty() => 0,
        None => facts.max(),
    };
    (current.min(completed), current.max(completed))
}

/// I08 No regress, no overshoot: a canary that is not aborted, with ≥ 1 available pod, has a share between the last
/// completed setWeight and that of the current step; less only after a loss of capacity, or where it may seem so.
/// promoteFull may go to 1.
pub fn i08(write: &Write<'_>) -> Found {
    let (facts, Some((canary, _))) = (write.before, write.before.routed()) else { return Ok(()) };
    let status = &facts.rollout.status;
    let updating = status.stable_rs != status.current_pod_hash && !status.abort && !status.promote_full;
    let Some(new) = facts.by_hash(&status.current_pod_hash).filter(|_| updating && write.is_route()) else {
        return Ok(());
    };
    let of = |route| facts.share_of(&super::routes::rules(route), |name| name == canary);
    let (old, share) = (of(write.left()), of(write.made()));
    let (least, most) = allowed(facts);
    let (least, most) = (Share { part: least, whole: facts.max() }, Share { part: most, whole: facts.max() });
    let available = facts.state.available(new);
    let selected = facts.selected(canary) == status.current_pod_hash;
    // What goes through the canary Service to the stable revision is no share of the canary.
    let around = facts.selected(canary) == status.stable_rs;
    if available > 0 && !around && share.exceeds(old) && share.exceeds(most) {
        return Err(format!("share of the canary goes to {share:?}, the record allows {most:?}"));
    }
    let carried = available >= facts.need_of(least, &status.current_pod_hash);
    let carried = carried && facts.replicas > 0;
    // What somebody else wrote into a route before us, when it was taken over, is no share that was ever given.
    let given = revisions::field(write.entry).is_some_and(|(field, ..)| write.past.fields.contains_key(&field));
    let excused = disturbed_lately(write) || may_seem_young(facts);
    if carried && selected && given && old.exceeds(share) && least.exceeds(share) && !excused {
        return Err(format!("share of the canary goes back to {share:?}, {least:?} is done"));
    }
    Ok(())
}

/// I10 Availability floor and ceiling. Floor: no write of ours takes Σ min(avail, replicas) over the revisions that may
/// serve (basic: all) below N − maxUnavailable. Ceiling: none raises Σ replicas above N + maxSurge (basic), or a
/// revision above its target.
pub fn i10(write: &Write<'_>) -> Found {
    let Some((from, to)) = resize(write) else { return Ok(()) };
    let facts = write.before;
    let hash = hash(write.left());
    if to > from {
        return ceiling(write, (hash, to), to - from);
    }
    if facts.routed().is_some() || facts.active().is_some() {
        // What a share needs is I04's matter.
        return Ok(());
    }
    let dependable =
        |facts: &Facts<'_>| -> i64 { facts.sets().map(|rs| facts.state.available(rs).min(wanted(rs))).sum() };
    let (before, after) = (dependable(facts), dependable(write.after));
    let floor = facts.replicas - facts.unavailable;
    if after < floor && after < before && !disturbed_lately(write) {
        return Err(format!("{hash} goes from {from} to {to}: {after} pods to count on, {floor} are promised"));
    }
    Ok(())
}

/// Whether somebody else has taken pods away, or changed what leads to them, just now; where views are late, a moment
/// ago: such a view does not show it yet, nor what has come of it.
pub fn disturbed_lately(write: &Write<'_>) -> bool {
    let late = if write.before.state.late_views { LATEST } else { Duration::ZERO };
    write.past.disturbed.is_some_and(|since| write.entry.time.since(since) <= late)
}

/// Whether pods may seem to have been ready for less long than they are: to a process that has not seen them all along,
/// whose clock is behind.
pub fn may_seem_young(facts: &Facts<'_>) -> bool {
    !facts.state.clocks_apart.is_zero() && facts.rollout.spec.min_ready_seconds > 0
}

/// Whether somebody else may have done something that the controller's late view does not show yet.
pub fn unseen_hand(write: &Write<'_>) -> bool {
    write.before.state.late_views && disturbed_lately(write)
}

/// Sizes that the Rollout was asked to have until a moment ago.
pub fn former_sizes(write: &Write<'_>) -> impl Iterator<Item = i64> {
    let lately = |until: &Time| write.entry.time.since(*until) <= LATEST;
    write.past.sizes.iter().filter(move |(until, _)| lately(until)).map(|(_, size)| i64::from(*size))
}

/// N, and with it how many more pods there may be. Where views are late, a size that has just been another counts too.
fn asked(write: &Write<'_>) -> (i64, i64) {
    let facts = write.before;
    let former = former_sizes(write).max().filter(|_| facts.state.late_views);
    let replicas = facts.replicas.max(former.unwrap_or(0));
    let (surge, _) = defaults::fenceposts(&facts.rollout, i32::try_from(replicas).unwrap_or(i32::MAX));
    (replicas, replicas + i64::from(surge))
}

fn ceiling(write: &Write<'_>, (hash, to): (&str, i64), grown: i64) -> Found {
    let facts = write.before;
    let status = &facts.rollout.status;
    let (replicas, ceiling) = asked(write);
    if facts.routed().is_none() && facts.active().is_none() {
        let sum: i64 = facts.sets().map(|rs| wanted(rs)).sum();
        // The size that somebody else has given a revision, a late view does not show yet.
        return if sum + grown > ceiling && !unseen_hand(write) {
            Err(format!("{} pods wanted, {ceiling} allowed", sum + grown))
        } else {
            Ok(())
        };
    }
    let preview = facts.rollout.spec.strategy.blue_green.as_ref().and_then(|b| b.preview_replica_count).unwrap_or(0);
    let most = if hash == status.stable_rs && hash != status.current_pod_hash {
        replicas
    } else if hash == status.current_pod_hash || status.stable_rs.is_empty() {
        replicas.max(facts.canary_scale().unwrap_or(0)).max(preview.into())
    } else {
        0
    };
    // A restart that may not miss a pod has one more first (I25).
    let most = most + i64::from(most > 0 && restarting(facts));
    if to > most { Err(format!("{hash} grows to {to}, its target is at most {most}")) } else { Ok(()) }
}

/// I21 Autoscaler fixed point, the part of surge: what autoscalers read leaves out the pods that a release or a restart
/// adds. Where views are late they show counts of another moment.
pub fn i21(write: &Write<'_>) -> Found {
    let facts = write.before;
    if !write.is("Rollout") || facts.state.late_views {
        return Ok(());
    }
    let published = |value: &Value| object::integer(value, "/status/HPAReplicas").unwrap_or(0);
    let (old, published) = (published(write.left()), published(write.made()));
    let most = facts.replicas.max(former_sizes(write).max().unwrap_or(0));
    if published > old && published > most {
        Err(format!("autoscalers read {published} pods, of which {most} are wanted"))
    } else {
        Ok(())
    }
}

/// I23 Delays are kept: once a deadline is recorded for rs, replicas stay constant until then, except for a limit's
/// overflow, or where the revision is new (and not aborted) or stable again.
pub fn i23(write: &Write<'_>) -> Found {
    let facts = write.before;
    let Some((from, to)) = resize(write) else { return Ok(()) };
    let Some(due) = deadline(write.left()) else { return Ok(()) };
    let status = &facts.rollout.status;
    let hash = hash(write.left());
    let back = hash == status.stable_rs || (hash == status.current_pod_hash && !status.abort);
    let limited = defaults::scale_down_delay_revision_limit(&facts.rollout).is_some();
    // Where the stable revision has gone, what is left takes its place.
    let back = back || (to > from && facts.by_hash(&status.stable_rs).is_none());
    // A size that somebody else has given it goes back.
    let back = back || disturbed_lately(write);
    if back || limited || due <= write.latest() {
        return Ok(());
    }
    Err(format!("{hash} goes from {from} to {to} although it waits until {due}"))
}

/// I29 No resurrection: after an abort of h no write of ours raises `replicas(rs_h)` until retry, re-apply or promote.
pub fn i29(write: &Write<'_>) -> Found {
    let status = &write.before.rollout.status;
    let Some((from, to)) = resize(write).filter(|(from, to)| to > from) else { return Ok(()) };
    let aborted = status.abort && !status.promote_full && status.stable_rs != status.current_pod_hash;
    // Where somebody deleted the stable revision, the aborted one is all there is.
    let rivalled = write.before.by_hash(&status.stable_rs).is_some();
    if aborted && rivalled && hash(write.left()) == status.current_pod_hash && !status.stable_rs.is_empty() {
        return Err(format!("aborted revision grows from {from} to {to}"));
    }
    Ok(())
}

/// I33 Safe pre-emption: no write of ours raises the size or the share of a revision that is neither stable nor current;
/// but the share where the stable one has no pod left, and users are led to whoever can answer.
pub fn i33(write: &Write<'_>) -> Found {
    let facts = write.before;
    let status = &facts.rollout.status;
    let Some(stable) = facts.by_hash(&status.stable_rs) else { return Ok(()) };
    let between = |set: &str| !set.is_empty() && set != status.stable_rs && set != status.current_pod_hash;
    if let Some((from, to)) = resize(write).filter(|(from, to)| to > from && between(hash(write.left()))) {
        return Err(format!("{} grows from {from} to {to}, and is neither stable nor current", hash(write.left())));
    }
    if !write.is_route() || facts.state.available(stable) == 0 {
        return Ok(());
    }
    for set in facts.sets().map(|rs| hash(rs)).filter(|set| between(set)) {
        let of = |route: &Value| facts.share_of(&super::routes::rules(route), |service| facts.selected(service) == set);
        if of(write.made()).exceeds(of(write.left())) {
            return Err(format!(
                "the share of {set}, which is neither stable nor current, goes to {:?}",
                of(write.made())
            ));
        }
    }
    Ok(())
}

/// Whether a restart is asked for and not over.
pub fn restarting(facts: &Facts<'_>) -> bool {
    let (spec, status) = (&facts.rollout.spec, &facts.rollout.status);
    spec.restart_at.is_some() && spec.restart_at.map(Time::truncated) != status.restarted_at
}

/// Whether a write takes a pod away.
pub fn takes_pod(entry: &Entry) -> bool {
    let stays = |pod: Option<&Value>| pod.is_some_and(|pod| !object::is_terminating(pod));
    entry.kind == "Pod" && stays(entry.before.as_deref()) && !stays(entry.after.as_deref())
}

/// I25 Disruption budget: our writes take pods by eviction only, for a restart, of those created before it; each leaves
/// N − maxUnavailable available, and a revision what its share needs.
pub fn i25(write: &Write<'_>) -> Found {
    if !takes_pod(write.entry) {
        return Ok(());
    }
    let (facts, pod) = (write.before, write.left());
    let created = object::time(pod, "/metadata/creationTimestamp");
    let due = facts.rollout.spec.restart_at.filter(|at| restarting(facts) && *at <= write.latest());
    if write.entry.subresource.as_deref() != Some("eviction") || due.is_none_or(|due| created >= Some(due)) {
        return Err(format!("pod {} is taken away, created {created:?}, restart {due:?}", object::name(pod)));
    }
    if ready_since(pod).is_none() {
        return Ok(());
    }
    let Some(rs) = facts.sets().find(|rs| object::controller_uid(pod) == Some(object::uid(rs))) else { return Ok(()) };
    let dependable = |rs: &Value| facts.state.available(rs).min(wanted(rs));
    let all: i64 = facts.sets().map(|rs| dependable(rs)).sum();
    let (floor, own) = (facts.replicas - facts.unavailable, facts.need_of(facts.share_up(hash(rs)), hash(rs)));
    if (all - 1 < floor || dependable(rs) - 1 < own) && !disturbed_lately(write) {
        return Err(format!(
            "{all} pods to count on before, {floor} promised; {} of its own, {own} needed",
            dependable(rs)
        ));
    }
    Ok(())
}
