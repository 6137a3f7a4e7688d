//! Permission to evict pods for a restart (I25): one a plan, so that each is judged after the one before it.

use std::time::Duration;

use super::capacity::{Demand, dependable};
use super::exposure::Exposure;
use crate::api::{Pod, Time};
use crate::plan::{Basis, Blocker, Effect, ObjectRef, Phase, Plan, Precondition, Verb};
use crate::rollout::cast::Revision;
use crate::rollout::memory::readiness::ready_since;
use crate::rollout::memory::{Cause, Memory, Refusal};
use crate::rollout::strategy::target::{Fate, Target};
use crate::rollout::strategy::{restart, steps};

/// Time between looks at a restart that waits, and before a refused pod is tried again. Source: contract, behaviour §16.
pub const POLL: Duration = Duration::from_secs(30);
/// Time after an eviction until the next is tried, where the pod's end does not bring the key back before.
const NEXT: Duration = Duration::from_secs(5);
/// Refusals that are remembered.
const MAX_REFUSALS: usize = 100;

/// Makes room before anything is taken: where no pod may be missing, the revision that is restarted gets one more.
///
/// Level, not edge: the pod is wanted as long as old pods stay, and is too many as soon as the last one goes.
/// Worked example: 1 pod, none may be missing. The size goes to 2; the second is available: the first is evicted; it
/// goes: the size goes back to 1, and the pod that was to replace it, not ready yet, is the one that is taken off.
pub fn make_room(exposure: &Exposure<'_>, now: Time, target: &mut Target) {
    let Some(at) = restart::due(&exposure.world.rollout, now).filter(|_| quiet(exposure)) else { return };
    let Some(revision) = restart::order(exposure.cast).find(|r| restart::staying(r, at).next().is_some()) else {
        return;
    };
    let aborted = exposure.world.rollout.status.abort && !exposure.cast.at_stable();
    if aborted && exposure.cast.new.as_ref().is_some_and(|new| new.name() == revision.name()) {
        // What is aborted does not grow (I29): its pods are missed by nobody, or wait until they go.
        return;
    }
    let tight = |size: i32| size > 0 && exposure.demand.unavailable.min(size - exposure.floor(revision)) <= 0;
    if let Some(ratio) = &mut target.paced {
        let new = exposure.cast.new.as_ref().is_some_and(|new| new.name() == revision.name());
        let stable = exposure.cast.distinct_stable().is_some_and(|stable| stable.name() == revision.name());
        match (new, stable) {
            (true, _) if tight(ratio.new) => ratio.new += 1,
            (_, true) if tight(ratio.stable) => ratio.stable += 1,
            _ => {}
        }
        return;
    }
    for goal in target.sizes.iter_mut().filter(|goal| goal.name == revision.name()) {
        if let Fate::Size(size) = &mut goal.fate
            && tight(*size)
        {
            *size += 1;
            "a restart takes no pod away before there is one more".clone_into(&mut goal.reason);
        }
    }
}

/// Puts the next eviction into the plan where it is safe now; what has to wait becomes a blocker.
pub fn permit(exposure: &Exposure<'_>, now: Time, plan: &mut Plan) {
    let Some(at) = restart::due(&exposure.world.rollout, now) else { return };
    if restart::finished(exposure.cast, at) {
        return;
    }
    plan.wake(now + POLL);
    // Two steps that are each allowed may be too much together: what moves pods or traffic goes first.
    let moves = |effect: &Effect| matches!(effect.phase, Phase::ScaleUp | Phase::Route | Phase::ScaleDown);
    if plan.effects.iter().any(moves) {
        return;
    }
    if !quiet(exposure) {
        plan.blockers.push(waits(exposure, "RestartWaits", "until the step has its pods and its weight"));
        return;
    }
    let refusals = refusals(&exposure.world.memory, now);
    if let Some(refusal) = refusals.first() {
        let blocker = waits(exposure, "EvictionRefused", &format!("for a disruption budget: {}", refusal.message));
        plan.blockers.push(blocker.remedy("let the budget spare a pod, or clear spec.restartAt"));
    }
    let refused = |pod: &&Pod| refusals.iter().any(|r| r.pod == pod.metadata.name && r.at + POLL > now);
    for revision in restart::order(exposure.cast) {
        let left = || restart::staying(revision, at);
        // A pod that does not serve is no loss.
        // Where its ReplicaSet counts more pods than have arrived here, nobody knows yet which one that is.
        let known = revision.rs.status.available_replicas <= revision.size.available;
        let idle = left().filter(|pod| known && !refused(pod)).find(|pod| ready_since(pod).is_none());
        let serving = || left().find(|pod| !refused(pod));
        let budget = budget(exposure, revision);
        // The one that serves nobody goes as it was seen: it may serve by now.
        let idle = idle.map(|pod| (pod, Precondition::of(&pod.metadata)));
        let counted = || serving().filter(|_| budget > 0).map(|pod| (pod, Precondition::identity(&pod.metadata.uid)));
        if let Some((pod, precondition)) = idle.or_else(counted) {
            plan.effects.push(evict(exposure, pod, precondition));
            plan.wake(now + NEXT);
            return;
        }
        if serving().is_some() {
            let message = format!("for pods of revision {}: too few are available to miss one", revision.number());
            plan.blockers.push(waits(exposure, "RestartWaits", &message));
            return;
        }
    }
}

