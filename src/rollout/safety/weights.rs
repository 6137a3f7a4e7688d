//! Permission to move weights.

use std::time::Duration;

use super::capacity::{self, Share, dependable, possible};
use super::exposure::Exposure;
use super::managed;
use super::route::RouteState;
use crate::api::Time;
use crate::api::rollout::Canary;
use crate::plan::{Basis, Blocker, Effect, Event, Phase, Plan, Precondition, Verb};
use crate::rollout::cast::Revision;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::ratio;
use crate::rollout::strategy::target::Target;
use crate::traffic::Acknowledgement;
use crate::traffic::gateway_api::{self, ManagedRoute};
use serde_json::Value;

/// How long endpoints may take to leave a Service that was led elsewhere.
const LINGERS: Duration = Duration::from_secs(15);

/// Puts the weights and managed routes that are safe now into the plan; what has to wait becomes a blocker.
pub fn permit(exposure: &Exposure<'_>, target: &Target, now: Time, plan: &mut Plan) {
    let (Some(goal), Some(canary)) = (target.weight, &exposure.world.rollout.spec.strategy.canary) else { return };
    for error in &exposure.routes.errors {
        plan.blockers.push(
            Blocker::wait("RouteUnusable", "Route", error.clone())
                .remedy("create the route, or give its rule both Services as backends"),
        );
    }
    for state in &exposure.routes.states {
        if let refused @ Acknowledgement::Refused { .. } = &state.reading.acknowledgement {
            plan.blockers.push(
                Blocker::wait("RouteRefused", state.object.to_string(), refused.to_string())
                    .remedy("correct what the route's status names: no step counts on a route that is refused"),
            );
        }
    }
    name_strangers(exposure, now, plan);
    let weight = permitted(exposure, target, goal.canary, plan);
    // A route is written with weights of ours, or not at all (I16): until those may move, somebody else's stand there.
    let ours = |state: &RouteState| state.reading.is_at(state.reading.canary, exposure.routes.max);
    let taken_over = weight.is_some() || exposure.routes.states.iter().all(ours);
    let managed = managed::permitted(exposure, target, plan).filter(|_| taken_over);
    write(exposure, canary, (weight, managed), plan);
}

/// Names pods of nobody that answer for a Service whose revision has a weight: the routes do not settle while they do.
/// Pods that were led here before are gone in a moment, so nobody is called for help before [`LINGERS`] have passed.
fn name_strangers(exposure: &Exposure<'_>, now: Time, plan: &mut Plan) {
    if exposure.routes.settled() {
        return;
    }
    let (world, cast) = (exposure.world, exposure.cast);
    let sides = Sides::of(&world.rollout);
    for service in [sides.canary, sides.stable] {
        let leads = capacity::target(world, cast, service).is_some();
        let Some(stranger) = capacity::stranger(world, cast, service).filter(|_| leads) else { continue };
        let (pod, object) = (&stranger.name, format!("Service/{service}"));
        let message =
            format!("pod {pod} answers for this Service and is of no revision: the routes settle once it is gone");
        let since = world.memory.blocked_since.get(&("StrayPod".to_owned(), object.clone())).copied().unwrap_or(now);
        let blocker = Blocker::wait("StrayPod", object, message);
        if since + LINGERS <= now {
            let remedy = format!("delete pod {pod}, or take the labels off it that the Service selects");
            plan.blockers.push(blocker.remedy(remedy));
        } else {
            plan.blockers.push(blocker);
            plan.wake(since + LINGERS);
        }
    }
}

/// The canary's weight that may be written now; `None` where the weights must stay.
fn permitted(exposure: &Exposure<'_>, target: &Target, wanted: i32, plan: &mut Plan) -> Option<i32> {
    let shares = || exposure.routes.states.iter().map(|state| state.reading.canary_share(exposure.routes.max));
    let (before, lowest) = (shares().max().unwrap_or(0), shares().min().unwrap_or(0));
    let stable = exposure.routes.max - before;
    let sides = Sides::of(&exposure.world.rollout);
    let gains = if wanted > lowest { sides.canary } else { sides.stable };
    if before != wanted && in_motion(exposure, target, gains) && !crate::mutant!("weight-before-selector") {
        let message = "Service goes to another revision first: whose pods will answer is not yet observed";
        plan.blockers.push(Blocker::wait("WaitingForService", format!("Service/{gains}"), message));
        return None;
    }
    if wanted > lowest {
        raise(exposure, sides, wanted, plan)
    } else {
        lower(exposure, sides, (wanted, before, stable), plan)
    }
}

/// Whether a Service is about to select another revision: a larger share would be judged by the pods of the wrong one.
pub(super) fn in_motion(exposure: &Exposure<'_>, target: &Target, service: &str) -> bool {
    let goal = target.services.iter().find(|goal| goal.service == service);
    goal.is_some_and(|goal| capacity::selected(exposure.world, service) != Some(goal.hash.as_str()))
}

