//! Which `ReplicaSet` is that of the current template.

use std::cell::OnceCell;

use serde_json::Value;

use super::equality::{InjectedTerm, same_template};
use super::meaning::{self, contradicts};
use crate::api::{Rollout, names};
use crate::rollout::cast::Revision;
use crate::rollout::world::World;

/// The position of the current template's revision among the owned ones, which are sorted by age and name.
///
/// By the hash that a new one would carry; else by meaning, since an earlier controller or library may have hashed the
/// same template to another name (I19: the recorded hash is authority, equality decides, the hash is only a name). Not
/// where it is known that the template was another when its pods were made: somebody has edited it since.
/// Argo: `replicasetutil.FindNewReplicaSet`.
pub fn new_revision(world: &World, owned: &[Revision]) -> Option<usize> {
    let first = owned.len() == 1 && world.rollout.status.stable_rs.is_empty();
    if first && (crate::mutant!("equality-ignored") || crate::mutant!("twin-is-created")) {
        return None;
    }
    let by_name = owned.iter().position(|revision| revision.hash() == world.digest.pod_hash);
    by_name.or_else(|| {
        if world.rollout.spec.template.is_absent() || owned.is_empty() {
            return None;
        }
        let desired = world.rollout.spec.template.value();
        let injected = injected(&world.rollout);
        let digest = OnceCell::new();
        owned.iter().position(|revision| {
            is_of(revision, &desired, injected)
                && made_for(revision)
                    .is_none_or(|made_for| !contradicts(made_for, digest.get_or_init(|| meaning::digest(&desired))))
        })
    })
}

fn injected(rollout: &Rollout) -> InjectedTerm {
    InjectedTerm::of_strategy(&serde_json::to_value(&rollout.spec.strategy).unwrap_or_default())
}

/// Whether the stored template of a revision is this one, in other words.
fn is_of(revision: &Revision, desired: &Value, injected: InjectedTerm) -> bool {
    let ephemeral = revision.rs.metadata.annotation(names::EPHEMERAL_METADATA);
    let ephemeral = ephemeral.and_then(|text| serde_json::from_str::<Value>(text).ok());
    same_template(&revision.rs.spec.template.value(), desired, ephemeral.as_ref(), injected)
}

/// Whether somebody has edited the stored template of a revision since it was made for `desired`.
pub fn is_edited(rollout: &Rollout, revision: &Revision, desired: &Value) -> bool {
    made_for(revision).is_some_and(|made_for| made_for == meaning::digest(desired))
        && !is_of(revision, desired, injected(rollout))
}

/// The digest of the template that a revision was made for; absent on those of earlier controllers.
fn made_for(revision: &Revision) -> Option<&str> {
    let recorded = revision.rs.metadata.annotation(names::MADE_FOR);
    recorded.filter(|_| !crate::mutant!("edited-template-is-believed"))
}
