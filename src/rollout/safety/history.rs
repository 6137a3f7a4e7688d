//! Permission to delete ReplicaSets of the past (I22).

use super::exposure::Exposure;
use super::write;
use crate::plan::Plan;
use crate::rollout::cast::Revision;
use crate::rollout::defaults;
use crate::rollout::strategy::rollback;

/// Deletions in one plan; the rest follows with the next looks.
const MAX_DELETIONS: usize = 10;

/// Deletes the oldest ReplicaSets beyond `revisionHistoryLimit` that have no pods and nothing refers to.
/// One that may not go yet is not replaced by a newer one; one inside the rollback window stays, whatever the limit.
/// Argo: `reconcileRevisionHistoryLimit`.
pub fn permit(exposure: &Exposure<'_>, plan: &mut Plan) {
    // What lies inside the window is told from the stable revision: while that is away, nobody knows.
    if exposure.cast.lacks_stable(&exposure.world.rollout.status) {
        return;
    }
    let limit = defaults::history_limit(&exposure.world.rollout);
    let limit = if crate::mutant!("history-of-none") { 0 } else { limit };
    let kept: Vec<&Revision> =
        exposure.cast.others.iter().filter(|other| other.rs.metadata.deletion_timestamp.is_none()).collect();
    let surplus = kept.len().saturating_sub(limit);
    let wanted =
        |other: &Revision| exposure.referenced(other) || rollback::in_window(exposure.world, exposure.cast, other);
    let gone = kept.into_iter().take(surplus).filter(|other| empty(other) && !wanted(other));
    for other in gone.take(MAX_DELETIONS) {
        plan.effects.push(write::delete(other, "beyond revisionHistoryLimit"));
    }
}

/// Whether the ReplicaSet wants, has and reports no pods.
fn empty(revision: &Revision) -> bool {
    let rs = &revision.rs;
    let observed = rs.status.observed_generation >= rs.metadata.generation;
    revision.size.spec == 0 && revision.size.replicas == 0 && revision.pods.is_empty() && observed
}
