//! The few writes that a Rollout's plan is made of, each with its precondition, reason and event.

use serde_json::{Map, Value, json};

use crate::api::{Kind, Rollout, Service, Time, names};
use crate::plan::{Basis, Effect, Event, ObjectRef, Phase, Precondition, Verb};
use crate::rollout::cast::Revision;

/// Sets the size of a ReplicaSet. `rests_on` is what that depends on.
pub fn scale(revision: &Revision, to: i32, replicas: i32, why: (&str, Vec<Basis>)) -> Effect {
    let (reason, rests_on) = why;
    let from = revision.size.spec;
    let up = to > from;
    let mut annotations = Map::new();
    annotations.insert(names::DESIRED_REPLICAS.to_owned(), json!(replicas.to_string()));
    let direction = if up { "up" } else { "down" };
    let message = format!(
        "Scaled {direction} ReplicaSet {} (revision {}) from {from} to {to}",
        revision.name(),
        revision.number()
    );
    Effect {
        phase: if up { Phase::ScaleUp } else { Phase::ScaleDown },
        object: ObjectRef::to(&*revision.rs),
        verb: Verb::Merge(json!({"metadata": {"annotations": annotations}, "spec": {"replicas": to}})),
        precondition: Precondition::of(revision.rs.meta()),
        rests_on,
        reason: reason.to_owned(),
        events: vec![Event::normal("ScalingReplicaSet", message)],
    }
}

/// Writes annotations of a ReplicaSet; `None` removes one.
pub fn annotate(revision: &Revision, annotations: &[(&str, Option<String>)], reason: &str) -> Effect {
    let map: Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone().map_or(Value::Null, Value::String)))
        .collect();
    Effect {
        phase: Phase::Upkeep,
        object: ObjectRef::to(&*revision.rs),
        verb: Verb::Merge(json!({"metadata": {"annotations": map}})),
        precondition: Precondition::of(revision.rs.meta()),
        rests_on: Vec::new(),
        reason: reason.to_owned(),
        events: Vec::new(),
    }
}

/// Writes the time at which a revision's pods go.
pub fn set_deadline(revision: &Revision, at: Time, reason: &str) -> Effect {
    annotate(revision, &[(names::SCALE_DOWN_DEADLINE, Some(at.to_string()))], reason)
}

/// Points a Service at a revision.
pub fn switch_service(rollout: &Rollout, service: &Service, hash: &str, why: (&str, Vec<Basis>)) -> Effect {
    let old = service.spec.selector.get(names::POD_HASH).unwrap_or_default();
    let mut body = json!({"spec": {"selector": {names::POD_HASH: hash}}});
    if service.metadata.annotation(names::MANAGED_BY).is_none() {
        body["metadata"] = json!({"annotations": {names::MANAGED_BY: rollout.metadata.name}});
    }
    if crate::mutant!("foreign-field-written") {
        body["spec"]["sessionAffinity"] = json!("ClientIP");
    }
    let message = format!("Switched selector for service '{}' from '{old}' to '{hash}'", service.metadata.name);
    Effect {
        phase: Phase::Route,
        object: ObjectRef::to(service),
        verb: Verb::Merge(body),
        precondition: Precondition::of(service.meta()),
        rests_on: why.1,
        reason: why.0.to_owned(),
        events: vec![Event::normal("SwitchService", message)],
    }
}

/// Deletes a ReplicaSet of the past.
pub fn delete(revision: &Revision, reason: &str) -> Effect {
    Effect {
        phase: Phase::Delete,
        object: ObjectRef::to(&*revision.rs),
        verb: Verb::Delete,
        precondition: Precondition::of(revision.rs.meta()),
        rests_on: Vec::new(),
        reason: reason.to_owned(),
        events: Vec::new(),
    }
}
