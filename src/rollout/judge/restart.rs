//! Whether a restart is over.

use super::Ruling;
use crate::rollout::case::Case;
use crate::rollout::strategy::restart;

/// Writes down a restart that every pod has been through; waits for one that is to come.
pub fn judge(case: &Case<'_>, ruling: &mut Ruling) {
    let rollout = &case.world.rollout;
    if restart::pending(rollout).is_none() {
        return;
    }
    match restart::due(rollout, case.now) {
        Some(at) if restart::finished(case.cast, at) => ruling.next.restarted_at = Some(at),
        Some(_) => {}
        None => rollout.spec.restart_at.into_iter().for_each(|at| ruling.wake(at)),
    }
}
