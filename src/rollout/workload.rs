//! `spec.workloadRef`: the template of a Rollout that is kept in another workload. Source: contract, behaviour §17.
//!
//! Resolving is pure: the template (and the selector, where the Rollout has none) are put into a copy of the Rollout
//! in memory, and every other room reads that copy. Nothing of it is ever written into the stored Rollout: all writes
//! are patches of named fields.

use std::sync::Arc;

use serde_json::{Value, json};

use super::case::Case;
use super::digest::SpecDigest;
use super::revision::hash::pod_template_hash;
use super::validate::references::{Missing, missing_reference, rollout_view};
use super::validate::{TemplateOrigin, validate_spec_from, validate_strict};
use super::world::World;
use crate::api::rollout::WorkloadRef;
use crate::api::{RawJson, Rollout, Workload, names};
use crate::plan::{Effect, ObjectRef, Phase, Precondition, Resource, Verb};

/// The kind whose pods Siskin may drain.
pub const DEPLOYMENT: Resource = Resource::known("apps", "v1", "Deployment", "deployments");
/// A bare ReplicaSet: its template is read, its size is the user's.
pub const REPLICA_SET: Resource = Resource::known("apps", "v1", "ReplicaSet", "replicasets");
/// A template and nothing else.
pub const POD_TEMPLATE: Resource = Resource::known("", "v1", "PodTemplate", "podtemplates");

/// What `spec.workloadRef` leads to.
#[derive(Clone, Debug, Default)]
pub enum WorkloadView {
    /// There is no reference, or one that is refused before it is followed.
    #[default]
    None,
    /// Its kind has not been read yet: nothing is known, and nothing is decided.
    Unread(ObjectRef),
    /// It leads nowhere; the text says why.
    Unusable(String),
    /// The workload.
    Found(ObjectRef, Arc<Workload>),
}

impl WorkloadView {
    /// The workload, where it was found.
    pub const fn found(&self) -> Option<&Arc<Workload>> {
        match self {
            Self::Found(_, workload) => Some(workload),
            _ => None,
        }
    }

    /// The workload, where it is a Deployment.
    pub fn deployment(&self) -> Option<(&ObjectRef, &Arc<Workload>)> {
        match self {
            Self::Found(object, workload) if object.resource == DEPLOYMENT => Some((object, workload)),
            _ => None,
        }
    }
}

/// The object that a Rollout takes its template from; `None` without a reference, and where a template stands beside
/// it (that is refused by validation, and the reference is not followed).
///
/// # Errors
/// A kind that has no pod template to read.
pub fn referenced(rollout: &Rollout) -> Option<Result<ObjectRef, String>> {
    let reference = rollout.spec.workload_ref.as_ref()?;
    if !is_empty(&rollout.spec.template) {
        return None;
    }
    let named =
        |resource| ObjectRef { resource, namespace: rollout.metadata.namespace.clone(), name: reference.name.clone() };
    Some(resource(reference).map(named))
}

fn resource(reference: &WorkloadRef) -> Result<Resource, String> {
    let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
    match (group, reference.kind.as_str()) {
        ("apps", "Deployment") => Ok(DEPLOYMENT),
        ("apps", "ReplicaSet") => Ok(REPLICA_SET),
        ("", "PodTemplate") => Ok(POD_TEMPLATE),
        (group, kind) => Err(format!("workload of type {group}/{kind} is not supported")),
    }
}

/// What the API server says of an object that does not exist.
pub fn not_found(object: &ObjectRef) -> String {
    let Resource { group, plural, .. } = &object.resource;
    let dot = if group.is_empty() { "" } else { "." };
    format!("{plural}{dot}{group} {:?} not found", object.name)
}

/// A template counts as absent if it has neither labels nor annotations, as Argo looks at it.
fn is_empty(template: &RawJson) -> bool {
    if template.is_absent() {
        return true;
    }
    let template = template.value();
    let is_empty =
        |pointer: &str| template.pointer(pointer).and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
    is_empty("/metadata/labels") && is_empty("/metadata/annotations")
}

/// The Rollout with the workload's template in it, and what follows from that. `written` is the digest of the Rollout as
/// it is stored; hash, errors and the labels that Services are judged by are those of the template.
pub fn resolve(rollout: &Rollout, written: &SpecDigest, workload: &Workload) -> (Rollout, SpecDigest) {
    let mut resolved = rollout.clone();
    resolved.spec.template = workload.pod_template().clone();
    if resolved.spec.selector.is_none() {
        resolved.spec.selector.clone_from(&workload.spec.selector);
    }
    // What cannot be written as JSON cannot have been read from it either.
    let value = serde_json::to_value(&resolved).unwrap_or_default();
    let errors = validate_spec_from(&value, TemplateOrigin::Resolved);
    let digest = SpecDigest {
        pod_hash: pod_template_hash(&resolved.spec.template.value(), rollout.status.collision_count),
        errors: errors.iter().chain(&validate_strict(&value)).map(ToString::to_string).collect(),
        references: RawJson::of(&rollout_view(&value)),
        ..written.clone()
    };
    (resolved, digest)
}

/// Why the reference cannot be used, as the condition tells it.
pub fn invalid(world: &World) -> Option<String> {
    let WorkloadView::Unusable(cause) = &world.workload else { return None };
    let value = serde_json::to_value(&*world.rollout).unwrap_or_default();
    Some(missing_reference(&value, Missing::Workload, cause).to_string())
}

/// The generation of the workload that decisions rest on, as `status.workloadObservedGeneration` shows it; empty without
/// a reference.
pub fn observed_generation(world: &World) -> String {
    world.workload.found().map(|workload| workload.metadata.generation.to_string()).unwrap_or_default()
}

/// Keeps the annotation by which clients see that the status is about the workload as it is now.
///
/// Without a reference it goes together with the field in the status: an annotation that is left from before Siskin came
/// is no reason to write.
pub fn note_generation(case: &Case<'_>) -> Option<Effect> {
    let rollout = &case.world.rollout;
    let noted = rollout.metadata.annotation(names::WORKLOAD_GENERATION);
    let (value, reason) = match case.world.workload.found() {
        Some(workload) => {
            let generation = workload.metadata.generation.to_string();
            if noted == Some(generation.as_str()) {
                return None;
            }
            (json!(generation), format!("workload is at generation {generation}"))
        }
        None => {
            let left = rollout.spec.workload_ref.is_none() && !case.status().workload_observed_generation.is_empty();
            noted.filter(|_| left)?;
            (Value::Null, "workloadRef is gone".to_owned())
        }
    };
    Some(Effect {
        phase: Phase::Create,
        object: ObjectRef::to(&**rollout),
        verb: Verb::Merge(json!({"metadata": {"annotations": {names::WORKLOAD_GENERATION: value}}})),
        precondition: Precondition::of(&rollout.metadata),
        rests_on: Vec::new(),
        reason,
        events: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
