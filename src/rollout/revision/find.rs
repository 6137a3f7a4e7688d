//! Which `ReplicaSet` is that of the current template.

use super::equality::{InjectedTerm, same_template};
use crate::api::names;
use crate::rollout::cast::Revision;
use crate::rollout::world::World;

/// The position of the current template's revision among the owned ones, which are sorted by age and name.
///
/// By the hash that a new one would carry; else by meaning, since an earlier controller or library may have hashed the
/// same template to another name (I19: the recorded hash is authority, equality decides, the hash is only a name).
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
        let strategy = serde_json::to_value(&world.rollout.spec.strategy).unwrap_or_default();
        let injected = InjectedTerm::of_strategy(&strategy);
        owned.iter().position(|revision| {
            let ephemeral = revision.rs.metadata.annotation(names::EPHEMERAL_METADATA);
            let ephemeral = ephemeral.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
            same_template(&revision.rs.spec.template.value(), &desired, ephemeral.as_ref(), injected)
        })
    })
}
