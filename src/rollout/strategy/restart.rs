//! Which pods a restart is about. Source: contract, behaviour §16.

use crate::api::rollout::Rollout;
use crate::api::{Pod, RolloutStatus, Time};
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::size::Size;

/// The instant that `spec.restartAt` names, until every pod is younger than it.
///
/// Whole seconds are compared: a status holds no fraction of one, and a restart would never end.
pub fn pending(rollout: &Rollout) -> Option<Time> {
    pending_by(rollout, &rollout.status)
}

/// The same by another record than the one that was read.
pub fn pending_by(rollout: &Rollout, status: &RolloutStatus) -> Option<Time> {
    let at = rollout.spec.restart_at.map(Time::truncated);
    at.filter(|at| status.restarted_at.map(Time::truncated) != Some(*at))
}

/// The same, once it has come, to its fraction of a second.
pub fn due(rollout: &Rollout, now: Time) -> Option<Time> {
    pending(rollout).filter(|_| rollout.spec.restart_at.is_some_and(|at| at <= now))
}

/// Whether a pod is to be replaced: it was created before the instant. One created in that very second counts as new.
pub fn outdated(pod: &Pod, at: Time) -> bool {
    pod.metadata.creation_timestamp.is_some_and(|created| created < at)
}

/// Pods of a revision that are to be replaced and stay so far, the oldest first.
pub fn staying(revision: &Revision, at: Time) -> impl Iterator<Item = &Pod> {
    let staying = revision.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
    staying.map(|pod| &**pod).filter(move |pod| outdated(pod, at))
}

/// Revisions in the order of their restart: the stable one, the new one, the others by age.
pub fn order(cast: &Cast) -> impl Iterator<Item = &Revision> {
    let new = cast.new.as_ref().filter(|_| !cast.at_stable());
    cast.stable.iter().chain(new).chain(&cast.others)
}

/// Whether no pod is left that is to be replaced, those on their way out included.
pub fn finished(cast: &Cast, at: Time) -> bool {
    !cast.all().flat_map(|revision| &revision.pods).any(|pod| outdated(pod, at))
}

/// Counts without what a restart does to them: it has one pod more for a while, and one less. Neither is a step's matter,
/// but what is available is.
pub fn forgive(size: Option<&mut Size>, goal: i32) {
    let Some(size) = size else { return };
    if (goal..=goal.saturating_add(1)).contains(&size.spec) {
        *size = Size { spec: goal, replicas: goal, available: size.available.min(goal) };
    }
}
