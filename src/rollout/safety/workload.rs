//! Permission to drain the Deployment that the template comes from: its pods are capacity too (I24).
//!
//! At every instant `available(Deployment) + available(Rollout) ≥ replicas − maxUnavailable`. What the Rollout may lose
//! by the same plan is taken off first, and what cannot be known counts as nothing.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::capacity::{self, dependable};
use super::contest::{self, REPAIR_SPAN};
use super::exposure::Exposure;
use crate::api::{Time, Workload, names};
use crate::plan::{Basis, Blocker, Effect, Event, ObjectRef, Phase, Plan, Precondition, Verb};
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::memory::DrainMemory;
use crate::rollout::strategy::workload::{self, WorkloadGoal};

/// Shortest time between two steps of a drain: a hundred pods that come up one by one are no hundred writes a second.
const PACE: Duration = Duration::from_secs(1);

/// Puts the size of the Deployment that is safe now into the plan, after the Rollout's own sizes.
pub fn permit(exposure: &Exposure<'_>, case: &Case<'_>, plan: &mut Plan) {
    let (Some(goal), Some((object, deployment))) = (workload::goal(case), case.world.workload.deployment()) else {
        return;
    };
    let current = deployment.wanted();
    if goal.replicas > current {
        plan.effects.push(scale((object, deployment), goal, exposure));
        return;
    }
    if let Some(later) = too_soon(case, current) {
        plan.wake(later);
        return;
    }
    if let Some((blocker, later)) = contested(case, (object, deployment)) {
        plan.blockers.push(blocker);
        plan.wake(later);
        return;
    }
    let floor = exposure.demand.replicas - exposure.demand.unavailable;
    let own = own_after(exposure, plan);
    let size = smallest(deployment, floor - own).max(goal.replicas);
    let size = if crate::mutant!("deployment-drained-early") { 0 } else { size };
    if size < current {
        plan.effects.push(scale((object, deployment), WorkloadGoal { replicas: size, ..goal }, exposure));
    }
    if size > goal.replicas {
        let message =
            format!("kept at {}: {own} of {floor} pods of the Rollout's own can be counted on", size.min(current));
        plan.blockers.push(Blocker::wait("WorkloadStillServes", object.to_string(), message));
    }
}

/// The Rollout's own pods that will be there after this plan, and that users can reach by then.
fn own_after(exposure: &Exposure<'_>, plan: &Plan) -> i32 {
    let world = exposure.world;
    let serving = workload::serving(world, exposure.cast);
    let kept = |revision: &Revision| {
        let planned = plan.effects.iter().find_map(|effect| planned_size(effect, &ObjectRef::to(&*revision.rs)));
        dependable(revision).min(planned.unwrap_or(revision.size.spec))
    };
    let pods: i32 = serving.iter().map(|revision| kept(revision)).sum();
    // A Service that still selects the pods of both reaches a new pod only once it is an endpoint.
    let shared = world.services.keys().filter(|service| capacity::selected(world, service).is_none());
    let reached = shared.filter_map(|service| {
        let own = serving.iter().map(|revision| capacity::endpoints(world, service, revision).map(|(own, _)| own));
        own.sum::<Option<i32>>()
    });
    reached.fold(pods, i32::min)
}

/// The size that an effect gives an object.
fn planned_size(effect: &Effect, object: &ObjectRef) -> Option<i32> {
    let Verb::Merge(patch) = &effect.verb else { return None };
    let size = patch.pointer("/spec/replicas").filter(|_| effect.object == *object)?;
    i32::try_from(size.as_i64()?).ok()
}

/// The smallest size with which the Deployment surely keeps `needed` available pods; its own size where that is unknown.
///
/// With one ReplicaSet, pods that are not ready go first: of 10 pods with 8 available, 5 pods are enough to keep 5. In the
/// middle of an update of its own it counts against its own maxUnavailable, and removes available pods for others that
/// are not: then it is left alone until none of its pods is needed.
fn smallest(deployment: &Workload, needed: i32) -> i32 {
    let (current, status) = (deployment.wanted(), &deployment.status);
    if needed <= 0 {
        return 0;
    }
    let observed = status.observed_generation >= deployment.metadata.generation;
    let settled = observed && status.updated_replicas == status.replicas;
    if settled && status.available_replicas.min(current) >= needed { needed } else { current }
}

