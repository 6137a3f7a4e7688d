//! Whether a restart is over.

use super::Ruling;
use crate::rollout::case::Case;
use crate::rollout::strategy::restart;

/// Writes down a restart that every pod has been through; waits for one that is to come.
pub fn judge(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(at) = restart::pending(&case.world.rollout) else { return };
    if at > case.now {
        ruling.wake(at);
    } else if restart::finished(case.cast, at) {
        ruling.next.restarted_at = Some(at);
    }
}
