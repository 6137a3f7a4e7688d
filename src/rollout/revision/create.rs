//! The `ReplicaSet` of a new revision, and the numbers that revisions are known by.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{anti_affinity, find, meaning};
use crate::api::rollout::PodMetadata;
use crate::api::{ReplicaSet, Rollout, names};
use crate::plan::{Basis, Effect, Event, ObjectRef, Phase, Precondition, Verb};
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::status::record::difference;
use crate::rollout::strategy::pod_metadata;

/// Annotations of a Rollout that its ReplicaSets do not get.
const NOT_COPIED: &[&str] = &[
    names::LAST_APPLIED,
    names::REVISION,
    names::REVISION_HISTORY,
    names::DESIRED_REPLICAS,
    names::MADE_FOR,
    names::NOTIFIED,
];

/// What an object owned by the Rollout says of its owner.
pub fn owner_reference(rollout: &Rollout) -> Value {
    json!({
        "apiVersion": names::API_VERSION,
        "kind": "Rollout",
        "name": rollout.metadata.name,
        "uid": rollout.metadata.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The number of the newest revision: one more than every other's.
fn next_number(case: &Case<'_>) -> i64 {
    let new = case.cast.new.as_ref().map(Revision::name);
    let others = case.cast.all().filter(|revision| Some(revision.name()) != new);
    others.map(Revision::number).max().unwrap_or(0) + 1
}

/// The number that the new revision has, or will have with this plan: a template that comes back is the newest again.
pub fn number(case: &Case<'_>) -> i64 {
    next_number(case).max(case.cast.new.as_ref().map_or(0, Revision::number))
}

/// Creates what is missing and puts in order what numbers revisions: the ReplicaSet, its annotations, the Rollout's.
pub fn effects(case: &Case<'_>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = case.cast.orphans.iter().map(|orphan| adopt(case, orphan)).collect();
    if !effects.is_empty() && case.cast.new.is_none() {
        // One of the orphans may be the revision that is missing: look again once they are ours.
        return effects;
    }
    let number = next_number(case);
    match &case.cast.new {
        None => {
            // First what users wait for; the events keep Argo's order. Where the number does not get there,
            // the next look finds it on the ReplicaSet.
            let mut created = create(case, number);
            let numbered = number_rollout(case, number).map(|mut effect| {
                created.events.splice(0..0, effect.events.drain(..));
                effect
            });
            effects.push(created);
            effects.extend(numbered);
        }
        Some(new) => {
            let number = self::number(case);
            effects.extend(number_rollout(case, number));
            effects.extend(annotate(case, new, number));
        }
    }
    effects
}

fn adopt(case: &Case<'_>, orphan: &ReplicaSet) -> Effect {
    // A merge patch replaces lists whole, so the owners that are there go with it.
    let mut owners: Vec<Value> = orphan.metadata.owner_references.iter().map(|owner| json!(owner)).collect();
    owners.push(owner_reference(&case.world.rollout));
    Effect {
        phase: Phase::Create,
        object: ObjectRef::to(orphan),
        verb: Verb::Merge(json!({"metadata": {"ownerReferences": owners}})),
        precondition: Precondition::of(&orphan.metadata),
        // Who is adopted by an owner that has gone meanwhile is collected as garbage, with all of its pods.
        rests_on: vec![Basis::of(&*case.world.rollout)],
        reason: "selector matches a ReplicaSet without an owner".to_owned(),
        events: Vec::new(),
    }
}

/// Writes the revision number on the Rollout where it is another.
fn number_rollout(case: &Case<'_>, number: i64) -> Option<Effect> {
    let rollout = &case.world.rollout;
    let text = number.to_string();
    if rollout.metadata.annotation(names::REVISION) == Some(text.as_str()) {
        return None;
    }
    Some(Effect {
        phase: Phase::Create,
        object: ObjectRef::to(&**rollout),
        verb: Verb::Merge(json!({"metadata": {"annotations": {names::REVISION: text}}})),
        precondition: Precondition::of(&rollout.metadata),
        rests_on: Vec::new(),
        reason: format!("update to revision {number}"),
        events: vec![Event::normal("RolloutUpdated", format!("Rollout updated to revision {number}"))],
    })
}

fn create(case: &Case<'_>, number: i64) -> Effect {
    let rollout = &case.world.rollout;
    let hash = &case.world.digest.pod_hash;
    let twin = crate::mutant!("twin-is-created") && case.cast.by_hash(hash).is_some();
    let name = format!("{}-{hash}{}", rollout.metadata.name, if twin { "-2" } else { "" });
    let mut template = rollout.spec.template.value();
    let labels = with_hash(template.pointer("/metadata/labels"), hash);
    if !template.get("metadata").is_some_and(Value::is_object) {
        template["metadata"] = json!({});
    }
    template["metadata"]["labels"] = labels.clone();
    let selector = serde_json::to_value(&rollout.spec.selector).unwrap_or_else(|_| json!({}));
    let mut selector = if selector.is_object() { selector } else { json!({}) };
    selector["matchLabels"] = with_hash(selector.get("matchLabels"), hash);
    let mut annotations = copied_annotations(rollout);
    annotations.insert(names::REVISION.to_owned(), json!(number.to_string()));
    annotations.insert(names::DESIRED_REPLICAS.to_owned(), json!(case.world.replicas().to_string()));
    annotations.insert(names::MADE_FOR.to_owned(), json!(meaning::digest(&template)));
    anti_affinity::inject(rollout, hash, &mut template);
    let metadata = pod_metadata::roles(rollout).map(|roles| roles.of_created(case.cast));
    if let Some(metadata) = metadata.filter(|metadata| *metadata != PodMetadata::default()) {
        add(&mut template, "labels", &metadata.labels);
        add(&mut template, "annotations", &metadata.annotations);
        annotations.insert(names::EPHEMERAL_METADATA.to_owned(), json!(pod_metadata::record(&metadata)));
    }
    let body = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": rollout.metadata.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": rollout.spec.min_ready_seconds,
            "selector": selector,
            "template": template,
        },
    });
    Effect {
        phase: Phase::Create,
        object: ObjectRef::named::<ReplicaSet>(&rollout.metadata.namespace, &name),
        verb: Verb::Create(body),
        precondition: Precondition::default(),
        rests_on: Vec::new(),
        reason: "new pod template".to_owned(),
        events: vec![Event::normal("NewReplicaSetCreated", format!("Created ReplicaSet {name} (revision {number})"))],
    }
}

