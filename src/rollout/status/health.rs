//! Whether an update progresses, and whether a Rollout is healthy. Source: contract, api-rollout §4.

use crate::api::{Rollout, RolloutStatus};

/// Whether everything that was asked for is there. Argo: `conditions.RolloutHealthy`.
///
/// `observed` is the generation that the *persisted* status is about, `replicas` the wanted pods.
pub fn healthy(rollout: &Rollout, status: &RolloutStatus, observed: &str, replicas: i32) -> bool {
    let complete = status.updated_replicas == replicas && status.available_replicas == replicas;
    if !complete || observed != rollout.metadata.generation.to_string() {
        return false;
    }
    if let Some(strategy) = &rollout.spec.strategy.blue_green {
        let preview =
            strategy.preview_service.is_empty() || status.blue_green.preview_selector == status.current_pod_hash;
        return preview && status.blue_green.active_selector == status.current_pod_hash;
    }
    let steps = crate::rollout::strategy::steps::len(rollout);
    let done = steps == 0 || status.current_step_index.is_none_or(|index| index == steps);
    done && super::phase::promoted(status) && status.replicas == replicas
}

/// Whether the update is complete: the current revision is the stable one.
pub fn completed(status: &RolloutStatus) -> bool {
    super::phase::promoted(status)
}

/// Whether anything moved since the last status. Argo: `conditions.RolloutProgressing`.
pub fn progressing(rollout: &Rollout, old: &RolloutStatus, new: &RolloutStatus) -> bool {
    let counts = new.updated_replicas != old.updated_replicas
        || new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        || new.ready_replicas > old.ready_replicas
        || new.available_replicas > old.available_replicas;
    counts || structural(rollout, old, new)
}

/// Whether the update itself moved: the part of progress that a crash loop cannot imitate.
pub fn structural(rollout: &Rollout, old: &RolloutStatus, new: &RolloutStatus) -> bool {
    if rollout.spec.strategy.blue_green.is_some() {
        return new.blue_green.active_selector != old.blue_green.active_selector
            || new.blue_green.preview_selector != old.blue_green.preview_selector;
    }
    let index = matches!((old.current_step_index, new.current_step_index), (Some(a), Some(b)) if a != b);
    index || new.stable_rs != old.stable_rs || new.current_step_hash != old.current_step_hash
}