/// A larger share for the canary: its pods must be there, and be endpoints.
fn raise(exposure: &Exposure<'_>, sides: Sides<'_>, wanted: i32, plan: &mut Plan) -> Option<i32> {
    let share = Share { part: wanted, whole: exposure.routes.max.max(1) };
    let target = capacity::target(exposure.world, exposure.cast, sides.canary);
    let need = target.map_or_else(|| exposure.demand.need(share), |revision| exposure.need_to_gain(revision, share));
    carries(exposure, sides.canary, need, plan).then_some(wanted)
}

/// A larger share for stable. Where its pods carry only a part of it, that part moves now.
fn lower(
    exposure: &Exposure<'_>,
    sides: Sides<'_>,
    (wanted, before, stable_now): (i32, i32, i32),
    plan: &mut Plan,
) -> Option<i32> {
    let max = exposure.routes.max.max(1);
    if max - wanted <= stable_now && before <= wanted {
        return Some(wanted);
    }
    let stable = capacity::target(exposure.world, exposure.cast, sides.stable);
    let losing = capacity::target(exposure.world, exposure.cast, sides.canary);
    let available = stable.map_or(0, dependable);
    // Pods that answer nobody are left for any pod that answers somebody. A Service whose selector names no revision
    // reaches whatever its other labels do.
    let named = capacity::selected(exposure.world, sides.canary).is_some();
    let dead = named && losing.is_none_or(|losing| possible(losing) == 0);
    if dead && available > 0 {
        return Some(wanted);
    }
    let need = |weight: i32| stable_need(exposure, stable, Share { part: max - weight, whole: max });
    let permitted = (wanted..before).find(|weight| available >= need(*weight));
    if permitted != Some(wanted) {
        let need = need(wanted);
        plan.blockers.push(Blocker::wait(
            "StableCapacity",
            format!("Service/{}", sides.stable),
            format!("{available} of {need} stable pods available that a weight of {} needs", max - wanted),
        ));
    }
    let weight = permitted?;
    carries(exposure, sides.stable, need(weight), plan).then_some(weight)
}

/// Pods that the stable side needs for a larger share. Where it was made smaller on purpose, an abort gives it no more
/// than its pods carry: those that are missing are not the few that may be missing (I06).
fn stable_need(exposure: &Exposure<'_>, stable: Option<&Revision>, share: Share) -> i32 {
    if crate::mutant!("stable-weight-without-capacity") {
        return 0;
    }
    let rollout = &exposure.world.rollout;
    let dynamic = rollout.spec.strategy.canary.as_ref().is_some_and(|canary| canary.dynamic_stable_scale);
    if dynamic && rollout.status.abort {
        return ratio::by_weight(exposure.demand.replicas, share.part, share.whole);
    }
    stable.map_or_else(|| exposure.demand.need(share), |revision| exposure.need_to_gain(revision, share))
}

/// Whether the pods behind a Service, and its endpoints, carry a share that needs so many.
pub(super) fn carries(exposure: &Exposure<'_>, service: &str, need: i32, plan: &mut Plan) -> bool {
    let object = format!("Service/{service}");
    let Some(revision) = capacity::target(exposure.world, exposure.cast, service) else {
        plan.blockers.push(Blocker::wait("WaitingForService", object, "Service selects no revision yet"));
        return need == 0;
    };
    if crate::mutant!("weight-without-capacity") {
        return true;
    }
    let available = dependable(revision);
    if available < need {
        let message = format!("{available} of {need} pods of revision {} available", revision.number());
        plan.blockers.push(Blocker::wait("WaitingForCapacity", object, message));
        return false;
    }
    endpoints_ready(exposure, (service, revision), need, plan)
}

fn endpoints_ready(
    exposure: &Exposure<'_>,
    (service, revision): (&str, &Revision),
    need: i32,
    plan: &mut Plan,
) -> bool {
    match capacity::endpoints(exposure.world, service, revision) {
        Some((own, _)) if own < need && !crate::mutant!("weight-without-endpoints") => {
            let message = format!("{own} of {need} endpoints of revision {} ready", revision.number());
            plan.blockers.push(Blocker::wait("WaitingForEndpoints", format!("Service/{service}"), message));
            false
        }
        // Where a data plane shows itself there are slices: none in sight means that the watch is behind.
        None if need > 0 && exposure.routes.claimed() => {
            let message = "no EndpointSlice of the Service is known yet";
            plan.blockers.push(Blocker::wait("WaitingForEndpoints", format!("Service/{service}"), message));
            false
        }
        _ => true,
    }
}

