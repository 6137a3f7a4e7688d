//! What a Rollout leaves behind: Services that it has switched, a Deployment that it has drained. No finalizer holds its
//! deletion up; the objects themselves say whose they were (docs/decisions/0014).

use serde_json::json;

use super::workload::DEPLOYMENT;
use crate::api::rollout_status::ObservedGeneration;
use crate::api::{Rollout, Service, Workload, names};
use crate::plan::{Effect, Event, ObjectRef, Phase, Precondition, Verb};

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

/// The Rollout that has drained a Deployment, by the annotation that it left; `None` where nobody has, and where the
/// Deployment is on its way out.
pub fn drained_by(deployment: &Workload) -> Option<&str> {
    let stays = deployment.metadata.deletion_timestamp.is_none();
    deployment.metadata.annotation(names::DRAINED_BY).filter(|_| stays)
}

/// Whether a Rollout scales the Deployment that its template comes from.
pub fn drains(rollout: &Rollout) -> bool {
    let reference = rollout.spec.workload_ref.as_ref();
    reference.is_some_and(|reference| matches!(reference.scale_down.as_str(), "onsuccess" | "progressively"))
}

/// Gives a Deployment its pods back: the Rollout whose pods replaced them is gone, and its pods go with it. As many as
/// that Rollout wanted last; where nobody knows, as many as the Deployment had. It never shrinks.
pub fn restore(deployment: &Workload, wanted: Option<i32>) -> Effect {
    let from = deployment.wanted();
    let noted = deployment.metadata.annotation(names::DRAINED_FROM).and_then(|text| text.parse().ok());
    let to = wanted.or(noted).unwrap_or(from).max(from);
    let object = ObjectRef::from_meta(DEPLOYMENT, &deployment.metadata);
    let rollout = drained_by(deployment).unwrap_or_default();
    let reason = format!("the Rollout {rollout} that had drained it is deleted");
    let event = Event::normal("ScalingWorkload", format!("Scaled up {object} from {from} to {to}: {reason}"));
    Effect {
        phase: Phase::ScaleUp,
        verb: Verb::Merge(json!({
            "metadata": {"annotations": {names::DRAINED_BY: null, names::DRAINED_FROM: null}},
            "spec": {"replicas": to},
        })),
        precondition: Precondition::of(&deployment.metadata),
        rests_on: Vec::new(),
        reason,
        events: vec![event],
        object,
    }
}

/// Takes the note off a Deployment that no Rollout drains any more although the one that did goes on: the template has
/// moved, or the size is the user's again. A later deletion of that Rollout must not start it.
pub fn forget(deployment: &Workload) -> Effect {
    Effect {
        phase: Phase::Upkeep,
        object: ObjectRef::from_meta(DEPLOYMENT, &deployment.metadata),
        verb: Verb::Merge(json!({"metadata": {"annotations": {names::DRAINED_BY: null}}})),
        precondition: Precondition::of(&deployment.metadata),
        rests_on: Vec::new(),
        reason: "no Rollout drains this Deployment any more".to_owned(),
        events: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_gets_back_what_was_wanted_last_or_what_it_had() {
        let deployment = |size: i32| -> Workload {
            serde_json::from_value(json!({
                "metadata": {"name": "shop", "annotations": {names::DRAINED_BY: "web", names::DRAINED_FROM: "10"}},
                "spec": {"replicas": size},
            }))
            .unwrap()
        };
        for (size, wanted, expected) in
            [(0, None, 10), (0, Some(30), 30), (4, Some(3), 4), (0, Some(0), 0), (12, None, 12)]
        {
            let effect = restore(&deployment(size), wanted);
            let Verb::Merge(patch) = effect.verb else { panic!("not a merge patch") };
            assert_eq!(patch.pointer("/spec/replicas"), Some(&json!(expected)), "{size} {wanted:?}");
        }
        assert_eq!(drained_by(&deployment(0)), Some("web"));
        let leaving = json!({"metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z", "annotations": {names::DRAINED_BY: "web"}}});
        assert_eq!(drained_by(&serde_json::from_value(leaving).unwrap()), None);
    }

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