/// When the next step of a drain may be taken, where that is not now.
fn too_soon(case: &Case<'_>, current: i32) -> Option<Time> {
    let memory = &case.world.memory.drain;
    // Only steps of one drain are paced: what somebody else has scaled up is another matter.
    let at = memory.at.filter(|_| memory.size == Some(current))? + PACE;
    (at > case.now).then_some(at)
}

/// Whether somebody else keeps scaling the Deployment up, and when it is drained again.
fn contested(case: &Case<'_>, (object, deployment): (&ObjectRef, &Workload)) -> Option<(Blocker, Time)> {
    let current = deployment.wanted();
    let memory = &case.world.memory.drain;
    let first = contest::full_since(&memory.repairs, case.now).filter(|_| memory.size.is_some_and(|s| current > s))?;
    let remedy = "take spec.replicas out of what applies the Deployment, or set workloadRef.scaleDown to never";
    Some((contest::blocker(object, &deployment.metadata.writer, remedy), first + REPAIR_SPAN))
}

/// What the next look should know of the drain.
pub fn remember(case: &Case<'_>, plan: &Plan) -> DrainMemory {
    let Some((object, deployment)) = case.world.workload.deployment() else { return DrainMemory::default() };
    let memory = &case.world.memory.drain;
    let mut next = DrainMemory { repairs: contest::recent(&memory.repairs, case.now).collect(), ..memory.clone() };
    if let Some(size) = plan.effects.iter().find_map(|effect| planned_size(effect, object)) {
        if memory.size.is_some_and(|size| deployment.wanted() > size) {
            next.repairs.push(case.now);
        }
        next.size = Some(size);
        next.at = Some(case.now);
    }
    next
}

fn scale((object, deployment): (&ObjectRef, &Workload), goal: WorkloadGoal, exposure: &Exposure<'_>) -> Effect {
    let (from, to) = (deployment.wanted(), goal.replicas);
    let up = to > from;
    let mut metadata = Map::new();
    if !up {
        let noted = deployment.metadata.annotation(names::DRAINED_FROM).and_then(|text| text.parse().ok());
        let most = noted.unwrap_or(from).max(from);
        metadata.insert(
            "annotations".to_owned(),
            json!({names::DRAINED_FROM: most.to_string(), names::DRAINED_BY: exposure.world.rollout.metadata.name}),
        );
    }
    let own = exposure.cast.all().filter(|revision| revision.size.spec > 0);
    let mut basis: Vec<Basis> = own.map(|revision| Basis::of(&*revision.rs)).collect();
    if basis.is_empty() {
        // Without pods of its own, it is the Rollout's word that none are needed.
        basis.push(Basis::of(&*exposure.world.rollout));
    }
    let message = format!("Scaled {} {object} from {from} to {to}: {}", if up { "up" } else { "down" }, goal.reason);
    Effect {
        phase: if up { Phase::ScaleUp } else { Phase::ScaleDown },
        object: object.clone(),
        verb: Verb::Merge(json!({"metadata": Value::Object(metadata), "spec": {"replicas": to}})),
        precondition: Precondition::of(&deployment.metadata),
        rests_on: if up { Vec::new() } else { basis },
        reason: goal.reason.to_owned(),
        events: vec![Event::normal("ScalingWorkload", message)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pods_stay_as_are_needed() {
        // (size, generation observed, pods, of the current template, available), needed, smallest size
        let cases = [
            ((10, true, 10, 10, 10), 5, 5),
            ((10, true, 10, 10, 8), 5, 5),
            ((10, true, 10, 10, 4), 5, 10),
            ((10, true, 10, 10, 10), 12, 10),
            ((10, false, 10, 10, 10), 5, 10),
            ((10, false, 10, 10, 10), 0, 0),
            ((10, true, 13, 3, 10), 5, 10),
            ((10, true, 13, 3, 10), -2, 0),
            // Counts of before the last step: pods that are on their way out are not available ones.
            ((6, true, 10, 10, 10), 6, 6),
            ((6, true, 10, 10, 10), 7, 6),
        ];
        for ((size, observed, replicas, updated, available), needed, expected) in cases {
            let mut deployment = Workload::default();
            deployment.metadata.generation = 2;
            deployment.spec.replicas = Some(size);
            deployment.status.observed_generation = if observed { 2 } else { 1 };
            deployment.status.replicas = replicas;
            deployment.status.updated_replicas = updated;
            deployment.status.available_replicas = available;
            assert_eq!(smallest(&deployment, needed), expected, "{size} {observed} {replicas} {available} {needed}");
        }
    }
}
