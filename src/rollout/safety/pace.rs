//! How fast a canary without a router may go from the pods that are to the pods that should be.
//!
//! The stable revision grows first and old revisions shrink first; growing stays within `replicas + maxSurge`,
//! shrinking keeps `replicas − maxUnavailable` available.

use crate::rollout::size::{Size, Sizes};
use crate::rollout::strategy::ratio::Ratio;

/// The room that an update has.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// `spec.replicas`.
    pub replicas: i32,
    /// maxSurge in pods.
    pub surge: i32,
    /// maxUnavailable in pods.
    pub unavailable: i32,
}

impl Room {
    /// Pods that may exist.
    fn ceiling(self) -> i32 {
        self.replicas.saturating_add(self.surge).saturating_add(i32::from(crate::mutant!("surge-plus-one")))
    }

    /// Pods that must be available.
    fn floor(self) -> i32 {
        self.replicas.saturating_sub(self.unavailable).saturating_sub(i32::from(crate::mutant!("floor-minus-one")))
    }
}

/// The next sizes of the new and the stable revision on the way to `goal`.
///
/// Worked example: 10 pods, surge 1, 1 may be missing, weight 10. From 0 new and 10 stable one pod of surge makes 1 new;
/// 10 available less a floor of 9 lets one stable pod go at the same time: 1 new, 9 stable.
/// Argo: `replicasetutil.CalculateReplicaCountsForBasicCanary`.
pub fn basic(sizes: &Sizes, goal: Ratio, room: Room) -> Ratio {
    let mut next = grow(sizes, goal, room);
    if sizes.others.iter().map(|size| size.spec).sum::<i32>() > 0 {
        // Old revisions go first; shrinking the two that matter has to wait for their room.
        return next;
    }
    let increasing = sizes.new.is_none_or(|new| goal.new >= new.spec);
    let budget = drainable(sizes, increasing) - room.floor();
    if budget <= 0 {
        return next;
    }
    if increasing {
        if let Some(stable) = sizes.stable {
            let pair = shrink((stable, goal.stable), (sizes.new, next.new), next.stable, (budget, room));
            next = Ratio { new: pair.1, stable: pair.0 };
        }
    } else if let Some(new) = sizes.new {
        let pair = shrink((new, goal.new), (sizes.stable, next.stable), next.new, (budget, room));
        next = Ratio { new: pair.0, stable: pair.1 };
    }
    next
}

/// Grows within the surge, the stable revision first.
fn grow(sizes: &Sizes, goal: Ratio, room: Room) -> Ratio {
    let spec = |size: Option<Size>| size.map_or(0, |size| size.spec);
    let mut next = Ratio { new: spec(sizes.new), stable: spec(sizes.stable) };
    let mut free = room.ceiling() - sizes.spec();
    if sizes.stable.is_some() && next.stable < goal.stable && free > 0 {
        let used = free.min(goal.stable - next.stable);
        next.stable += used;
        free -= used;
    }
    if sizes.new.is_some() && next.new < goal.new && free > 0 {
        next.new += free.min(goal.new - next.new);
    }
    next
}

/// Pods that shrinking may count on: of the side that shrinks all that it asks for (those not available go first),
/// of the other side only what is available.
fn drainable(sizes: &Sizes, increasing: bool) -> i32 {
    let count = |size: Option<Size>, shrinks: bool| {
        size.map_or(0, |size| if size.spec < size.available || shrinks { size.spec } else { size.available })
    };
    count(sizes.new, !increasing) + count(sizes.stable, increasing)
}

/// Shrinks `drain` towards its goal within the budget, then puts both counts back inside ceiling and floor.
fn shrink(drain: (Size, i32), keep: (Option<Size>, i32), start: i32, limits: (i32, Room)) -> (i32, i32) {
    let ((drain, goal), (keep_size, mut keep_count)) = (drain, keep);
    let (budget, room) = limits;
    let mut drain_count = start;
    if drain.spec > goal {
        drain_count = goal.max(drain.spec - budget);
    }
    let Some(keep_size) = keep_size else { return (drain_count, keep_count) };
    let over = |a: i32, b: i32| (a + b - room.ceiling()).max(0);
    keep_count -= over(keep_count, drain_count);
    let available = drain.available.min(drain_count) + keep_size.available.min(keep_count);
    let back = (keep_size.available - keep_count).max(0).min((room.floor() - available).max(0));
    keep_count += back;
    drain_count -= over(keep_count, drain_count);
    (drain_count, keep_count)
}