/// Adds labels or annotations to a template.
fn add(template: &mut Value, part: &str, entries: &BTreeMap<String, String>) {
    for (key, value) in entries {
        template["metadata"][part][key] = json!(value);
    }
}

/// What leads a template that somebody has edited back to the one that it was made for; looked for only where a revision
/// becomes the newest again, so that nobody who changes templates as they are stored is answered without end.
fn restored(case: &Case<'_>, new: &Revision) -> Option<Value> {
    let rollout = &case.world.rollout;
    let mut template = rollout.spec.template.value();
    if !find::is_edited(rollout, new, &template) {
        return None;
    }
    anti_affinity::inject(rollout, new.hash(), &mut template);
    let stored = new.rs.spec.template.value();
    difference(stored.get("spec")?, template.get("spec")?)
}

fn with_hash(labels: Option<&Value>, hash: &str) -> Value {
    let mut labels = labels.and_then(Value::as_object).cloned().unwrap_or_default();
    labels.insert(names::POD_HASH.to_owned(), json!(hash));
    Value::Object(labels)
}

fn copied_annotations(rollout: &Rollout) -> Map<String, Value> {
    let copied = rollout.metadata.annotations.iter().filter(|(key, _)| !NOT_COPIED.contains(key));
    copied.map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

/// Brings the new ReplicaSet's annotations and `minReadySeconds` up to date. Argo: `SetNewReplicaSetAnnotations`.
fn annotate(case: &Case<'_>, new: &Revision, number: i64) -> Option<Effect> {
    let rollout = &case.world.rollout;
    let meta = &new.rs.metadata;
    let mut changed = copied_annotations(rollout);
    // A ReplicaSet keeps the workload's generation that it was created for: each size of a drained Deployment is another.
    changed.remove(names::WORKLOAD_GENERATION);
    changed.retain(|key, value| meta.annotation(key) != value.as_str());
    if new.number() < number {
        changed.insert(names::REVISION.to_owned(), json!(number.to_string()));
        if let Some(old) = meta.annotation(names::REVISION) {
            let history = meta.annotation(names::REVISION_HISTORY).filter(|history| !history.is_empty());
            let history = history.map_or_else(|| old.to_owned(), |history| format!("{history},{old}"));
            changed.insert(names::REVISION_HISTORY.to_owned(), json!(history));
        }
    }
    let wanted_ready = rollout.spec.min_ready_seconds;
    let mut body = Map::new();
    if !changed.is_empty() {
        body.insert("metadata".to_owned(), json!({"annotations": changed}));
    }
    let mut spec = Map::new();
    if new.rs.spec.min_ready_seconds != wanted_ready {
        spec.insert("minReadySeconds".to_owned(), json!(wanted_ready));
    }
    if let Some(edited) = (new.number() < number).then(|| restored(case, new)).flatten() {
        spec.insert("template".to_owned(), json!({"spec": edited}));
    } else if let Some(affinity) = anti_affinity::refreshed(rollout, new) {
        spec.insert("template".to_owned(), json!({"spec": {"affinity": {"podAntiAffinity": affinity}}}));
    }
    if !spec.is_empty() {
        body.insert("spec".to_owned(), Value::Object(spec));
    }
    (!body.is_empty()).then(|| Effect {
        phase: Phase::Create,
        object: ObjectRef::to(&*new.rs),
        verb: Verb::Merge(Value::Object(body)),
        precondition: Precondition::of(meta),
        rests_on: Vec::new(),
        reason: "annotations follow the Rollout".to_owned(),
        events: Vec::new(),
    })
}
