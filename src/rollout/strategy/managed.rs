//! Which managed routes should exist: a function of the steps so far, computed anew at each look (I14).
//!
//! Argo calls its router once, while the step is the current one, and takes everything away whenever the canary has no
//! available pod, so a rule is lost for good with the canary's only pod. Here it comes back with the pod.
//! Argo's guard "not on the first revision" is part of "an update is under way": that needs a stable revision which
//! is not the new one.

use super::desired;
use super::steps;
use crate::api::Rollout;
use crate::api::rollout::Canary;
use crate::api::steps::CanaryStep;
use crate::plan::Event;
use crate::rollout::case::Case;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::safety::capacity;
use crate::rollout::sides::Sides;
use crate::rollout::world::World;
use crate::traffic::gateway_api::{ManagedRoute, Wants};

/// The managed routes that should exist now; `None` where the Rollout names none at all.
pub fn target(world: &World, cast: &Cast, canary: &Canary) -> Option<Vec<ManagedRoute>> {
    let rollout = &world.rollout;
    configured(canary).then(|| {
        if leads_to_new(world, cast) { steps::index(rollout).map(|index| through(rollout, index)) } else { None }
            .unwrap_or_default()
    })
}

/// Whether the Rollout names managed routes.
pub fn configured(canary: &Canary) -> bool {
    let managed = canary.traffic_routing.as_ref().and_then(|routing| routing.managed_routes.as_ref());
    managed.is_some_and(|managed| !managed.is_empty())
}

/// Whether a managed route would lead to pods of an update that is under way and wants some.
pub fn leads_to_new(world: &World, cast: &Cast) -> bool {
    let status = &world.rollout.status;
    let over = steps::fully_promoted(&world.rollout) || status.abort || status.promote_full;
    let behind = capacity::selected(world, Sides::of(&world.rollout).canary);
    !over
        && (cast.new_size().available > 0 || crate::mutant!("managed-rule-without-pods"))
        && behind.is_some()
        && behind == cast.new.as_ref().map(Revision::hash)
        && asks_for_pods(world, cast)
}

/// Whether the steps want any pod of the new revision.
fn asks_for_pods(world: &World, cast: &Cast) -> bool {
    desired::sizes(&world.rollout, world.replicas(), &cast.sizes(), None).new > 0
}

/// The managed routes that the steps up to an index leave, in the order in which they were set last.
pub fn through(rollout: &Rollout, index: i32) -> Vec<ManagedRoute> {
    let end = usize::try_from(index.saturating_add(1)).unwrap_or(0);
    let mut routes: Vec<ManagedRoute> = Vec::new();
    for (name, wants) in steps::steps(rollout).iter().take(end).flat_map(asked) {
        routes.retain(|route| route.name != name);
        routes.extend(wants.map(|wants| ManagedRoute { name: name.to_owned(), wants }));
    }
    routes
}

/// Whether the managed routes of a step's index are what they should be: a step that sets one is not done before.
/// Where the steps ask for no pods there is nothing to lead requests to; the rule comes with the first pod.
pub fn wanted_at(world: &World, cast: &Cast, index: i32) -> Vec<ManagedRoute> {
    if asks_for_pods(world, cast) { through(&world.rollout, index) } else { Vec::new() }
}

/// What a step asks of managed routes: by name, and `None` where the route is to go.
fn asked(step: &CanaryStep) -> impl Iterator<Item = (&str, Option<Wants>)> {
    let header = step.set_header_route.as_ref().map(|route| {
        let wants = (!route.matches.is_empty()).then(|| Wants::Headers(route.matches.clone()));
        (route.name.as_str(), wants)
    });
    let mirror = step.set_mirror_route.as_ref().map(|route| {
        let percent = route.percentage.unwrap_or(100).clamp(0, 100);
        let wants = (!route.matches.is_empty()).then(|| Wants::Mirror { matches: route.matches.clone(), percent });
        (route.name.as_str(), wants)
    });
    header.into_iter().chain(mirror)
}

/// A warning where no route takes managed routes: the steps that set some are carried out by nobody, as in Argo.
pub fn unheard(case: &Case<'_>) -> Option<Event> {
    let sets = !through(&case.world.rollout, steps::len(&case.world.rollout)).is_empty();
    let heard = case.world.routes.iter().any(|route| route.header_routes);
    (sets && !heard).then(|| {
        let message = "no route takes managed routes: setHeaderRoute and setMirrorRoute do nothing; \
                       set useHeaderRoutes where the route is named";
        Event::warning("ManagedRoutesUnused", message)
    })
}
