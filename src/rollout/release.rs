//! Services that a Rollout has switched, and that no Rollout names any more.

use serde_json::json;

use crate::api::rollout_status::ObservedGeneration;
use crate::api::{Rollout, Service, names};
use crate::plan::{Effect, ObjectRef, Phase, Precondition, Verb};

/// The Rollout that has switched the Service, by the annotation that it left; `None` where the selector names no
/// revision: then there is nothing to take back.
pub fn manager(service: &Service) -> Option<&str> {
    service.spec.selector.get(names::POD_HASH)?;
    service.metadata.annotation(names::MANAGED_BY)
}

/// Whether a Rollout rests on what it specifies now. Before, what it no longer names may still carry its traffic: a
/// specification that is invalid, or is not carried out yet, is not what routes and pods follow.
pub fn rests(rollout: &Rollout) -> bool {
    let observed = ObservedGeneration::of(rollout.metadata.generation);
    rollout.status.observed_generation == observed && rollout.status.phase == "Healthy"
}

/// Gives the Service back to its base selector: the revision that it names goes with its Rollout, and whatever comes
/// after, a Deployment perhaps, would never be reached. Source: contract, behaviour §8.4.
pub fn give_back(service: &Service) -> Effect {
    Effect {
        phase: Phase::Route,
        object: ObjectRef::to(service),
        verb: Verb::Merge(json!({
            "metadata": {"annotations": {names::MANAGED_BY: null}},
            "spec": {"selector": {names::POD_HASH: null}},
        })),
        precondition: Precondition::of(&service.metadata),
        rests_on: Vec::new(),
        reason: "no Rollout names this Service any more".to_owned(),
        events: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_switched_service_has_a_manager() {
        let service = |selector: &str, annotation: &str| -> Service {
            serde_json::from_value(json!({
                "metadata": {"name": "shop", "annotations": {annotation: "web"}}, "spec": {"selector": {selector: "abc"}},
            }))
            .unwrap()
        };
        assert_eq!(manager(&service(names::POD_HASH, names::MANAGED_BY)), Some("web"));
        assert_eq!(manager(&service(names::POD_HASH, "owner")), None);
        assert_eq!(manager(&service("app", names::MANAGED_BY)), None);
    }
}