/// Writes weights and managed routes into every route that has others, together: each write is a generation to accept.
fn write(exposure: &Exposure<'_>, canary: &Canary, goal: Goals<'_>, plan: &mut Plan) {
    let status = &exposure.world.rollout.status;
    if crate::mutant!("drift-ignored") && matches!(status.phase.as_str(), "Healthy" | "Paused") && !status.abort {
        return;
    }
    let sides = Sides::of(&exposure.world.rollout);
    let mut told = false;
    for view in &exposure.world.routes {
        let state = exposure.routes.states.iter().find(|state| state.object == view.object);
        let (Some(state), Some(found)) = (state, &view.found) else { continue };
        let (patch, refused) = patch(exposure, canary, (state, found), goal);
        plan.blockers.extend(refused);
        let Some(patch) = patch else { continue };
        let mut events = Vec::new();
        if let Some(weight) = goal.0.filter(|weight| !told && !state.reading.is_at(*weight, exposure.routes.max)) {
            events.push(weight_event(exposure, weight));
            told = true;
        }
        plan.effects.push(Effect {
            phase: Phase::Route,
            object: state.object.clone(),
            verb: Verb::Json(patch),
            precondition: Precondition {
                uid: pointer(found, "/metadata/uid"),
                resource_version: state.resource_version.clone(),
                ..Precondition::default()
            },
            rests_on: basis(exposure, sides),
            reason: reason(exposure, state, goal),
            events,
        });
    }
}

/// What may be written: a weight, and managed routes; `None` leaves what stands.
type Goals<'t> = (Option<i32>, Option<&'t [ManagedRoute]>);

/// One patch for both. A managed route that cannot be written does not hold a weight up: an abort waits for nothing.
fn patch(
    exposure: &Exposure<'_>,
    canary: &Canary,
    (state, route): (&RouteState, &Value),
    (weight, managed): Goals<'_>,
) -> (Option<Value>, Option<Blocker>) {
    let sides = Sides::of(&exposure.world.rollout);
    let goal = |weight| super::route::goal((canary, sides), &state.object, (weight, exposure.routes.max));
    let weights = weight.and_then(|weight| gateway_api::edit(route, &goal(weight)).ok().flatten());
    let (Some(managed), Some(kind)) = (managed.filter(|_| state.header_routes), super::route::kind(&state.object))
    else {
        return (weights, None);
    };
    let weighted = gateway_api::applied(route, weights.as_ref());
    match gateway_api::manage(&weighted, kind, &super::route::backends(canary, sides), managed) {
        Ok(rules) => (gateway_api::joined(weights, rules), None),
        Err(error) => {
            let blocker = Blocker::wait("ManagedRouteUnusable", state.object.to_string(), error.to_string());
            (weights, Some(blocker.remedy(error.remedy())))
        }
    }
}

fn reason(exposure: &Exposure<'_>, state: &RouteState, (weight, managed): Goals<'_>) -> String {
    let max = exposure.routes.max;
    let weight = weight.filter(|weight| managed.is_none() || !state.reading.is_at(*weight, max));
    let weight = weight.map(|weight| format!("canary gets {weight} of {max}"));
    let managed = managed.map(|managed| match managed {
        [] => "managed routes go".to_owned(),
        some => {
            let names: Vec<&str> = some.iter().map(|route| route.name.as_str()).collect();
            format!("managed routes {} lead to the canary", names.join(", "))
        }
    });
    weight.into_iter().chain(managed).collect::<Vec<_>>().join("; ")
}

fn weight_event(exposure: &Exposure<'_>, weight: i32) -> Event {
    let previous = exposure.world.rollout.status.canary.weights.as_ref().map(|weights| weights.canary.weight.0);
    let message = previous.map_or_else(
        || format!("Traffic weight updated to {weight}"),
        |previous| format!("Traffic weight updated from {previous} to {weight}"),
    );
    Event::normal("TrafficWeightUpdated", message)
}

/// The decision, revisions, Services and endpoints that the new shares rest on. An abort waits for no endpoints: they come and go
/// just when it matters, and its way back has them.
fn basis(exposure: &Exposure<'_>, sides: Sides<'_>) -> Vec<Basis> {
    let mut basis = Vec::new();
    for service in [sides.canary, sides.stable] {
        basis.extend(exposure.world.service(service).map(|service| Basis::of(&**service)));
        let target = capacity::target(exposure.world, exposure.cast, service);
        basis.extend(target.map(|revision| Basis::of(&*revision.rs)));
        if !exposure.world.rollout.status.abort {
            let slices = exposure.world.endpoints.get(service).into_iter().flatten();
            basis.extend(slices.map(|slice| Basis::of(&**slice)));
        }
    }
    basis.extend(exposure.decision());
    basis.dedup();
    basis
}

fn pointer(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}
