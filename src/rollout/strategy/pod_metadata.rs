//! Labels and annotations of pods by the part that their revision plays.
//!
//! A function of what is observed, so that a plan that was dropped loses nothing. The ReplicaSet comes first, so that
//! pods that are created meanwhile are right; then the pods, a bounded number a plan. Its annotation names every key
//! that pods may still carry until none does any more. Source: contract, behaviour §15.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::rollout::{PodMetadata, Rollout};
use crate::api::{Pod, ReplicaSet, TextMap, names};
use crate::plan::{Effect, ObjectRef, Phase, Plan, Precondition, Verb};
use crate::rollout::case::Case;
use crate::rollout::cast::{Cast, Revision};

/// Time after which pods beyond a plan's share are looked at again, where nothing brings the key back before.
const NEXT_PODS: std::time::Duration = std::time::Duration::from_secs(1);

/// One of the two maps of metadata.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    of: fn(&PodMetadata) -> &BTreeMap<String, String>,
    on: fn(&Pod) -> &TextMap,
}

const PARTS: [Part; 2] = [
    Part { name: "labels", of: |metadata| &metadata.labels, on: |pod| &pod.metadata.labels },
    Part { name: "annotations", of: |metadata| &metadata.annotations, on: |pod| &pod.metadata.annotations },
];

/// What the two roles get.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Canary or preview pods.
    pub updating: PodMetadata,
    /// Stable or active pods.
    pub stable: PodMetadata,
}

/// What the specification gives to the two roles; `None` where it gives nothing to either, and nothing is touched.
pub fn roles(rollout: &Rollout) -> Option<Roles> {
    let strategy = &rollout.spec.strategy;
    let (updating, stable) = match (&strategy.blue_green, &strategy.canary) {
        (Some(blue_green), _) => (&blue_green.preview_metadata, &blue_green.active_metadata),
        (None, Some(canary)) => (&canary.canary_metadata, &canary.stable_metadata),
        (None, None) => return None,
    };
    (updating.is_some() || stable.is_some())
        .then(|| Roles { updating: updating.clone().unwrap_or_default(), stable: stable.clone().unwrap_or_default() })
}

impl Roles {
    /// What a revision that is created now gets.
    pub fn of_created(self, cast: &Cast) -> PodMetadata {
        if cast.stable.is_some() { self.updating } else { self.stable }
    }

    fn of(&self, cast: &Cast, revision: &Revision) -> PodMetadata {
        let plays = |part: &Option<Revision>| part.as_ref().is_some_and(|other| other.name() == revision.name());
        match (plays(&cast.new), plays(&cast.stable)) {
            (true, false) if cast.stable.is_some() => self.updating.clone(),
            (true, _) | (_, true) => self.stable.clone(),
            (false, false) => PodMetadata::default(),
        }
    }
}

/// What a ReplicaSet's annotation says that it has put on its pods. One that cannot be read says nothing.
pub fn recorded(rs: &ReplicaSet) -> PodMetadata {
    let text = rs.metadata.annotation(names::EPHEMERAL_METADATA);
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The text of the annotation.
pub fn record(metadata: &PodMetadata) -> String {
    let parts = PARTS.iter().filter(|part| !(part.of)(metadata).is_empty());
    let map: Map<String, Value> = parts.map(|part| (part.name.to_owned(), json!((part.of)(metadata)))).collect();
    Value::Object(map).to_string()
}

/// The writes that bring ReplicaSets and pods to what their parts ask for.
pub fn effects(case: &Case<'_>, plan: &mut Plan) {
    let Some(roles) = roles(&case.world.rollout) else { return };
    let mut room = case.world.settings.pods_per_plan;
    for revision in case.cast.all().filter(|revision| revision.rs.metadata.deletion_timestamp.is_none()) {
        let look = Look {
            case,
            revision,
            wanted: roles.of(case.cast, revision),
            known: recorded(&revision.rs),
            roles: &roles,
            template: OnceCell::new(),
            own: OnceCell::new(),
        };
        match look.replica_set() {
            Some(effect) => plan.effects.push(effect),
            None => {
                let mut pods = look.pods();
                plan.effects.extend(pods.by_ref().take(room).inspect(|_| room -= 1));
                if pods.next().is_some() {
                    plan.wake(case.now + NEXT_PODS);
                }
            }
        }
    }
}

/// One revision, and what its pods should carry.
struct Look<'c> {
    case: &'c Case<'c>,
    revision: &'c Revision,
    wanted: PodMetadata,
    known: PodMetadata,
    roles: &'c Roles,
    /// Metadata of the stored template; parsed only where it has to be.
    template: OnceCell<PodMetadata>,
    /// Metadata of the Rollout's template; likewise.
    own: OnceCell<PodMetadata>,
}

