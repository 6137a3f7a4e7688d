//! Step and weights of a canary as clients show them. Source: cli §3.1.

use crate::api::Rollout;
use crate::api::rollout::Canary;
use crate::api::steps::CanaryStep;

/// Weight that stands for all traffic where no other is set.
const ALL: i32 = 100;

/// Weight that stands for all traffic.
pub fn all_traffic(canary: &Canary) -> i32 {
    canary.traffic_routing.as_ref().and_then(|routing| routing.max_traffic_weight).unwrap_or(ALL)
}

/// The steps done so far and the current one; `None` once all are done, or where there are none.
fn up_to_current<'a>(rollout: &Rollout, canary: &'a Canary) -> Option<&'a [CanaryStep]> {
    let steps = canary.steps.as_deref().unwrap_or_default();
    let index = usize::try_from(rollout.status.current_step_index.unwrap_or(0)).ok()?;
    if index < steps.len() { steps.get(..=index) } else { None }
}

/// Whether a step is under way.
pub fn in_steps(rollout: &Rollout) -> bool {
    rollout.spec.strategy.canary.as_ref().is_some_and(|canary| up_to_current(rollout, canary).is_some())
}

/// `2/5`; `None` where there are no steps or no index.
pub fn step(rollout: &Rollout) -> Option<String> {
    let canary = rollout.spec.strategy.canary.as_ref()?;
    let total = canary.steps.as_ref().map_or(0, Vec::len);
    let index = rollout.status.current_step_index?;
    (total > 0).then(|| format!("{index}/{total}"))
}

/// The weight that the steps ask for. Argo: `utils/replicaset/canary.go GetCurrentSetWeight`.
pub fn set_weight(rollout: &Rollout) -> i32 {
    let Some(canary) = rollout.spec.strategy.canary.as_ref() else { return 0 };
    if rollout.status.abort {
        return 0;
    }
    let Some(steps) = up_to_current(rollout, canary) else { return all_traffic(canary) };
    steps.iter().rev().find_map(|step| step.set_weight).unwrap_or(0)
}

/// The weight that the canary has: by its share of the available pods, or as the router was told.
/// `canary_available`: available pods of the canary ReplicaSet, where there is one.
pub fn actual_weight(rollout: &Rollout, canary_available: Option<i32>) -> i32 {
    let Some(canary) = rollout.spec.strategy.canary.as_ref() else { return 0 };
    if up_to_current(rollout, canary).is_none() {
        return all_traffic(canary);
    }
    let available = rollout.status.available_replicas;
    if available <= 0 {
        return 0;
    }
    if canary.traffic_routing.is_none() {
        let share = i64::from(canary_available.unwrap_or(0)) * i64::from(ALL) / i64::from(available);
        return i32::try_from(share).unwrap_or(ALL);
    }
    rollout.status.canary.weights.as_ref().map_or_else(|| set_weight(rollout), |weights| weights.canary.weight.0)
}

#[cfg(test)]
mod tests;
