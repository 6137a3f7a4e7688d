//! What a canary wants.

use super::managed;
use super::ratio::{self, Ratio};
use super::steps::{self, CanarySize};
use super::target::{Fate, Readiness, ServiceGoal, SizeGoal, Target, WeightGoal};
use crate::api::rollout::Canary;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::rollout::safety::capacity;
use crate::rollout::safety::route::Routes;
use crate::rollout::world::World;

/// Sizes, selectors and weights that should hold now, from the decisions on record.
pub fn target(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> Target {
    let mut target = Target::default();
    if routes.configured {
        routed_sizes(world, cast, canary, &mut target);
        target.weight = Some(WeightGoal { canary: weight(world, cast, routes, canary) });
        target.managed = managed::target(world, cast, canary);
    } else {
        basic_sizes(world, cast, &mut target);
    }
    services(world, cast, routes, (canary, &mut target));
    target
}

/// Whether sizes stay as they are: a person paused, or an analysis could not tell.
fn frozen(world: &World) -> bool {
    let status = &world.rollout.status;
    let inconclusive = status.pause("InconclusiveAnalysisRun").is_some();
    (world.rollout.spec.paused || inconclusive) && !status.abort
}

/// The size that the new and the stable revision should have.
pub fn desired(world: &World, cast: &Cast) -> Ratio {
    let rollout = &world.rollout;
    let (replicas, max) = (world.replicas(), defaults::max_traffic_weight(rollout));
    let routed = rollout.spec.strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some());
    let size = steps::canary_size(rollout);
    if routed {
        let new = match size {
            CanarySize::Replicas(count) => count,
            CanarySize::Weight(weight) => ratio::by_weight(replicas, weight, max),
        };
        return Ratio { new, stable: replicas };
    }
    let weight = match size {
        CanarySize::Weight(weight) => weight,
        CanarySize::Replicas(_) => 0,
    };
    let (surge, _) = defaults::fenceposts(rollout, replicas);
    ratio::basic(&cast.sizes(), replicas, (weight, max), surge)
}

/// Whether the pods are as the current step wants them. Argo: `replicasetutil.AtDesiredReplicaCountsForCanary`.
pub fn at_desired(world: &World, cast: &Cast) -> bool {
    let goal = desired(world, cast);
    let routed = world.rollout.spec.strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some());
    let new = cast.new_size();
    if new.spec != goal.new || new.available < goal.new {
        return false;
    }
    let incomplete = |stable: &Revision| stable.size.spec != goal.stable || stable.size.replicas != goal.stable;
    if cast.distinct_stable().is_some_and(incomplete) {
        return false;
    }
    routed || cast.others.iter().all(|other| other.size.available == 0)
}

fn basic_sizes(world: &World, cast: &Cast, target: &mut Target) {
    if frozen(world) {
        return;
    }
    target.paced = Some(desired(world, cast));
    for other in &cast.others {
        target.sizes.push(goal(other, Fate::Drop, "revision is no longer needed"));
    }
}

fn routed_sizes(world: &World, cast: &Cast, canary: &Canary, target: &mut Target) {
    let rollout = &world.rollout;
    let wanted = desired(world, cast);
    if let Some(stable) = cast.distinct_stable() {
        target.sizes.push(goal(stable, Fate::Size(wanted.stable), "stable carries what the canary does not"));
    }
    if let Some(new) = &cast.new {
        target.sizes.push(new_size(world, cast, new, wanted.new));
    }
    let retired = Fate::Retire {
        delay: defaults::scale_down_delay(rollout),
        limit: canary.scale_down_delay_revision_limit.map(|limit| usize::try_from(limit).unwrap_or(0)),
    };
    for other in &cast.others {
        // Revisions are numbered as they come: what is older than the stable one may have been it, also where the
        // next update began before its delay did.
        let former = cast.stable.as_ref().is_some_and(|stable| other.number() < stable.number());
        let served = steps::fully_promoted(rollout) || former || other.deadline().is_some();
        let fate = if frozen(world) {
            Fate::Keep
        } else if served {
            retired
        } else {
            Fate::Drop
        };
        target.sizes.push(goal(other, fate, "revision is no longer needed"));
    }
}

