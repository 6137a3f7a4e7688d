//! The sizes that a canary behind a router wants.

use super::desired::{self, Weights};
use super::ratio::{self, Ratio};
use super::steps;
use super::target::{Fate, SizeGoal, Target};
use crate::api::rollout::Canary;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::rollout::safety::capacity;
use crate::rollout::safety::route::Routes;
use crate::rollout::sides::Sides;
use crate::rollout::world::World;

/// The sizes of all revisions. `weight` is the canary weight that should be written.
pub fn sizes(world: &World, cast: &Cast, routes: &Routes, (canary, weight): (&Canary, i32), target: &mut Target) {
    let rollout = &world.rollout;
    let wanted = desired::sizes(rollout, world.replicas(), &cast.sizes(), written(routes));
    // The steps lead an aborted canary down to their smallest weight, or to a floor of pods; without traffic it needs none.
    let stepping_down = canary.dynamic_stable_scale && rollout.status.abort && cast.distinct_stable().is_some();
    let idle = stepping_down && routes.written(0) && steps::canary_scale(rollout).is_none();
    let wanted = if idle { Ratio { new: 0, ..wanted } } else { wanted };
    if let Some(stable) = cast.distinct_stable() {
        let over = steps::current(rollout).is_none() && steps::index(rollout).is_some();
        let wanted =
            if over && crate::mutant!("stable-retired-early") { Ratio { stable: 1, ..wanted } } else { wanted };
        let size = if canary.dynamic_stable_scale {
            dynamic_stable(world, cast, routes, (stable, wanted.stable, weight))
        } else {
            wanted.stable
        };
        target.sizes.push(goal(stable, Fate::Size(size), "stable carries what the canary does not"));
    }
    if let Some(new) = &cast.new {
        target.sizes.push(new_size(world, cast, routes, (new, wanted.new)));
    }
    others(world, cast, canary, target);
}

/// What the routes carry; `None` where they cannot be read. Where they differ, each side counts with its largest part.
fn written(routes: &Routes) -> Option<Weights> {
    let shares = || routes.states.iter().map(|state| state.reading.canary_share(routes.max));
    let (most, least) = (shares().max()?, shares().min()?);
    Some(Weights { canary: most, stable: routes.max.saturating_sub(least) })
}

/// Pods of the stable revision where it shrinks as traffic leaves it.
///
/// It grows for what the canary is about to give back before the weight moves, and shrinks only for weights that are
/// settled. After an abort it never shrinks, and goes on to full size where the canary cannot get any smaller.
fn dynamic_stable(world: &World, cast: &Cast, routes: &Routes, (stable, wanted, weight): (&Revision, i32, i32)) -> i32 {
    let replicas = world.replicas();
    let spec = stable.size.spec;
    let service = Sides::of(&world.rollout).stable;
    if !service.is_empty() && capacity::selected(world, service).is_none() {
        // Whatever the Service carries now, every pod is there before it is taken over.
        return replicas;
    }
    if world.rollout.status.abort {
        let (new, counts) = (cast.new_size(), cast.sizes());
        let least = desired::sizes(&world.rollout, replicas, &counts, None).new;
        let stuck = stable.size.available >= wanted && new.spec.max(new.available) <= least;
        return if stuck { replicas } else { wanted.max(spec.min(replicas)) };
    }
    let left = ratio::by_weight(replicas, routes.max.saturating_sub(weight), routes.max);
    let grown = wanted.max(left);
    let held = if super::canary::frozen(world) { spec } else { in_force(world, routes, stable.hash()) };
    if grown < spec { grown.max(held.min(spec)).min(replicas) } else { grown }
}

/// Pods for the largest share that a revision may have anywhere.
fn in_force(world: &World, routes: &Routes, hash: &str) -> i32 {
    let share = routes.share_up(hash);
    ratio::by_weight(world.replicas(), share.part, share.whole)
}

fn new_size(world: &World, cast: &Cast, routes: &Routes, (new, wanted): (&Revision, i32)) -> SizeGoal {
    let status = &world.rollout.status;
    if super::canary::frozen(world) && !cast.at_stable() {
        return goal(new, Fate::Keep, "paused");
    }
    if !status.abort || cast.at_stable() || crate::mutant!("aborted-grows") {
        return goal(new, Fate::Size(wanted), "canary follows its step");
    }
    let deserted = cast.lacks_stable(status) && world.replicas() > 0;
    match defaults::abort_scale_down(&world.rollout) {
        AbortScaleDown::After(_) if crate::mutant!("aborted-pods-stay") => goal(new, Fate::Keep, "update was aborted"),
        AbortScaleDown::After(delay) if cast.stable.is_some() || world.replicas() == 0 => {
            goal(new, Fate::RetireAborted { delay }, "update was aborted")
        }
        AbortScaleDown::NotApplicable if cast.stable.is_some() => {
            let held = wanted.max(in_force(world, routes, new.hash()));
            goal(new, Fate::Size(held.min(new.size.spec)), "update was aborted")
        }
        // Its pods go after its traffic (I06), and stay where somebody has taken the stable revision away.
        _ if deserted || !routes.free_of(new.hash()) && cast.distinct_stable().is_some() => {
            goal(new, Fate::Keep, "update was aborted")
        }
        // An aborted revision never grows again before somebody asks for it (I29).
        _ => goal(new, Fate::Size(wanted.min(new.size.spec)), "update was aborted"),
    }
}

fn others(world: &World, cast: &Cast, canary: &Canary, target: &mut Target) {
    let rollout = &world.rollout;
    let retired = Fate::Retire {
        delay: defaults::scale_down_delay(rollout),
        limit: canary.scale_down_delay_revision_limit.map(|limit| usize::try_from(limit).unwrap_or(0)),
    };
    for other in &cast.others {
        // Revisions are numbered as they come: what is older than the stable one may have been it, also where the
        // next update began before its delay did.
        let former = cast.stable.as_ref().is_some_and(|stable| other.number() < stable.number());
        let served = steps::fully_promoted(rollout) || former || other.deadline().is_some();
        let fate = if super::canary::frozen(world) || crate::mutant!("intermediate-stays") {
            Fate::Keep
        } else if !served && other.size.spec > 0 && crate::mutant!("intermediate-grows") {
            Fate::Size(other.size.spec + 1)
        } else if served {
            retired
        } else {
            Fate::Drop
        };
        target.sizes.push(goal(other, fate, "revision is no longer needed"));
    }
}

fn goal(revision: &Revision, fate: Fate, reason: &str) -> SizeGoal {
    SizeGoal { name: revision.name().to_owned(), fate, reason: reason.to_owned() }
}
