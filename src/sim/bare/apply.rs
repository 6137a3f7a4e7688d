//! Carrying out a plan on the simulated store, by the rules that every executor follows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::controller::execute::eviction;
use crate::plan::{Effect, Event, ObjectRef, Plan, Verb};
use crate::rollout::memory::Failure;
use crate::sim::api_server::{Hand, Reject};
use crate::sim::object;

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Events, in the order in which clients see them.
    pub events: Vec<Event>,
    /// Writes that were refused.
    pub failures: Vec<Failure>,
    /// Whether an object that the plan rests on had moved, so that the rest was dropped.
    pub dropped: bool,
}

/// Carries out a plan. A failed phase stops the later ones, but not the record.
pub fn apply(hand: &Hand, plan: &Plan) -> Applied {
    let mut applied = Applied::default();
    let mut versions: BTreeMap<ObjectRef, String> = BTreeMap::new();
    let mut failed_phase = None;
    for effect in &plan.effects {
        if failed_phase.is_some_and(|failed| failed < effect.phase) {
            break;
        }
        if effect.rests_on.iter().any(|basis| moved(hand, &versions, &basis.object, &basis.resource_version)) {
            applied.dropped = true;
            return applied;
        }
        match write(hand, effect, &versions) {
            Ok(version) => {
                versions.extend(version.map(|version| (effect.object.clone(), version)));
                applied.events.extend(effect.events.iter().cloned());
            }
            // A pod that has gone, or that is another by now, needs nothing any more.
            Err(reject) if effect.is_about_a_pod() && matches!(reject.code, 404 | 409) => {}
            Err(reject) => {
                // A disruption budget's refusal is an answer, and stops nothing.
                let refused = effect.verb == Verb::Evict && reject.code == 429;
                if !refused {
                    failed_phase = Some(effect.phase);
                }
                applied.failures.push(Failure {
                    object: effect.object.clone(),
                    message: reject.to_string(),
                    taken: reject.code == 409 && reject.reason == "AlreadyExists",
                    refused,
                });
            }
        }
    }
    applied.events.extend(plan.events.iter().cloned());
    if let Some(record) = &plan.record {
        let version = versions.get(&record.object).unwrap_or(&record.resource_version);
        let patch = guarded(&record.patch, "", version);
        let at = (record.object.namespace.as_str(), record.object.name.as_str());
        if let Err(reject) = hand.merge_status(&record.object.resource.kind, at, &patch) {
            applied.failures.push(Failure {
                object: record.object.clone(),
                message: reject.to_string(),
                taken: reject.code == 409 && reject.reason == "AlreadyExists",
                refused: false,
            });
        }
    }
    applied
}

/// Whether an object is not at the version that was observed; the plan's own writes do not count.
fn moved(hand: &Hand, versions: &BTreeMap<ObjectRef, String>, at: &ObjectRef, observed: &str) -> bool {
    let expected = versions.get(at).map_or(observed, String::as_str);
    let live = hand.get(&at.resource.kind, &at.namespace, &at.name);
    live.is_none_or(|live| object::text(&live, "/metadata/resourceVersion") != expected)
}

/// The patch with its preconditions in it.
fn guarded(patch: &Value, uid: &str, version: &str) -> Value {
    let mut patch = patch.clone();
    if !patch["metadata"].is_object() {
        patch["metadata"] = json!({});
    }
    if !version.is_empty() {
        patch["metadata"]["resourceVersion"] = json!(version);
    }
    if !uid.is_empty() {
        patch["metadata"]["uid"] = json!(uid);
    }
    patch
}

fn write(hand: &Hand, effect: &Effect, versions: &BTreeMap<ObjectRef, String>) -> Result<Option<String>, Reject> {
    let kind = effect.object.resource.kind.as_ref();
    let at = (effect.object.namespace.as_str(), effect.object.name.as_str());
    let version = versions.get(&effect.object).unwrap_or(&effect.precondition.resource_version);
    let written = match &effect.verb {
        Verb::Create(body) => hand.create(kind, body.clone())?,
        Verb::Merge(patch) => hand.merge(kind, at, &guarded(patch, &effect.precondition.uid, version))?,
        Verb::MergeSubresource(_, patch) => {
            hand.merge_status(kind, at, &guarded(patch, &effect.precondition.uid, version))?
        }
        Verb::Json(patch) => hand.json(kind, at, patch)?,
        Verb::Evict => {
            hand.evict(at, &eviction(&effect.object, &effect.precondition.uid))?;
            return Ok(None);
        }
        Verb::Delete => {
            hand.delete(kind, at.0, at.1)?;
            return Ok(None);
        }
    };
    Ok(Some(object::text(&written, "/metadata/resourceVersion").to_owned()))
}