/// Whether no weight is on its way to the canary: a pod that is missing would take the weight back, and forth again.
fn quiet(exposure: &Exposure<'_>) -> bool {
    let rollout = &exposure.world.rollout;
    if !exposure.routes.configured || steps::fully_promoted(rollout) || rollout.status.abort {
        return true;
    }
    let rests = |step: &crate::api::steps::CanaryStep| step.set_weight.is_none() && step.set_canary_scale.is_none();
    !rollout.status.promote_full && steps::current(rollout).is_some_and(rests)
}

/// Pods as a restart counts them.
struct Count {
    /// Wanted of all revisions.
    wanted: i32,
    /// To be counted on, of all revisions.
    available: i32,
    /// To be counted on, of the revision that is restarted.
    own: i32,
    /// What the share of that revision needs.
    share: i32,
}

/// Available pods of a revision that may be missing now.
fn budget(exposure: &Exposure<'_>, revision: &Revision) -> i32 {
    let count = Count {
        wanted: exposure.cast.all().map(|revision| revision.size.spec).sum(),
        available: exposure.cast.all().map(dependable).sum(),
        own: dependable(revision),
        share: exposure.floor(revision),
    };
    may_miss(exposure.demand, &count)
}

/// Of all pods that are wanted as many as maxUnavailable may be missing, and one where that is 0 and there are more than
/// `spec.replicas`, but never so many that fewer than `spec.replicas − maxUnavailable` are available; of the revision
/// none that its share of the traffic needs.
///
/// Worked example: 5 pods of which 1 may be missing, and 5 of a preview. With all 10 available 1 may go; with 9, none.
fn may_miss(demand: Demand, count: &Count) -> i32 {
    if crate::mutant!("evicts-beyond-budget") {
        return 1;
    }
    let floor = (demand.replicas - demand.unavailable).max(count.wanted - demand.unavailable.max(1));
    (count.available - floor).min(count.own - count.share)
}

fn evict(exposure: &Exposure<'_>, pod: &Pod, precondition: Precondition) -> Effect {
    let mut rests_on = exposure.basis();
    rests_on.extend(exposure.cast.all().filter(|r| r.size.spec > 0).map(|revision| Basis::of(&*revision.rs)));
    Effect {
        phase: Phase::ScaleDown,
        object: ObjectRef::to(pod),
        verb: Verb::Evict,
        precondition,
        rests_on,
        reason: "created before restartAt".to_owned(),
        events: Vec::new(),
    }
}

fn waits(exposure: &Exposure<'_>, code: &'static str, why: &str) -> Blocker {
    let rollout = &exposure.world.rollout.metadata.name;
    Blocker::wait(code, format!("Rollout/{rollout}"), format!("the restart waits {why}"))
}

/// Refusals of the last minute, that of the last plan included. The minute is twice the time between attempts, so
/// that people read of a refusal without a gap.
pub fn refusals(known: &Memory, now: Time) -> Vec<Refusal> {
    let at = known.evicting_at.unwrap_or(now);
    let new = known.failures.iter().filter(|failure| failure.cause == Cause::Budget);
    let new = new.map(|failure| Refusal { pod: failure.object.name.clone(), message: failure.message.clone(), at });
    let again = |old: &Refusal| known.failures.iter().any(|f| f.cause == Cause::Budget && f.object.name == old.pod);
    let old = known.refusals.iter().filter(|old| old.at + 2 * POLL > now && !again(old)).cloned();
    new.chain(old).take(MAX_REFUSALS).collect()
}

/// When the plan evicts a pod, if it does.
pub fn evicting_at(plan: &Plan, now: Time) -> Option<Time> {
    plan.effects.iter().any(|effect| effect.verb == Verb::Evict).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_missing() {
        // (replicas, maxUnavailable, wanted, available, own, share) and the pods that may go.
        let rows = [
            ((5, 1, 5, 5, 5, 4), 1, "at rest"),
            ((5, 1, 5, 4, 4, 4), 0, "one is missing already"),
            ((10, 3, 10, 9, 9, 7), 2, "one of three"),
            ((1, 0, 1, 1, 1, 1), 0, "the only pod"),
            ((1, 0, 2, 2, 2, 1), 1, "the only pod has company"),
            ((2, 0, 2, 2, 2, 2), 0, "a third pod is on its way out: it counts no more"),
            ((5, 1, 10, 10, 5, 0), 1, "a preview beside five"),
            ((5, 1, 10, 9, 5, 0), 0, "a preview, and one of the five is missing"),
            ((10, 2, 11, 11, 1, 1), 0, "a canary of one with traffic"),
            ((10, 2, 12, 12, 2, 1), 1, "it has company"),
            ((4, 0, 5, 5, 1, 0), 1, "one more than wanted by an update"),
        ];
        for ((replicas, unavailable, wanted, available, own, share), expected, what) in rows {
            let count = Count { wanted, available, own, share };
            assert_eq!(may_miss(Demand { replicas, unavailable }, &count), expected, "{what}");
        }
    }

    #[test]
    fn a_refusal_holds_for_a_while() {
        let at = Time::default() + Duration::from_secs(1_000);
        let object = ObjectRef::named::<Pod>("default", "a");
        let failure = crate::rollout::memory::Failure { object, message: "no".to_owned(), cause: Cause::Budget };
        let known = Memory { failures: vec![failure], evicting_at: Some(at), ..Memory::default() };
        let first = refusals(&known, at + NEXT);
        assert_eq!(first, [Refusal { pod: "a".to_owned(), message: "no".to_owned(), at }]);
        let known = Memory { refusals: first.clone(), ..Memory::default() };
        assert_eq!(refusals(&known, at + POLL), first, "people still read of it while it is tried again");
        assert!(refusals(&known, at + 2 * POLL).is_empty());
    }
}
