//! Managed routes are level-based: I14.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{Found, Write};
use super::facts::{Facts, hash, wanted};
use super::pace::{allowed, unseen_hand};
use super::routes::{Generation, Led, RouteHistory, led};
use super::traffic::resize;
use crate::api::names;
use crate::rollout::strategy::steps;
use crate::sim::object;

/// The managed routes that the steps up to an index have set and not taken back.
fn expected(facts: &Facts<'_>, index: i32) -> BTreeSet<String> {
    let canary = facts.rollout.spec.strategy.canary.as_ref();
    let steps = canary.and_then(|canary| canary.steps.as_deref()).unwrap_or_default();
    let mut names = BTreeSet::new();
    for step in steps.iter().take(usize::try_from(index + 1).unwrap_or(0)) {
        let header = step.set_header_route.as_ref().map(|route| (&route.name, route.matches.is_empty()));
        let mirror = step.set_mirror_route.as_ref().map(|route| (&route.name, route.matches.is_empty()));
        for (name, goes) in header.into_iter().chain(mirror) {
            if goes {
                names.remove(name);
            } else {
                names.insert(name.clone());
            }
        }
    }
    names
}

/// The names of managed routes behind the names of rules: of several source rules the later ones carry a number.
fn bases(led: &[Led], known: &BTreeSet<String>) -> BTreeSet<String> {
    let base = |name: &str| match name.rsplit_once('-') {
        Some((base, number)) if number.parse::<u32>().is_ok() && !known.contains(name) => base.to_owned(),
        _ => name.to_owned(),
    };
    led.iter().map(|led| base(&led.rule)).collect()
}

/// I14 Managed routes are level-based: a managed rule never points to a backend with 0 available pods, is one that the
/// steps so far have set, is there and accepted when its step ends, and is gone before the pods that it leads to.
pub fn i14(write: &Write<'_>) -> Found {
    match write.entry.kind.as_str() {
        "HTTPRoute" | "GRPCRoute" => route(write),
        "ReplicaSet" => size(write),
        "Service" => selector(write),
        "Rollout" => step(write),
        _ => Ok(()),
    }
}

fn route(write: &Write<'_>) -> Found {
    let facts = write.before;
    let status = &facts.rollout.status;
    let old = led(write.left());
    let known = expected(facts, status.current_step_index.unwrap_or(0));
    for new in led(write.made()).into_iter().filter(|led| !old.contains(led)) {
        let available = facts.target(&new.service).map_or(0, |rs| facts.state.available(rs));
        let over = status.abort || status.promote_full || status.stable_rs == status.current_pod_hash;
        let named = bases(std::slice::from_ref(&new), &known).is_subset(&known);
        if available == 0 || over || !named || facts.selected(&new.service) != status.current_pod_hash {
            return Err(format!(
                "managed rule {} leads to {} with {available} available pods; the steps set {known:?}, over: {over}",
                new.rule, new.service
            ));
        }
    }
    Ok(())
}

/// The rules of a generation that lead to the canary Service: those that lead elsewhere are users'.
fn to_canary(facts: &Facts<'_>, generation: &Generation) -> Vec<Led> {
    let canary = facts.routed().map_or("", |(canary, _)| canary);
    generation.led.iter().filter(|led| led.service == canary).cloned().collect()
}

/// What may be in force of the routes that take managed routes.
fn taking<'s>(facts: &Facts<'s>) -> Vec<&'s RouteHistory> {
    let refs = crate::controller::observe::route_refs(&facts.rollout).into_iter().filter(|route| route.header_routes);
    let keys = refs.map(|route| (route.object.namespace, route.object.name));
    keys.filter_map(|key| facts.state.routes.get(&key)).collect()
}

/// The managed rules as they were written last.
pub fn newest(facts: &Facts<'_>) -> Vec<Led> {
    let newest = taking(facts).into_iter().filter_map(|history| history.in_flight.last());
    newest.flat_map(|newest| to_canary(facts, newest)).collect()
}

/// A managed rule that may be in force.
fn in_force(facts: &Facts<'_>) -> Option<Led> {
    facts.generations().flat_map(|generation| to_canary(facts, generation)).next()
}

fn size(write: &Write<'_>) -> Found {
    let (facts, hash) = (write.before, hash(write.left()));
    let Some((from, 0)) = resize(write) else { return Ok(()) };
    let lost = facts.replicas > 0 && facts.state.available(write.left()) > 0;
    match in_force(facts).filter(|led| lost && facts.selected(&led.service) == hash) {
        Some(led) => Err(format!("{hash} goes from {from} to 0 pods while managed rule {} may lead to it", led.rule)),
        None => Ok(()),
    }
}

