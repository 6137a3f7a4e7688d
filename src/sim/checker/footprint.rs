//! What our writes leave alone: I12, I20, I27.

use std::time::Duration;

use serde_json::Value;

use super::check::{Found, Write};
use super::facts::HASH;
use super::revisions;
use crate::api::{Time, names};
use crate::rollout::strategy::analysis::ATTEMPT;
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// What a write of ours may change of an object that was there, by kind. What pods wear by the part that they play comes
/// on top: [`worn`].
const ALLOWED: &[(&str, &[&[&str]])] = &[
    (
        "Rollout",
        &[
            &["status"],
            &["metadata", "annotations", names::REVISION],
            &["metadata", "annotations", names::WORKLOAD_GENERATION],
        ],
    ),
    (
        "ReplicaSet",
        &[
            &["spec", "replicas"],
            &["spec", "minReadySeconds"],
            &["metadata", "annotations", names::REVISION],
            &["metadata", "annotations", names::REVISION_HISTORY],
            &["metadata", "annotations", names::DESIRED_REPLICAS],
            &["metadata", "annotations", names::WORKLOAD_GENERATION],
            &["metadata", "annotations", names::SCALE_DOWN_DEADLINE],
            &["metadata", "annotations", names::EPHEMERAL_METADATA],
            &["metadata", "ownerReferences"],
            &["spec", "template", "spec", "affinity"],
        ],
    ),
    ("Pod", &[]),
    (
        "Deployment",
        &[
            &["spec", "replicas"],
            &["metadata", "annotations", names::DRAINED_FROM],
            &["metadata", "annotations", names::DRAINED_BY],
        ],
    ),
    ("Service", &[&["spec", "selector", HASH], &["metadata", "annotations", names::MANAGED_BY]]),
    ("HTTPRoute", &[&["metadata", "labels", names::GATEWAY_IN_PROGRESS]]),
    ("GRPCRoute", &[&["metadata", "labels", names::GATEWAY_IN_PROGRESS]]),
    ("TCPRoute", &[&["metadata", "labels", names::GATEWAY_IN_PROGRESS]]),
    ("TLSRoute", &[&["metadata", "labels", names::GATEWAY_IN_PROGRESS]]),
    ("AnalysisRun", &[&["spec", "terminate"], &["status"], &["metadata", "annotations", ATTEMPT]]),
];
/// What the API server changes by itself.
const SERVER: &[&[&str]] = &[
    &["metadata", "resourceVersion"],
    &["metadata", "managedFields"],
    &["metadata", "generation"],
    &["metadata", "deletionTimestamp"],
    &["metadata", "deletionGracePeriodSeconds"],
];

/// Repairs of one field within a minute (I42).
pub(super) const MAX_REPAIRS: usize = 6;
const REPAIR_SPAN: Duration = Duration::from_mins(1);

/// How often we have written the same into a field again within a minute, since somebody else undoes it.
pub(super) fn repairs(times: &[Time], now: Time) -> usize {
    times.iter().filter(|at| **at + REPAIR_SPAN > now).count()
}

/// I42 Drift, the part of restraint: a selector or a route that somebody else keeps writing is set right six times a
/// minute, by each of two controllers that succeed each other, after a first write that it has not seen undone.
pub fn i42(write: &Write<'_>) -> Found {
    let Some((field, _, to)) = revisions::field(write.entry) else { return Ok(()) };
    let Some((_, times)) = write.past.repairs.get(&field).filter(|(last, _)| *last == to) else { return Ok(()) };
    let count = 1 + repairs(times, write.entry.time);
    if count > 2 * (MAX_REPAIRS + 1) {
        Err(format!("{field} is set to {to} again, {count} times in a minute"))
    } else {
        Ok(())
    }
}

