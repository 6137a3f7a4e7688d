//! Pods, selectors and weights as the status shows them.

use crate::api::rollout_status::{TrafficWeights, WeightDestination};
use crate::api::{LabelSelector, RolloutStatus, Written, names};
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::safety::capacity;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::restart;
use crate::rollout::workload;

/// Fills in what is observed.
pub fn fill(case: &Case<'_>, next: &mut RolloutStatus) {
    let all = || case.cast.all();
    next.replicas = all().map(|revision| revision.size.replicas).sum();
    next.updated_replicas = case.cast.new_size().replicas;
    next.ready_replicas = all().map(|revision| revision.ready).sum();
    next.available_replicas = all().map(|revision| revision.size.available).sum();
    next.hpa_replicas = next.replicas - spare(case);
    let selector = case.world.rollout.spec.selector.clone().unwrap_or_default();
    next.selector = selector.format();
    next.workload_observed_generation = workload::observed_generation(case.world);
    if case.world.rollout.spec.strategy.blue_green.is_some() {
        blue_green(case, &selector, next);
    }
    next.canary.weights = weights(case);
}

/// Pods that a restart has too many for a while: autoscalers do not see them (I21).
fn spare(case: &Case<'_>) -> i32 {
    let restarting = restart::pending(&case.world.rollout).is_some() && case.fully_promoted();
    let restarting = restarting && !crate::mutant!("surge-is-published");
    if restarting { (case.cast.new_size().replicas - case.world.replicas()).max(0) } else { 0 }
}

/// A blue-green shows the revision that users reach.
fn blue_green(case: &Case<'_>, selector: &LabelSelector, next: &mut RolloutStatus) {
    let Some(strategy) = &case.world.rollout.spec.strategy.blue_green else { return };
    let selected = |service: &str| capacity::selected(case.world, service).unwrap_or_default().to_owned();
    next.blue_green.active_selector = selected(&strategy.active_service);
    next.blue_green.preview_selector = selected(&strategy.preview_service);
    let Some(active) = capacity::target(case.world, case.cast, &strategy.active_service) else { return };
    let Revision { size, ready, .. } = active;
    next.ready_replicas = *ready;
    next.available_replicas = size.available;
    next.hpa_replicas = size.replicas - spare(case);
    let mut with_hash = selector.clone();
    with_hash.match_labels.insert(names::POD_HASH.to_owned(), active.hash().to_owned());
    next.selector = with_hash.format();
}

/// Weights as they were read back from the routes (I16), and whether they are in force (I17).
fn weights(case: &Case<'_>) -> Option<TrafficWeights> {
    let canary = case.world.rollout.spec.strategy.canary.as_ref()?;
    if !case.routes.configured {
        return None;
    }
    let weight = case.routes.states.iter().map(|state| state.reading.canary_share(case.routes.max)).max()?;
    let hash = |service: &str| capacity::selected(case.world, service).unwrap_or_default().to_owned();
    let sides = Sides::of(&case.world.rollout);
    // The name is that of the specification, which is empty where ping and pong stand for both. Argo: the same.
    let destination = |weight: i32, service: &str, side: &str| WeightDestination {
        weight: Written(weight),
        service_name: service.to_owned(),
        pod_template_hash: hash(side),
    };
    let agree = case.routes.written(weight);
    Some(TrafficWeights {
        canary: destination(weight, &canary.canary_service, sides.canary),
        stable: destination(case.routes.max - weight, &canary.stable_service, sides.stable),
        additional: Vec::new(),
        verified: if agree { case.routes.verified() } else { Some(false) },
    })
}
