//! What becomes of the Deployment that the template comes from. Source: contract, behaviour §17.
//!
//! | `scaleDown` | wanted size |
//! | --- | --- |
//! | `never`, empty, any other text | the user's |
//! | `onsuccess` | 0 once the Rollout is Healthy by its record |
//! | `progressively` | as many as the Rollout's own pods leave of the wanted ones; 0 once it is Healthy |
//!
//! Argo asks this at revision 1 only, so that a Deployment that somebody scales up again later stays there for ever.
//! Here it holds at every revision; only *growing* again is for the first one, before it has been Healthy: then both
//! have the same template, and the size that the Deployment had is still wanted.

use crate::api::names;
use crate::rollout::case::Case;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::release;
use crate::rollout::status::phase;
use crate::rollout::world::World;

/// Size that the Deployment should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkloadGoal {
    /// Wanted pods.
    pub replicas: i32,
    /// Why, for the log.
    pub reason: &'static str,
}

/// The size that the Deployment should have; `None` where it stays as it is.
pub fn goal(case: &Case<'_>) -> Option<WorkloadGoal> {
    let rollout = &case.world.rollout;
    let (_, deployment) = case.world.workload.deployment()?;
    let scale_down = rollout.spec.workload_ref.as_ref().map(|reference| reference.scale_down.as_str())?;
    if rollout.spec.paused || !release::drains(rollout) {
        return None;
    }
    let current = deployment.wanted();
    let wants = |replicas: i32, reason| (replicas != current).then_some(WorkloadGoal { replicas, reason });
    if case.status().phase == phase::HEALTHY {
        return wants(0, "Rollout is healthy");
    }
    if scale_down == "onsuccess" {
        return None;
    }
    let left = (case.world.replicas() - available(case.world, case.cast)).max(0);
    if left < current {
        return wants(left, "Rollout's own pods take over");
    }
    // Pods that were there before and that the Rollout's own do not replace yet, after all.
    let drained = deployment.metadata.annotation(names::DRAINED_FROM).and_then(|text| text.parse::<i32>().ok());
    // The condition is there from the first Healthy on, whatever it says later.
    let healthy_once = case.status().condition("Healthy").is_some();
    let first = !healthy_once && case.revision() <= 1 && case.cast.others.is_empty();
    let back = drained.filter(|_| first).map_or(current, |drained| left.min(drained));
    if back > current { wants(back, "Rollout's own pods are gone") } else { None }
}

/// Revisions whose pods serve beside the Deployment's: behind a router or an active Service only the stable one.
pub fn serving<'c>(world: &World, cast: &'c Cast) -> Vec<&'c Revision> {
    let strategy = &world.rollout.spec.strategy;
    let routed = strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some());
    if routed || strategy.blue_green.is_some() { cast.stable.iter().collect() } else { cast.all().collect() }
}

fn available(world: &World, cast: &Cast) -> i32 {
    serving(world, cast).iter().map(|revision| revision.size.available.min(revision.size.spec)).sum()
}
