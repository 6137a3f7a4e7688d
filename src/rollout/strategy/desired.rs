//! How many pods a canary should have, and whether they are there. Arithmetic over specification, record and counts.

use super::ratio::{self, Ratio};
use super::steps::{self, CanarySize};
use crate::api::rollout::{ReplicaProgressThreshold, Rollout};
use crate::rollout::defaults;
use crate::rollout::size::{Size, Sizes};

#[cfg(test)]
mod tests;

/// What the routes carry, in parts of the maximum weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// The canary's part.
    pub canary: i32,
    /// The stable revision's part.
    pub stable: i32,
}

/// The sizes that the new and the stable revision should have. `weights` count only with `dynamicStableScale`.
///
/// Source: contract, behaviour §7.1 and §7.2. Argo: `replicasetutil.CalculateReplicaCountsForTrafficRoutedCanary`.
pub fn sizes(rollout: &Rollout, replicas: i32, sizes: &Sizes, weights: Option<Weights>) -> Ratio {
    let max = defaults::max_traffic_weight(rollout);
    let size = steps::canary_size(rollout, replicas, sizes);
    let weight = match size {
        CanarySize::Weight(weight) => weight,
        CanarySize::Replicas(_) => 0,
    };
    let Some(canary) = rollout.spec.strategy.canary.as_ref().filter(|canary| canary.traffic_routing.is_some()) else {
        let (surge, _) = defaults::fenceposts(rollout, replicas);
        let basic = ratio::basic(sizes, replicas, (weight, max), surge);
        let there = sizes.new.as_ref().is_some_and(|new| new.spec == basic.new && new.spec > 0);
        let more = i32::from(there && crate::mutant!("size-flickers"));
        return Ratio { new: basic.new + more, ..basic };
    };
    let floor = |size: i32| ratio::with_floor(size, canary.min_pods_per_replica_set, replicas);
    let new = match size {
        CanarySize::Replicas(count) => count,
        CanarySize::Weight(weight) => floor(ratio::by_weight(replicas, weight, max)),
    };
    if !canary.dynamic_stable_scale {
        return Ratio { new, stable: replicas };
    }
    dynamic(new, (weight, max), (replicas, rollout.status.abort), weights, floor)
}

/// With `dynamicStableScale` the stable revision has the pods for what the canary's weight leaves, and for what the
/// routes still give it. After an abort the canary keeps the pods for what they give it.
///
/// Worked example: 10 pods, weight 20, and the routes give the stable revision 100 still: 2 and 10. Once they give it
/// 80: 2 and 8.
fn dynamic(
    new: i32,
    (weight, max): (i32, i32),
    (replicas, aborted): (i32, bool),
    weights: Option<Weights>,
    floor: impl Fn(i32) -> i32,
) -> Ratio {
    let pods = |part: i32| ratio::by_weight(replicas, part, max);
    let left = pods(max.saturating_sub(weight));
    let stable = weights.map_or(left, |weights| left.max(pods(weights.stable)));
    let new = weights.filter(|_| aborted).map_or(new, |weights| new.max(pods(weights.canary)));
    Ratio { new: floor(new), stable: floor(stable) }
}

/// Whether the pods are as the current step wants them. Source: contract, behaviour §6.4. Argo:
/// `replicasetutil.AtDesiredReplicaCountsForCanary`.
///
/// Without a router the sizes are those that stand for the weight, whatever pace leads there: Argo also takes sizes that
/// cannot move for the moment.
pub fn reached(rollout: &Rollout, replicas: i32, counts: &Sizes, weights: Option<Weights>) -> bool {
    let goal = sizes(rollout, replicas, counts, weights);
    let canary = rollout.spec.strategy.canary.as_ref();
    let routed = canary.is_some_and(|canary| canary.traffic_routing.is_some());
    let threshold = canary.and_then(|canary| canary.replica_progress_threshold.as_ref());
    if !counts.new.is_some_and(|new| enough(threshold, new, goal.new)) {
        return false;
    }
    let dynamic = routed && canary.is_some_and(|canary| canary.dynamic_stable_scale);
    let created = |stable: Size| stable.spec == goal.stable && stable.replicas == goal.stable;
    if !dynamic && !counts.stable.is_some_and(created) {
        return false;
    }
    routed || counts.others.iter().map(|other| i64::from(other.available)).sum::<i64>() == 0
}

/// Whether a revision of which `wanted` pods are wanted has enough of them available to go on.
///
/// Without a threshold (absent, negative, or of an unknown type) it is all of them, and none too many. `Pods` counts
/// whatever is wanted; of no wanted pods any percentage is there. Source: contract, behaviour §6.4.
pub fn enough(threshold: Option<&ReplicaProgressThreshold>, size: Size, wanted: i32) -> bool {
    let exact = size.spec == wanted && size.available == wanted;
    let Some(threshold) = threshold.filter(|threshold| threshold.value >= 0) else { return exact };
    match threshold.kind.as_str() {
        "Pods" => size.available >= threshold.value,
        "Percent" => {
            // available / wanted >= value / 100, without division; the sign is that of `wanted`.
            let (available, wanted) = (i64::from(size.available), i64::from(wanted));
            wanted == 0 || available * 100 * wanted.signum() >= i64::from(threshold.value) * wanted.abs()
        }
        _ => exact,
    }
}

/// The pods of `wanted` that a threshold asks for; `None` where there is none, and all are needed.
pub fn asked(threshold: Option<&ReplicaProgressThreshold>, wanted: i32) -> Option<i32> {
    let threshold = threshold.filter(|threshold| threshold.value >= 0)?;
    match threshold.kind.as_str() {
        "Pods" => Some(threshold.value),
        "Percent" => Some(ratio::by_weight(wanted, threshold.value, 100)),
        _ => None,
    }
}
