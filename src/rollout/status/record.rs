//! The status write: a merge patch of what changed, or nothing.

use serde_json::{Map, Value, json};

use super::kstatus::CONDITIONS;
use crate::api::RolloutStatus;
use crate::plan::{ObjectRef, Record};
use crate::rollout::case::Case;
use crate::rollout::memory::HighWater;
use crate::rollout::settings::StatusDialect;

/// Whether Siskin's own part of the status is a reason to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPart {
    /// It goes along with what has to be written anyway.
    GoesAlong,
    /// It holds something that a person has to know.
    IsNews,
}

/// The write that brings the stored status to `next`; `None` where it is that already.
pub fn record(case: &Case<'_>, next: &RolloutStatus, own: OwnPart, reason: &str) -> Option<Record> {
    let old = case.status();
    let same = is_same(case, old, next);
    let first = case.world.memory.high_water == HighWater::default() && crate::mutant!("first-look-writes");
    if same && own == OwnPart::GoesAlong && !first && !crate::mutant!("status-written-anyway") {
        return None;
    }
    let rollout = &case.world.rollout;
    let (old, new) = (serde_json::to_value(old).ok()?, serde_json::to_value(next).ok()?);
    let patch = difference(&old, &new)?;
    Some(Record {
        object: ObjectRef::to(&**rollout),
        resource_version: rollout.metadata.resource_version.clone(),
        patch: json!({"status": patch}),
        subresource: Some("status"),
        reason: reason.to_owned(),
    })
}

/// Whether a status says what is stored: without Siskin's own part, and without what the operator has switched off, which
/// goes along with what has to be written anyway.
fn is_same(case: &Case<'_>, old: &RolloutStatus, next: &RolloutStatus) -> bool {
    let mut expected = old.clone();
    expected.siskin.clone_from(&next.siskin);
    if case.world.settings.dialect == StatusDialect::Argo {
        expected.conditions.retain(|condition| !CONDITIONS.contains(&condition.kind.as_str()));
    }
    expected == *next
}

/// The merge patch that turns `old` into `new`; `None` where they are equal. Lists are replaced whole.
pub fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            None => {
                patch.insert(key.clone(), value.clone());
            }
            Some(before) => {
                if let Some(change) = difference(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merge(target: &mut Value, patch: &Value) {
        json_patch::merge(target, patch);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_patch_leads_there(
            old in prop::collection::btree_map("[a-d]", any_value(), 0..4),
            new in prop::collection::btree_map("[a-d]", any_value(), 0..4),
        ) {
            let old = Value::Object(old.into_iter().collect());
            let new = Value::Object(new.into_iter().collect());
            let mut patched = old.clone();
            match difference(&old, &new) {
                Some(patch) => merge(&mut patched, &patch),
                None => prop_assert_eq!(&old, &new),
            }
            prop_assert_eq!(patched, new);
        }
    }
}