fn selector(write: &Write<'_>) -> Found {
    let (facts, name) = (write.before, write.entry.name.as_str());
    let left = facts.target(name).filter(|rs| facts.state.available(rs) > 0);
    let led = in_force(facts).filter(|led| led.service == name);
    match (left, led) {
        (Some(left), Some(led)) if write.after.selected(name) != hash(left) => {
            Err(format!("Service leaves {} while managed rule {} may lead to it", hash(left), led.rule))
        }
        _ => Ok(()),
    }
}

/// Whether the steps ask for pods of a revision: without weight or size of its own, what is left of it is there for
/// nobody, and what is kept for a while goes then.
fn asked_for(facts: &Facts<'_>, rs: &Value) -> bool {
    let asked = allowed(facts).1 > 0 || facts.canary_scale().is_some_and(|size| size > 0);
    let kept = object::annotation(rs, names::SCALE_DOWN_DEADLINE).is_some_and(|deadline| !deadline.is_empty());
    asked && !kept && wanted(rs) > 0
}

/// A step that sets a managed route ends only when the rules are accepted, or nobody is there to be led to. Rules that
/// somebody else has taken away, a late view still shows.
fn step(write: &Write<'_>) -> Found {
    let facts = write.before;
    let index = |value: &Value| object::integer(value, "/status/currentStepIndex");
    let revisions = |value: &Value| {
        ["stableRS", "currentPodHash"].map(|field| value.get("status").and_then(|status| status.get(field)).cloned())
    };
    let (Some(from), Some(to)) = (index(write.left()), index(write.made())) else { return Ok(()) };
    let current = usize::try_from(from).unwrap_or(0);
    let canary = facts.rollout.spec.strategy.canary.as_ref();
    let steps = canary.and_then(|canary| canary.steps.as_deref()).unwrap_or_default();
    let sets =
        steps.get(current).is_some_and(|step| step.set_header_route.is_some() || step.set_mirror_route.is_some());
    let went_on =
        to == from + 1 && revisions(write.left()) == revisions(write.made()) && !facts.rollout.status.promote_full;
    let pods = facts.by_hash(&facts.rollout.status.current_pod_hash).is_some_and(|rs| asked_for(facts, rs));
    if !sets || !went_on || facts.replicas == 0 || !pods || unseen_hand(write) {
        return Ok(());
    }
    let known = expected(facts, i32::try_from(from).unwrap_or(0));
    for generation in taking(facts).into_iter().flat_map(|history| &history.in_flight) {
        let found = bases(&to_canary(facts, generation), &known);
        if found != known {
            return Err(format!(
                "step {from} is over with managed routes {found:?} in generation {}, {known:?} are set",
                generation.number
            ));
        }
    }
    Ok(())
}

/// At rest the managed rules are those of the steps so far, and none where the update is over.
///
/// # Errors
/// What is there and what should be.
pub fn at_rest(facts: &Facts<'_>) -> Found {
    let Some((canary, stable)) = facts.routed() else { return Ok(()) };
    let status = &facts.rollout.status;
    let available = |service: &str| facts.target(service).map_or(0, |rs| facts.state.available(rs));
    let led = newest(facts);
    if status.phase == "Healthy" || (status.abort && available(stable) > 0) {
        return if led.is_empty() { Ok(()) } else { Err(format!("I14: {} with managed rules {led:?}", status.phase)) };
    }
    let updating = status.phase == "Paused" && !status.abort && !status.promote_full;
    let updating = updating && status.stable_rs != status.current_pod_hash;
    let wants_pods = facts.by_hash(&status.current_pod_hash).is_some_and(|rs| asked_for(facts, rs));
    // A step that has come to weight 0 asks for no pods, also where a pause keeps those of the step before.
    let weight = steps::weight_at(&facts.rollout, status.current_step_index.unwrap_or(0));
    if !updating
        || !wants_pods
        || (weight == 0 && facts.canary_scale().is_none())
        || facts.replicas == 0
        || facts.selected(canary) != status.current_pod_hash
        || available(canary) == 0
    {
        return Ok(());
    }
    if taking(facts).is_empty() {
        return Ok(());
    }
    let known = expected(facts, status.current_step_index.unwrap_or(0));
    let found = bases(&led, &known);
    if found == known { Ok(()) } else { Err(format!("I14: at rest {found:?}, the steps set {known:?}")) }
}
