//! Steps as functions of (spec, record): where the update is and what that means. Level, not edge: computed anew at each look.

use super::ratio;
use crate::api::rollout::{Canary, Rollout};
use crate::api::steps::{CanaryStep, ExperimentStep, SetCanaryScale};
use crate::rollout::defaults::{self, AbortScaleDown};
use crate::rollout::size::Sizes;

/// The steps of a canary; empty where there are none, and in a blue-green.
pub fn steps(rollout: &Rollout) -> &[CanaryStep] {
    rollout.spec.strategy.canary.as_ref().and_then(|canary| canary.steps.as_deref()).unwrap_or_default()
}

/// The number of steps, as the index after the last.
pub fn len(rollout: &Rollout) -> i32 {
    i32::try_from(steps(rollout).len()).unwrap_or(i32::MAX)
}

/// The step at an index.
pub fn at(rollout: &Rollout, index: i32) -> Option<&CanaryStep> {
    usize::try_from(index).ok().and_then(|index| steps(rollout).get(index))
}

/// The index that the record names; `None` without steps. Argo: `replicasetutil.GetCurrentCanaryStep`.
pub fn index(rollout: &Rollout) -> Option<i32> {
    if steps(rollout).is_empty() { None } else { Some(rollout.status.current_step_index.unwrap_or(0)) }
}

/// Where an attempt begins; `None` without steps. Argo: `replicasetutil.ResetCurrentStepIndex`.
pub fn first(rollout: &Rollout) -> Option<i32> {
    if steps(rollout).is_empty() { None } else { Some(0) }
}

/// The current step; `None` without steps and past the last.
pub fn current(rollout: &Rollout) -> Option<&CanaryStep> {
    index(rollout).and_then(|index| at(rollout, index))
}

/// The weight of the last `setWeight` at or before `index`; 0 where there is none.
pub fn weight_at(rollout: &Rollout, index: i32) -> i32 {
    let end = usize::try_from(index.saturating_add(1)).unwrap_or(0);
    steps(rollout).iter().take(end).rev().find_map(|step| step.set_weight).unwrap_or(0)
}

/// The weight of the last `setWeight` strictly before `index`; 0 where there is none.
pub fn weight_before(rollout: &Rollout, index: i32) -> i32 {
    if index <= 0 { 0 } else { weight_at(rollout, index - 1) }
}

/// The weight that the steps ask for now: none while aborted, all past the last step.
/// Argo: `replicasetutil.GetCurrentSetWeight`.
pub fn set_weight(rollout: &Rollout) -> i32 {
    if rollout.status.abort {
        return 0;
    }
    match (current(rollout), index(rollout)) {
        (Some(_), Some(index)) => weight_at(rollout, index),
        _ => defaults::max_traffic_weight(rollout),
    }
}

/// The weight that sizes follow: as [`set_weight`], but with `dynamicStableScale` an aborted canary goes back step by step.
/// Argo: `replicasetutil.GetCurrentSetWeight` and the step down in `GetDesiredWeight`.
pub fn desired_weight(rollout: &Rollout, replicas: i32, sizes: &Sizes) -> i32 {
    let canary = rollout.spec.strategy.canary.as_ref();
    let dynamic = canary.is_some_and(|canary| canary.dynamic_stable_scale && canary.traffic_routing.is_some());
    if rollout.status.abort && dynamic { step_down(rollout, replicas, sizes) } else { set_weight(rollout) }
}

/// The next lower weight of an aborted canary: the last of the steps' weights that needs fewer pods than the canary has
/// (or than the stable revision lacks), 0 where none does. Where a delay keeps the canary's pods, only what the stable
/// revision lacks counts. Source: contract, behaviour §9.2.
///
/// Worked example: 10 pods, weights 20 and 50, 5 pods each. 20 is the next: 2 pods are fewer than 5. With 8 stable pods
/// and 2 of the canary it is 0.
fn step_down(rollout: &Rollout, replicas: i32, sizes: &Sizes) -> i32 {
    let (Some(new), Some(stable)) = (sizes.new, sizes.stable) else { return 0 };
    let lacking = replicas.saturating_sub(stable.available);
    let canary = rollout.spec.strategy.canary.as_ref();
    let delayed = canary.and_then(|canary| canary.abort_scale_down_delay_seconds).is_some_and(|delay| delay > 0);
    let held = if delayed { lacking } else { lacking.max(new.available) };
    let max = defaults::max_traffic_weight(rollout);
    let mut weights = steps(rollout).iter().rev().filter_map(|step| step.set_weight);
    weights.find(|weight| ratio::by_weight(replicas, *weight, max) < held).unwrap_or(0)
}

