//! Restarts: every pod is replaced, and no user notices (I25 is judged at each eviction).

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::api::Time;
use crate::sim::checker::facts::wanted;
use crate::sim::models::Disruption;
use crate::sim::object;

fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 3}}, {"setWeight": 60}, {"pause": {"duration": 3}}]);
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "scaleDownDelaySeconds": 2,
        }}),
        json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionSeconds": 5, "scaleDownDelaySeconds": 5}}),
    ]
}

/// Instants of an update, in half seconds: all of them only with `SISKIN_CASES`.
fn instants() -> impl Iterator<Item = u64> {
    (3..26).step_by(if std::env::var("SISKIN_CASES").is_ok() { 1 } else { 8 })
}

fn healthy(strategy: &Value, replicas: i32) -> Rig {
    let mut spec = spec(strategy);
    spec["replicas"] = json!(replicas);
    let mut rig = Rig::new(&spec);
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig
}

/// Asks for a restart of all that is there now.
fn restart(rig: &Rig) -> Time {
    let at = rig.core.now().truncated();
    // A fraction of a second is nothing that the status could repeat.
    let text = at.to_string().replace('Z', ".25Z");
    rig.edit(&json!({"spec": {"restartAt": text}}));
    at
}

fn created(rig: &Rig) -> Vec<Time> {
    let pods = rig.core.user().list("Pod", KEY.0);
    pods.iter().map(|pod| object::time(pod, "/metadata/creationTimestamp").unwrap()).collect()
}

#[test]
fn every_pod_is_replaced() {
    for strategy in strategies() {
        for replicas in [1, 2, 5] {
            let mut rig = healthy(&strategy, replicas);
            let at = restart(&rig);
            rig.run_until(rig.core.now() + Duration::from_millis(300)).unwrap();
            assert_eq!(rig.shown(), "Progressing rollout is restarting");
            rig.rest().unwrap();
            let status = rig.rollout().unwrap().status;
            assert_eq!((rig.shown().as_str(), status.restarted_at), ("Healthy", Some(at)), "{strategy} × {replicas}");
            let created = created(&rig);
            assert_eq!(created.len(), usize::try_from(replicas).unwrap());
            assert!(created.iter().all(|time| *time >= at), "{strategy} × {replicas}");
            assert_eq!(rig.core.user().list("ReplicaSet", KEY.0).len(), 1, "no new revision");
        }
    }
}

#[test]
fn the_only_pod_gets_company_first() {
    for strategy in strategies() {
        let mut rig = healthy(&strategy, 1);
        restart(&rig);
        let mut sizes = vec![1];
        for _ in 0..400 {
            rig.run_until(rig.core.now() + Duration::from_millis(25)).unwrap();
            let size = wanted(&rig.core.user().list("ReplicaSet", KEY.0)[0]);
            if sizes.last() != Some(&size) {
                sizes.push(size);
            }
            let status = rig.rollout().unwrap().status;
            assert!(status.available_replicas >= 1, "{}", rig.story("nobody answers"));
            assert!(status.hpa_replicas <= 1, "autoscalers do not see the second pod");
        }
        assert_eq!(sizes, [1, 2, 1], "{strategy}");
        rig.rest().unwrap();
    }
}

#[test]
fn at_every_instant_of_an_update() {
    for strategy in strategies() {
        for half_seconds in instants() {
            let mut rig = healthy(&strategy, 5);
            rig.update("shop:2");
            let at = rig.core.now() + Duration::from_millis(half_seconds * 500 + 70);
            rig.run_until(at).unwrap();
            rig.run_until(rig.core.now() + Duration::from_secs(1)).unwrap();
            let at = restart(&rig);
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {half_seconds}");
            assert!(created(&rig).iter().all(|time| *time >= at), "{strategy} at {half_seconds}");
        }
    }
}

#[test]
fn a_disruption_budget_is_respected() {
    for strategy in strategies() {
        let mut rig = healthy(&strategy, 5);
        let before = created(&rig);
        let budget = json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "shop", "namespace": KEY.0},
            "spec": {"minAvailable": "100%", "selector": {"matchLabels": {"app": "shop"}}},
        });
        let controller = Disruption::new(&rig.core.cluster.server, Duration::ZERO);
        rig.core.cluster.add(controller);
        rig.core.user().create("PodDisruptionBudget", budget).unwrap();
        let at = restart(&rig);
        rig.run(200).unwrap();
        assert_eq!(created(&rig), before);
        assert_eq!(rig.shown(), "Progressing rollout is restarting");
        let blocker = rig.core.plan.blockers.iter().find(|blocker| blocker.code == "EvictionRefused").unwrap();
        assert!(blocker.message.contains("disruption budget"), "{blocker:?}");
        rig.core.user().delete("PodDisruptionBudget", KEY.0, "shop").unwrap();
        rig.rest().unwrap();
        assert_eq!(rig.rollout().unwrap().status.restarted_at, Some(at));
    }
}

#[test]
fn slow_pods_are_no_failed_update() {
    let mut slow = spec(&json!({"blueGreen": {"activeService": "shop-active"}}));
    slow["template"] = super::rig::template("shop:1", "", "30");
    slow["progressDeadlineSeconds"] = json!(60);
    let mut rig = Rig::new(&slow);
    rig.run(60).unwrap();
    restart(&rig);
    // One pod after the other, each slow: longer than the deadline, and the last is still on its way when all are new.
    for _ in 0..14 {
        rig.run(10).unwrap();
        assert!(rig.shown().starts_with("Progressing "), "{}", rig.shown());
    }
    rig.rest().unwrap();
    assert_eq!(rig.shown(), "Healthy");
}

#[test]
fn it_waits_for_its_time_and_for_pods_that_come() {
    let mut rig = healthy(&strategies()[2], 5);
    let before = created(&rig);
    let at = (rig.core.now() + Duration::from_secs(100)).truncated();
    rig.edit(&json!({"spec": {"restartAt": at}}));
    rig.run(90).unwrap();
    assert_eq!(created(&rig), before);
    // Two pods that are not ready: one of five may be missing, so none of the others goes.
    for pod in rig.core.user().list("Pod", KEY.0).iter().take(2) {
        let key = (KEY.0, object::name(pod));
        let never = json!({"metadata": {"annotations": {crate::sim::models::kubelet::BEHAVIOUR: "never-ready"}}});
        rig.core.user().merge("Pod", key, &never).unwrap();
    }
    rig.rest().unwrap();
    assert!(created(&rig).iter().all(|time| *time >= at));
    assert_eq!(rig.shown(), "Healthy");
}
