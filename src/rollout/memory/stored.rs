//! The part of a memory that `status.siskin` keeps, and how a look without memory reads it back.
//!
//! The record may be old, pruned or forged. So an entry counts only where what it is about is still what is observed:
//! a maximum for the current revision, a weight where route and Services say the same weight, generation and revisions.
//! Whatever does not fit is as if it had never been written: the wait is the full one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{CLOCKS_APART, HighWater, Memory, Past, RouteMemory, WrittenWeight};
use crate::api::rollout_status::{self, EarlierWeight, RouteStatus, SiskinStatus};
use crate::api::{Time, rollout_status::ObservedGeneration};
use crate::plan::ObjectRef;
use crate::rollout::defaults;
use crate::rollout::safety::route::{self, MAX_IN_FLIGHT};
use crate::rollout::settings::OwnStatus;
use crate::rollout::sides::Sides;
use crate::rollout::world::World;
use crate::traffic::gateway_api;

/// Recorded times are whole seconds, cut off.
const CUT_OFF: Duration = Duration::from_secs(1);

/// What is kept of a route; `None` where nothing is known of it.
pub fn route(object: &ObjectRef, memory: &RouteMemory) -> Option<RouteStatus> {
    let (newest, earlier) = memory.in_flight.split_last()?;
    let earlier = if memory.past == Past::Over { earlier } else { &[] };
    Some(RouteStatus {
        route: name(object),
        generation: newest.generation,
        canary_weight: newest.canary,
        canary_service: newest.canary_service.clone(),
        pod_template_hash: newest.canary_hash.clone(),
        stable_pod_template_hash: newest.stable_hash.clone(),
        settled_since: memory.settling_since.map(Time::truncated),
        earlier: earlier.iter().map(stored_weight).collect(),
    })
}

/// What is kept of the maxima.
pub fn high_water(memory: &HighWater) -> rollout_status::HighWater {
    rollout_status::HighWater {
        pod_template_hash: memory.hash.clone(),
        updated: memory.updated,
        available: memory.available,
    }
}

/// The memory that the record justifies, for a look that has none of its own.
pub fn recall(world: &World, now: Time) -> Memory {
    let kept = world.settings.own_status == OwnStatus::Kept && !crate::mutant!("first-look-writes");
    let Some(own) = world.rollout.status.siskin.as_ref().filter(|_| kept) else { return Memory::default() };
    Memory {
        routes: routes(world, own, now),
        high_water: own.available_high_water.as_ref().map(|water| recall_water(world, water)).unwrap_or_default(),
        blocked_since: blocked_since(world, own, now),
        told: told(own),
        ..Memory::default()
    }
}

fn routes(world: &World, own: &SiskinStatus, now: Time) -> BTreeMap<ObjectRef, RouteMemory> {
    let mut routes = BTreeMap::new();
    let Some(canary) = &world.rollout.spec.strategy.canary else { return routes };
    let (max, sides) = (defaults::max_traffic_weight(&world.rollout), Sides::of(&world.rollout));
    for view in &world.routes {
        let Some(found) = &view.found else { continue };
        let reading = gateway_api::read(found, &route::backends(canary, sides), None);
        let managed = route::leads_to_canary(view.header_routes, &reading);
        let newest = route::newest(world, sides, &reading, managed);
        let stored = own.routes.iter().find(|stored| stored.route == name(&view.object));
        if let Some(memory) = stored.and_then(|stored| recall_route(stored, &newest, (max, now))) {
            routes.insert(view.object.clone(), memory);
        }
    }
    routes
}

/// What an entry justifies about a route that stands at `newest`; `None` where it is about another state of it.
fn recall_route(stored: &RouteStatus, newest: &WrittenWeight, (max, now): (i32, Time)) -> Option<RouteMemory> {
    let about = WrittenWeight {
        generation: stored.generation,
        canary: stored.canary_weight,
        // Seen in the route itself, at this very generation.
        managed: newest.managed,
        canary_service: stored.canary_service.clone(),
        canary_hash: stored.pod_template_hash.clone(),
        stable_hash: stored.stable_pod_template_hash.clone(),
    };
    if about != *newest {
        return None;
    }
    let earlier: Vec<WrittenWeight> = stored.earlier.iter().map(recall_weight).collect();
    let possible = |w: &WrittenWeight| w.generation <= newest.generation && (0..=max).contains(&w.canary);
    let known = !earlier.is_empty() && earlier.len() < MAX_IN_FLIGHT && earlier.iter().all(possible);
    let (mut in_flight, past) = if known { (earlier, Past::Over) } else { (Vec::new(), Past::Unknown) };
    in_flight.push(about);
    // As late as it may have been: a second may have been cut off, and another's clock was read. What may have been just
    // now begins anew.
    let apart = if crate::mutant!("foreign-clock-trusted") { Duration::ZERO } else { CLOCKS_APART };
    let latest = stored.settled_since.map(|since| since + CUT_OFF + apart);
    Some(RouteMemory { in_flight, past, settling_since: latest.filter(|latest| *latest <= now) })
}

/// A maximum beyond what is wanted can only hide progress, so it is cut down to that.
fn recall_water(world: &World, stored: &rollout_status::HighWater) -> HighWater {
    let status = &world.rollout.status;
    if stored.pod_template_hash.is_empty() || stored.pod_template_hash != status.current_pod_hash {
        return HighWater::default();
    }
    // A preview may be larger than what is wanted in the end.
    let own = world.replica_sets.iter().filter(|rs| rs.pod_hash() == stored.pod_template_hash).map(|rs| rs.wanted());
    let most = own.chain([world.replicas()]).max().unwrap_or(0).max(0);
    HighWater {
        hash: stored.pod_template_hash.clone(),
        updated: stored.updated.clamp(0, most),
        available: stored.available.clamp(0, most),
        step: None,
    }
}

fn blocked_since(world: &World, own: &SiskinStatus, now: Time) -> BTreeMap<(String, String), Time> {
    let rollout = &world.rollout;
    if rollout.status.observed_generation != ObservedGeneration::of(rollout.metadata.generation) {
        return BTreeMap::new();
    }
    let known = own.blockers.iter().filter_map(|blocker| {
        let since = blocker.since.filter(|since| *since <= now)?;
        Some(((blocker.code.clone(), blocker.object.clone()), since))
    });
    known.collect()
}

/// What stands in the record as a call for help was told when it was written.
fn told(own: &SiskinStatus) -> BTreeSet<(String, String)> {
    let calls = own.blockers.iter().filter(|blocker| !blocker.remedy.is_empty());
    calls.map(|blocker| (blocker.code.clone(), blocker.object.clone())).collect()
}

fn stored_weight(weight: &WrittenWeight) -> EarlierWeight {
    EarlierWeight {
        generation: weight.generation,
        canary_weight: weight.canary,
        managed_routes: weight.managed,
        canary_service: weight.canary_service.clone(),
        pod_template_hash: weight.canary_hash.clone(),
        stable_pod_template_hash: weight.stable_hash.clone(),
    }
}

fn recall_weight(stored: &EarlierWeight) -> WrittenWeight {
    WrittenWeight {
        generation: stored.generation,
        canary: stored.canary_weight,
        managed: stored.managed_routes,
        canary_service: stored.canary_service.clone(),
        canary_hash: stored.pod_template_hash.clone(),
        stable_hash: stored.stable_pod_template_hash.clone(),
    }
}

/// `Kind/namespace/name`.
fn name(object: &ObjectRef) -> String {
    format!("{}/{}/{}", object.resource.kind, object.namespace, object.name)
}

#[cfg(test)]
mod tests;