/// Whether the update is over: the stable revision is the current one.
pub fn fully_promoted(rollout: &Rollout) -> bool {
    rollout.status.stable_rs.is_empty() || rollout.status.current_pod_hash == rollout.status.stable_rs
}

/// The `setCanaryScale` in force: the last at or before the current step, unless it says to match the weight.
/// Argo: `replicasetutil.UseSetCanaryScale`.
pub fn canary_scale(rollout: &Rollout) -> Option<&SetCanaryScale> {
    let canary = rollout.spec.strategy.canary.as_ref()?;
    canary.traffic_routing.as_ref()?;
    if rollout.status.abort && defaults::abort_scale_down(rollout) != AbortScaleDown::Never {
        return None;
    }
    current(rollout)?;
    let end = usize::try_from(index(rollout)?.saturating_add(1)).unwrap_or(0);
    let scale = steps(rollout).iter().take(end).rev().find_map(|step| step.set_canary_scale.as_ref())?;
    if scale.match_traffic_weight { None } else { Some(scale) }
}

/// The experiment in force: the last at or before the current step. Argo: `replicasetutil.GetCurrentExperimentStep`.
pub fn experiment(rollout: &Rollout) -> Option<&ExperimentStep> {
    current(rollout)?;
    let end = usize::try_from(index(rollout)?.saturating_add(1)).unwrap_or(0);
    steps(rollout).iter().take(end).rev().find_map(|step| step.experiment.as_deref())
}

/// What the canary's size follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanarySize {
    /// So many pods.
    Replicas(i32),
    /// The share of `spec.replicas` that a weight stands for.
    Weight(i32),
}

/// What the canary's size follows now. Argo: `replicasetutil.GetCanaryReplicasOrWeight`.
pub fn canary_size(rollout: &Rollout, replicas: i32, sizes: &Sizes) -> CanarySize {
    if rollout.status.promote_full || fully_promoted(rollout) {
        return CanarySize::Weight(defaults::max_traffic_weight(rollout));
    }
    if let Some(scale) = canary_scale(rollout) {
        if let Some(replicas) = scale.replicas {
            return CanarySize::Replicas(replicas);
        }
        if let Some(weight) = scale.weight {
            return CanarySize::Weight(weight);
        }
    }
    CanarySize::Weight(desired_weight(rollout, replicas, sizes))
}

/// Whether background analysis has not begun yet. Argo: `replicasetutil.BeforeStartingStep`.
pub fn before_starting_step(rollout: &Rollout, canary: &Canary) -> bool {
    let Some(starting) = canary.analysis.as_ref().and_then(|analysis| analysis.starting_step) else { return false };
    index(rollout).is_some_and(|index| index < starting)
}

/// The step as the event `RolloutStepCompleted` prints it. Argo: `replicasetutil.CanaryStepString`.
pub fn describe(step: &CanaryStep) -> String {
    if let Some(weight) = step.set_weight {
        return format!("setWeight: {weight}");
    }
    if let Some(pause) = &step.pause {
        return pause.duration.as_ref().map_or_else(|| "pause".to_owned(), |duration| format!("pause: {duration}"));
    }
    if step.experiment.is_some() {
        return "experiment".to_owned();
    }
    if step.analysis.is_some() {
        return "analysis".to_owned();
    }
    if let Some(scale) = &step.set_canary_scale {
        return describe_scale(scale);
    }
    if let Some(plugin) = &step.plugin {
        return format!("plugin: {}", plugin.name);
    }
    if let Some(route) = &step.set_header_route {
        return format!("setHeaderRoute: {}", route.name);
    }
    step.set_mirror_route
        .as_ref()
        .map_or_else(|| "invalid".to_owned(), |route| format!("setMirrorRoute: {}", route.name))
}

fn describe_scale(scale: &SetCanaryScale) -> String {
    match scale {
        SetCanaryScale { weight: Some(weight), .. } => format!("setCanaryScale{{weight: {weight}}}"),
        SetCanaryScale { match_traffic_weight: true, .. } => "setCanaryScale{matchTrafficWeight: true}".to_owned(),
        SetCanaryScale { replicas: Some(replicas), .. } => format!("setCanaryScale{{replicas: {replicas}}}"),
        _ => "invalid".to_owned(),
    }
}