/// I12 Minimal footprint: each write of ours changes only paths in the list of its kind, and of a route nothing but the
/// weights of the two Services and the rules of managed routes.
pub fn i12(write: &Write<'_>) -> Found {
    let (Some(before), Some(after)) = (&write.entry.before, &write.entry.after) else { return Ok(()) };
    let kind = write.entry.kind.as_str();
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == kind) else {
        return Err(format!("a {kind} is none of our objects"));
    };
    let worn = if matches!(kind, "ReplicaSet" | "Pod") { worn(write) } else { Vec::new() };
    // A ReplicaSet wears the annotations of its Rollout.
    let copied = object::at(write.before.value, "/metadata/annotations").and_then(Value::as_object);
    let copied: Vec<&String> = copied.filter(|_| kind == "ReplicaSet").into_iter().flat_map(|map| map.keys()).collect();
    let restored = kind == "ReplicaSet" && is_restored(write, after);
    let rest = |mut rest: Value| {
        if restored {
            object::take(&mut rest, &["spec", "template", "spec"]);
        }
        for key in &copied {
            object::take(&mut rest, &["metadata", "annotations", key]);
        }
        for path in allowed.iter().chain(SERVER) {
            object::take(&mut rest, path);
        }
        for (part, key) in &worn {
            object::take(&mut rest, &["metadata", part, key]);
            object::take(&mut rest, &["spec", "template", "metadata", part, key]);
        }
        drop_empty(&mut rest, &["metadata", "annotations"]);
        drop_empty(&mut rest, &["metadata", "labels"]);
        if let Some(template) = rest.pointer_mut("/spec/template") {
            drop_empty(template, &["metadata", "annotations"]);
        }
        if RouteKind::named(kind).is_some() {
            drop_managed(&mut rest, write);
            drop_weights(&mut rest, write);
        }
        rest
    };
    let (left, made) = differences(before, after);
    let (left, made) = (rest(left), rest(made));
    if left == made { Ok(()) } else { Err(format!("changes what is not ours: {left} to {made}")) }
}

/// Whether the pods of a ReplicaSet are specified again as when it was created, but for whom they avoid.
fn is_restored(write: &Write<'_>, after: &Value) -> bool {
    let pods = |rs: &Value| {
        let mut spec = object::at(rs, "/spec/template/spec").cloned().unwrap_or_default();
        object::take(&mut spec, &["affinity"]);
        spec
    };
    write.past.made.get(object::uid(after)).is_some_and(|made| pods(made) == pods(after))
}

/// Two objects without the fields in which they are the same. Lists stay whole.
fn differences(before: &Value, after: &Value) -> (Value, Value) {
    let (Value::Object(left), Value::Object(made)) = (before, after) else { return (before.clone(), after.clone()) };
    let mut differ = (serde_json::Map::new(), serde_json::Map::new());
    for (key, value) in left {
        match made.get(key) {
            Some(other) if other == value => {}
            Some(other) => {
                let (value, other) = differences(value, other);
                differ.0.insert(key.clone(), value);
                differ.1.insert(key.clone(), other);
            }
            None => drop(differ.0.insert(key.clone(), value.clone())),
        }
    }
    let new = made.iter().filter(|(key, _)| !left.contains_key(*key));
    differ.1.extend(new.map(|(key, value)| (key.clone(), value.clone())));
    (Value::Object(differ.0), Value::Object(differ.1))
}

/// Labels and annotations, as (map, key), that the strategy gives to pods by their part, or that a ReplicaSet says it has
/// given to its pods.
fn worn(write: &Write<'_>) -> Vec<(String, String)> {
    let strategy = &write.before.rollout.spec.strategy;
    let canary = strategy.canary.iter().flat_map(|canary| [&canary.canary_metadata, &canary.stable_metadata]);
    let blue_green =
        strategy.blue_green.iter().flat_map(|strategy| [&strategy.preview_metadata, &strategy.active_metadata]);
    let asked = canary.chain(blue_green).flatten().filter_map(|metadata| serde_json::to_value(metadata).ok());
    let noted = write.before.sets().filter_map(|rs| object::annotation(rs, names::EPHEMERAL_METADATA));
    let noted = noted.filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let keys = |metadata: Value| {
        ["labels", "annotations"].into_iter().flat_map(move |part| {
            let map = metadata.get(part).and_then(Value::as_object).cloned().unwrap_or_default();
            map.into_iter().map(move |(key, _)| (part.to_owned(), key))
        })
    };
    asked.chain(noted).flat_map(keys).collect()
}

