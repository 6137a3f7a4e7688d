//! Pods, selectors and weights as the status shows them.

use crate::api::rollout_status::{TrafficWeights, WeightDestination};
use crate::api::{LabelSelector, RolloutStatus, Written, names};
use crate::rollout::case::Case;
use crate::rollout::cast::Revision;
use crate::rollout::safety::capacity;
use crate::rollout::sides::Sides;
use crate::rollout::workload;

/// Fills in what is observed.
pub fn fill(case: &Case<'_>, next: &mut RolloutStatus) {
    let all = || case.cast.all();
    next.replicas = all().map(|revision| revision.size.replicas).sum();
    next.updated_replicas = case.cast.new_size().replicas;
    next.ready_replicas = all().map(|revision| revision.ready).sum();
    next.available_replicas = all().map(|revision| revision.size.available).sum();
    next.hpa_replicas = published(case, next, next.replicas);
    let selector = case.world.rollout.spec.selector.clone().unwrap_or_default();
    next.selector = selector.format();
    next.workload_observed_generation = workload::observed_generation(case.world);
    if case.world.rollout.spec.strategy.blue_green.is_some() {
        blue_green(case, &selector, next);
    }
    next.canary.weights = weights(case);
}

/// Of so many pods those that autoscalers read: none that we have beyond what is wanted, for a while, of a canary's, an
/// update's or a restart's (I21). An autoscaler that is content with what there is asks for just as many: it would take
/// the surge for the size, and the next surge would come on top.
///
/// What another controller has published stays until the number of pods changes: a takeover alone is no reason to write.
fn published(case: &Case<'_>, next: &RolloutStatus, pods: i32) -> i32 {
    let (status, wanted) = (case.status(), case.world.replicas());
    let taken_over = status.hpa_replicas == pods && status.replicas == next.replicas;
    if taken_over || crate::mutant!("surge-is-published") { pods } else { pods.min(wanted) }
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
    next.hpa_replicas = published(case, next, size.replicas);
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