impl Look<'_> {
    fn template(&self) -> &PodMetadata {
        self.template.get_or_init(|| metadata_of(&self.revision.rs.spec.template.value()))
    }

    /// Keys that were put there once and are not wanted any more.
    fn stale<'l>(&'l self, part: &'l Part) -> impl Iterator<Item = (&'l String, &'l String)> {
        (part.of)(&self.known).iter().filter(|(key, _)| !(part.of)(&self.wanted).contains_key(*key))
    }

    /// The write of the ReplicaSet that is missing. At rest two small maps are compared, and nothing else.
    fn replica_set(&self) -> Option<Effect> {
        if self.known == self.wanted {
            return None;
        }
        let mut metadata = Map::new();
        let mut record = self.wanted.clone();
        for (part, kept) in PARTS.iter().zip([&mut record.labels, &mut record.annotations]) {
            let changes = self.template_changes(part);
            if !changes.is_empty() {
                metadata.insert(part.name.to_owned(), Value::Object(changes));
            }
            let carried = self.stale(part).filter(|(key, _)| {
                self.revision.pods.iter().any(|pod| {
                    pod.metadata.deletion_timestamp.is_none()
                        && (part.on)(pod).get(key) != self.native(part, key).map(String::as_str)
                })
            });
            kept.extend(carried.map(|(key, value)| (key.clone(), value.clone())));
        }
        let mut body = json!({});
        if record != self.known {
            let text = (record != PodMetadata::default()).then(|| self::record(&record));
            body["metadata"] = json!({"annotations": {names::EPHEMERAL_METADATA: text}});
        }
        if !metadata.is_empty() {
            body["spec"] = json!({"template": {"metadata": metadata}});
        }
        let nothing = body.as_object().is_none_or(Map::is_empty);
        (!nothing)
            .then(|| effect(ObjectRef::to(&*self.revision.rs), Precondition::of(&self.revision.rs.metadata), body))
    }

    /// What has to change in the stored template.
    fn template_changes(&self, part: &Part) -> Map<String, Value> {
        let stored = (part.of)(self.template());
        let wanted = (part.of)(&self.wanted).iter().filter(|(key, value)| stored.get(*key) != Some(*value));
        let mut changes: Map<String, Value> = wanted.map(|(key, value)| (key.clone(), json!(value))).collect();
        for (key, _) in self.stale(part) {
            let native = self.native(part, key);
            if stored.get(key) != native {
                changes.insert(key.clone(), json!(native));
            }
        }
        changes
    }

    /// The value that a key has where no role gives it one. What a role has replaced only the Rollout still knows, and
    /// only of the new revision.
    fn native(&self, part: &Part, key: &str) -> Option<&String> {
        if !(part.of)(&self.known).contains_key(key) {
            return (part.of)(self.template()).get(key);
        }
        let is_new = self.case.cast.new.as_ref().is_some_and(|new| new.name() == self.revision.name());
        let own = || self.own.get_or_init(|| metadata_of(&self.case.world.rollout.spec.template.value()));
        if is_new { (part.of)(own()).get(key) } else { None }
    }

    /// The writes of pods that are missing; pods on their way out are left alone.
    fn pods(&self) -> impl Iterator<Item = Effect> {
        let staying = self.revision.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        staying.filter_map(|pod| {
            let mut metadata = Map::new();
            for part in &PARTS {
                let changes = self.pod_changes(part, pod);
                if !changes.is_empty() {
                    metadata.insert(part.name.to_owned(), Value::Object(changes));
                }
            }
            let identity = Precondition::identity(&pod.metadata.uid);
            (!metadata.is_empty()).then(|| effect(ObjectRef::to(&**pod), identity, json!({"metadata": metadata})))
        })
    }

    /// What has to change on a pod: its part's values, and no key of another part.
    fn pod_changes(&self, part: &Part, pod: &Pod) -> Map<String, Value> {
        let carried = (part.on)(pod);
        let wanted = (part.of)(&self.wanted);
        let missing = wanted.iter().filter(|(key, value)| carried.get(key) != Some(value.as_str()));
        let mut changes: Map<String, Value> = missing.map(|(key, value)| (key.clone(), json!(value))).collect();
        let others = [&self.known, &self.roles.updating, &self.roles.stable];
        let others = others.into_iter().flat_map(|metadata| (part.of)(metadata).keys());
        for key in others.filter(|key| carried.contains_key(key) && !wanted.contains_key(*key)) {
            let native = self.native(part, key);
            if carried.get(key) != native.map(String::as_str) {
                changes.insert(key.clone(), json!(native));
            }
        }
        changes
    }
}

fn metadata_of(template: &Value) -> PodMetadata {
    template.get("metadata").and_then(|metadata| serde_json::from_value(metadata.clone()).ok()).unwrap_or_default()
}

fn effect(object: ObjectRef, precondition: Precondition, body: Value) -> Effect {
    Effect {
        phase: Phase::Upkeep,
        object,
        verb: Verb::Merge(body),
        precondition,
        rests_on: Vec::new(),
        reason: "metadata of pods follows their part".to_owned(),
        events: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_is_read_as_others_write_it() {
        let cases = [
            (json!({"labels": {"b": "2", "a": "1"}}), r#"{"labels":{"a":"1","b":"2"}}"#),
            (json!({"annotations": {"a": "1"}, "labels": {}}), r#"{"annotations":{"a":"1"}}"#),
            (json!({}), "{}"),
        ];
        for (written, text) in cases {
            let annotations = json!({names::EPHEMERAL_METADATA: written.to_string()});
            let rs = json!({"metadata": {"name": "a", "annotations": annotations}});
            let metadata = recorded(&serde_json::from_value(rs).unwrap());
            assert_eq!(serde_json::from_value::<PodMetadata>(written).unwrap(), metadata);
            assert_eq!(record(&metadata), text);
        }
        let broken = json!({"metadata": {"name": "a", "annotations": {names::EPHEMERAL_METADATA: "[1"}}});
        assert_eq!(recorded(&serde_json::from_value(broken).unwrap()), PodMetadata::default());
    }
}