fn new_size(world: &World, cast: &Cast, new: &Revision, wanted: i32) -> SizeGoal {
    let status = &world.rollout.status;
    if frozen(world) && !cast.at_stable() {
        return goal(new, Fate::Keep, "paused");
    }
    if !status.abort || cast.at_stable() {
        return goal(new, Fate::Size(wanted), "canary follows its step");
    }
    match defaults::abort_scale_down(&world.rollout) {
        AbortScaleDown::After(delay) if cast.stable.is_some() => {
            goal(new, Fate::RetireAborted { delay }, "update was aborted")
        }
        // An aborted revision never grows again before somebody asks for it (I29).
        _ => goal(new, Fate::Size(wanted.min(new.size.spec)), "update was aborted"),
    }
}

fn goal(revision: &Revision, fate: Fate, reason: &str) -> SizeGoal {
    SizeGoal { name: revision.name().to_owned(), fate, reason: reason.to_owned() }
}

/// The canary's weight that should be written. Source: contract, behaviour §7.3.
pub fn weight(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> i32 {
    let rollout = &world.rollout;
    let status = &rollout.status;
    if !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash {
        return resting_weight(world, cast, routes, canary);
    }
    if status.abort || cast.new_size().available == 0 {
        return 0;
    }
    // A weight is about the new revision: what the canary Service gives to another one is taken back first, else its
    // selector could never move, and steps would pass on traffic that the new revision has never seen.
    let behind = capacity::selected(world, &canary.canary_service);
    if behind != cast.new.as_ref().map(Revision::hash) {
        return 0;
    }
    if status.promote_full {
        return status.canary.weights.as_ref().map_or(0, |weights| weights.canary.weight.0);
    }
    match (steps::index(rollout), steps::current(rollout)) {
        (None, _) => 0,
        (Some(index), _) if !at_desired(world, cast) => steps::weight_before(rollout, index),
        (Some(index), Some(_)) => steps::weight_at(rollout, index),
        (Some(_), None) => routes.max,
    }
}

/// The weight after promotion: 0, as soon as the stable Service selects the promoted revision.
///
/// Until then the traffic goes through the canary Service, which already selects it: a selector is never taken from
/// pods that still have a share (I05), and both Services end on the same revision without a gap. Where no pod answers
/// behind the stable Service any more, its selector moves at once, and there is no traffic to lead around it.
fn resting_weight(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> i32 {
    let promoted = world.rollout.status.stable_rs.as_str();
    let answers = |service: &str| capacity::target(world, cast, service).is_some_and(|left| left.size.available > 0);
    match (capacity::selected(world, &canary.stable_service), capacity::selected(world, &canary.canary_service)) {
        (Some(stable), Some(new)) if stable != promoted && new == promoted && answers(&canary.stable_service) => {
            routes.max
        }
        _ => 0,
    }
}

/// Which revisions the Services select. Source: contract, behaviour §8.2.
fn services(world: &World, cast: &Cast, routes: &Routes, (canary, target): (&Canary, &mut Target)) {
    let status = &world.rollout.status;
    if let Some(stable) = &cast.stable {
        push_service(world, &canary.stable_service, stable, target);
    }
    let aborted_without_router = status.abort && !routes.configured;
    // Once there it stays there: its own switch unsettles the routes for a while, and must not be taken for a reason to go back.
    let stable = cast.stable.as_ref().map(Revision::hash);
    let there = stable.is_some() && capacity::selected(world, &canary.canary_service) == stable;
    let aborted_and_drained = status.abort && routes.written(0) && routes.bare() && (there || routes.settled());
    let behind_canary =
        if (aborted_without_router || aborted_and_drained) && cast.stable.is_some() { &cast.stable } else { &cast.new };
    if let Some(revision) = behind_canary {
        push_service(world, &canary.canary_service, revision, target);
    }
}

fn push_service(world: &World, service: &str, revision: &Revision, target: &mut Target) {
    if service.is_empty() {
        return;
    }
    // A Service that nothing of ours manages yet may carry a live workload: it is taken over only when all pods are there.
    let adopted = capacity::selected(world, service).is_some();
    target.services.push(ServiceGoal {
        service: service.to_owned(),
        hash: revision.hash().to_owned(),
        readiness: if adopted { Readiness::One } else { Readiness::Full },
        takes_all: false,
    });
}