fn drop_empty(value: &mut Value, path: &[&str; 2]) {
    let empty = value.get(path[0]).and_then(|outer| outer.get(path[1])).and_then(Value::as_object);
    if empty.is_some_and(serde_json::Map::is_empty) {
        object::take(value, path);
    }
}

/// Takes the rules out of a route that carry the name of a managed route: of several, the later ones carry a number.
fn drop_managed(route: &mut Value, write: &Write<'_>) {
    let canary = write.before.rollout.spec.strategy.canary.as_ref();
    let managed = canary.and_then(|canary| canary.traffic_routing.as_ref()?.managed_routes.as_ref());
    let ours = |rule: &Value| {
        let name = object::text(rule, "/name");
        managed.into_iter().flatten().any(|route| {
            let number = name.strip_prefix(&route.name).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
            number.is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
        })
    };
    if let Some(rules) = route.pointer_mut("/spec/rules").and_then(Value::as_array_mut) {
        rules.retain(|rule| !ours(rule));
    }
}

/// Takes the weights of our two Services out of a route.
fn drop_weights(route: &mut Value, write: &Write<'_>) {
    let Some((canary, stable)) = write.before.routed() else { return };
    let rules = route.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    for rule in rules.into_iter().flatten() {
        let backends = rule.get_mut("backendRefs").and_then(Value::as_array_mut);
        for backend in backends.into_iter().flatten() {
            let name = object::text(backend, "/name");
            if name == canary || name == stable {
                object::take(backend, &["weight"]);
            }
        }
    }
}

/// I20 No invented replicas: our writes never change R.spec.replicas; where it is absent, no write of ours takes pods
/// from the stable revision of a Rollout that is not being updated, but for the one that a restart has added.
pub fn i20(write: &Write<'_>) -> Found {
    let wanted = |value: &Value| object::at(value, "/spec/replicas").cloned();
    if write.is("Rollout") && wanted(write.left()) != wanted(write.made()) {
        return Err(format!("spec.replicas becomes {:?}", wanted(write.made())));
    }
    let facts = write.before;
    let absent = facts.rollout.spec.replicas.is_none();
    let status = &facts.rollout.status;
    let Some((from, to)) = super::traffic::resize(write).filter(|(from, to)| to < from && absent) else {
        return Ok(());
    };
    let resting = status.stable_rs == status.current_pod_hash;
    if resting && super::facts::hash(write.left()) == status.stable_rs && to < facts.replicas {
        return Err(format!("stable goes from {from} to {to} although nobody asks for a size"));
    }
    Ok(())
}

/// I27 Evidence is about this canary: in a blue-green with a preview Service, a run before promotion begins only when
/// that Service selects the new revision.
pub fn i27(write: &Write<'_>) -> Found {
    if !write.is("AnalysisRun") || write.entry.before.is_some() {
        return Ok(());
    }
    let facts = write.before;
    let Some(strategy) = &facts.rollout.spec.strategy.blue_green else { return Ok(()) };
    let before_promotion = object::label(write.made(), "rollout-type") == Some("PrePromotion");
    let current = facts.rollout.status.current_pod_hash.as_str();
    let shown = facts.selected(&strategy.preview_service);
    if before_promotion && !strategy.preview_service.is_empty() && shown != current {
        return Err(format!("measures {shown:?} behind the preview Service, {current} is new"));
    }
    Ok(())
}
