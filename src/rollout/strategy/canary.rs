//! What a canary wants.

use super::target::{Fate, Readiness, ServiceGoal, SizeGoal, Target, WeightGoal};
use super::{desired, managed, restart, routed, steps};
use crate::api::rollout::Canary;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::safety::capacity::{self, possible};
use crate::rollout::safety::route::Routes;
use crate::rollout::sides::Sides;
use crate::rollout::world::World;

/// Sizes, selectors and weights that should hold now, from the decisions on record.
pub fn target(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> Target {
    let mut target = Target::default();
    if routes.configured {
        let weight = weight(world, cast, routes, canary);
        routed::sizes(world, cast, routes, (canary, weight), &mut target);
        target.weight = Some(WeightGoal { canary: weight });
        target.managed = managed::target(world, cast, canary);
    } else {
        basic_sizes(world, cast, &mut target);
    }
    let sides = Sides::of(&world.rollout);
    if sides.ping_pong {
        ping_pong(world, cast, sides, &mut target);
    } else {
        services(world, cast, routes, (sides, &mut target));
    }
    target
}

/// Whether sizes stay as they are: a person paused, or an analysis could not tell.
pub fn frozen(world: &World) -> bool {
    let status = &world.rollout.status;
    let inconclusive = status.pause("InconclusiveAnalysisRun").is_some();
    (world.rollout.spec.paused || inconclusive) && !status.abort
}

/// Whether the pods are as the current step wants them, or enough of them are.
pub fn at_desired(world: &World, cast: &Cast) -> bool {
    let (rollout, replicas) = (&world.rollout, world.replicas());
    let mut counts = cast.sizes();
    if restart::pending(rollout).is_some() {
        let goal = desired::sizes(rollout, replicas, &counts, None);
        restart::forgive(counts.new.as_mut(), goal.new);
        restart::forgive(counts.stable.as_mut(), goal.stable);
    }
    desired::reached(rollout, replicas, &counts, None)
}

fn basic_sizes(world: &World, cast: &Cast, target: &mut Target) {
    if frozen(world) {
        return;
    }
    target.paced = Some(desired::sizes(&world.rollout, world.replicas(), &cast.sizes(), None));
    for other in &cast.others {
        let reason = "revision is no longer needed".to_owned();
        target.sizes.push(SizeGoal { name: other.name().to_owned(), fate: Fate::Drop, reason });
    }
}

/// The canary's weight that should be written. Source: contract, behaviour §7.3.
pub fn weight(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> i32 {
    let rollout = &world.rollout;
    let status = &rollout.status;
    if led_around(world, cast) {
        return routes.max;
    }
    if !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash {
        return 0;
    }
    if (status.abort && !crate::mutant!("abort-keeps-weight")) || cast.new_size().available == 0 {
        return 0;
    }
    // A weight is about the new revision: what the canary Service gives to another one is taken back first, else its
    // selector could never move, and steps would pass on traffic that the new revision has never seen.
    let behind = capacity::selected(world, Sides::of(rollout).canary);
    if behind != cast.new.as_ref().map(Revision::hash) {
        return 0;
    }
    if status.promote_full {
        return promoting_weight(world, cast, routes, canary);
    }
    match (steps::index(rollout), steps::current(rollout)) {
        (None, _) => 0,
        (Some(_), _) if !at_desired(world, cast) && crate::mutant!("weight-goes-back") => 0,
        (Some(index), current) if !at_desired(world, cast) => {
            let before = steps::weight_before(rollout, index);
            let at = current.map_or(routes.max, |_| steps::weight_at(rollout, index));
            // A smaller weight goes before the pods do; a larger one after they came, and stays when more are wanted.
            if at < before { at } else { written(routes).clamp(before, at) }
        }
        (Some(index), Some(_)) if crate::mutant!("weight-of-next-step") => steps::weight_at(rollout, index + 1),
        (Some(index), Some(_)) => steps::weight_at(rollout, index),
        (Some(_), None) => routes.max,
    }
}

/// The weight that every route gives the canary.
fn written(routes: &Routes) -> i32 {
    routes.states.iter().map(|state| state.reading.canary_share(routes.max)).min().unwrap_or(0)
}

/// The weight of a canary that is promoted without its steps: it stays; where the stable revision shrinks with its
/// traffic, it grows with the canary's pods.
fn promoting_weight(world: &World, cast: &Cast, routes: &Routes, canary: &Canary) -> i32 {
    // What the routes say: the record may be one look behind, and following it would take the weight back and forth.
    let now = written(routes);
    let (available, replicas) = (i64::from(cast.new_size().available), i64::from(world.replicas()));
    if !canary.dynamic_stable_scale || replicas == 0 {
        return now;
    }
    let carried = i64::from(routes.max) * available.min(replicas) / replicas;
    i32::try_from(carried).unwrap_or(routes.max).max(now)
}

/// Whether the traffic goes through the canary Service, which selects the promoted revision already, until the stable
/// Service selects it as well; also where the next update, or its abort, has come meanwhile.
///
/// A selector is never taken from pods that still have a share (I05), and both Services end on the same revision
/// without a gap. Where no pod answers behind the stable Service any more, its selector moves at once, and there is no
/// traffic to lead around it.
fn led_around(world: &World, cast: &Cast) -> bool {
    let sides = Sides::of(&world.rollout);
    let promoted = world.rollout.status.stable_rs.as_str();
    let answers = |service: &str| capacity::target(world, cast, service).is_some_and(|left| possible(left) > 0);
    match (capacity::selected(world, sides.stable), capacity::selected(world, sides.canary)) {
        (Some(stable), Some(new)) => stable != promoted && new == promoted && answers(sides.stable),
        _ => false,
    }
}

/// Which revisions the Services select. Source: contract, behaviour §8.2.
fn services(world: &World, cast: &Cast, routes: &Routes, (sides, target): (Sides<'_>, &mut Target)) {
    if let Some(stable) = &cast.stable {
        push_service(world, sides.stable, stable, target);
    }
    let goes_back = cast.stable.is_some() && canary_goes_back(world, cast, routes, sides);
    if let Some(revision) = if goes_back { &cast.stable } else { &cast.new } {
        push_service(world, sides.canary, revision, target);
    }
}

/// Whether the canary Service is to select the stable revision, and not the new one.
fn canary_goes_back(world: &World, cast: &Cast, routes: &Routes, sides: Sides<'_>) -> bool {
    let abort = world.rollout.status.abort;
    // Once there it stays there: its own switch unsettles the routes for a while, and must not be taken for a reason to go back.
    let stable = cast.stable.as_ref().map(Revision::hash);
    let there = capacity::selected(world, sides.canary) == stable;
    let drained = routes.written(0) && routes.bare() && (there || routes.settled());
    // An aborted update keeps a Service that it has, until its traffic is gone, and gets none that it has not. Where it
    // has the stable one, by somebody else's hand, the canary Service keeps its pods within reach while that one goes.
    let new = cast.new.as_ref().map(Revision::hash);
    let apart = [sides.canary, sides.stable].iter().all(|side| capacity::selected(world, side) != new);
    let aborted = abort && (!routes.configured || drained || apart);
    let around = routes.configured && led_around(world, cast);
    aborted || around || dangling(world, cast, sides.canary) || crate::mutant!("canary-service-to-stable")
}

/// Whether a Service selects a revision that has gone, and no pod of the new one is there for it.
fn dangling(world: &World, cast: &Cast, service: &str) -> bool {
    capacity::dangles(world, cast, service) && (steps::fully_promoted(&world.rollout) || cast.new_size().available == 0)
}

/// Which revisions ping and pong select: the canary's side the new revision while there is an update, the stable side
/// the stable one, which it selects already where it was the canary's before. No selector leaves pods with a share, and
/// an abort needs none to move. Source: contract, behaviour §8.2 and §8.3.
fn ping_pong(world: &World, cast: &Cast, sides: Sides<'_>, target: &mut Target) {
    if let Some(stable) = &cast.stable {
        push_service(world, sides.stable, stable, target);
    }
    if let Some(stable) = cast.stable.as_ref().filter(|_| dangling(world, cast, sides.canary)) {
        push_service(world, sides.canary, stable, target);
    } else if let Some(new) = cast.new.as_ref().filter(|_| !steps::fully_promoted(&world.rollout)) {
        // It has no share before it selects the new revision, so its first pod is enough.
        target.services.push(ServiceGoal {
            service: sides.canary.to_owned(),
            hash: new.hash().to_owned(),
            readiness: Readiness::One,
            takes_all: false,
        });
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
