//! Worlds as Argo Rollouts leaves them at rest: the first look writes nothing (I18).

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use crate::api::names;
use crate::rollout::revision::hash::{pod_template_hash, steps_hash};
use crate::sim::checker::facts::HASH;
use crate::sim::object;

/// One revision that Argo left: its image, number and size.
type Left = (&'static str, u32, i32);

fn pod_hash(image: &str) -> String {
    pod_template_hash(&template(image, "", "0.5"), None)
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let time = "2026-11-20T08:00:00Z";
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastUpdateTime": time, "lastTransitionTime": time})
}

/// The conditions of a Rollout that is at rest and not promoted, or promoted.
fn conditions(progressing: &Value, available: &str, promoted: &str) -> Vec<Value> {
    let text = if available == "True" {
        "Rollout has minimum availability"
    } else {
        "Rollout does not have minimum availability"
    };
    let healthy = if promoted == "True" { "Rollout is healthy" } else { "Rollout is not healthy" };
    vec![
        condition("Available", available, "AvailableReason", text),
        condition("Completed", promoted, "RolloutCompleted", "RolloutCompleted"),
        condition("Healthy", promoted, "RolloutHealthy", healthy),
        progressing.clone(),
    ]
}

fn replica_set(rollout: &Value, (image, number, replicas): Left) -> Value {
    let hash = pod_hash(image);
    let mut template = template(image, "", "0.5");
    template["metadata"]["labels"][HASH] = json!(hash);
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("shop-{hash}"), "namespace": KEY.0, "labels": {"app": "shop", HASH: hash},
            "annotations": {names::REVISION: number.to_string(), names::DESIRED_REPLICAS: "2"},
            "ownerReferences": [{"apiVersion": names::API_VERSION, "kind": "Rollout", "name": "shop", "uid": object::uid(rollout), "controller": true, "blockOwnerDeletion": true}],
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop", HASH: hash}}, "template": template},
    })
}

/// A cluster that Argo has left at rest; the last revision is the current one.
fn left(strategy: &Value, sets: &[Left], status: &Value) -> Rig {
    let mut rig = Rig::bare(3, Some(()));
    let (image, number, _) = sets[sets.len() - 1];
    let mut spec = spec(strategy);
    spec["replicas"] = json!(2);
    spec["template"] = template(image, "", "0.5");
    rig.create(&spec);
    let user = rig.core.user();
    let rollout = user.get("Rollout", KEY.0, KEY.1).unwrap();
    rig.edit(&json!({"metadata": {"annotations": {names::REVISION: number.to_string()}}}));
    for set in sets {
        user.create("ReplicaSet", replica_set(&rollout, *set)).unwrap();
        rig.core.clock.advance(Duration::from_secs(1));
    }
    let mut status = status.clone();
    status["observedGeneration"] = json!("1");
    status["currentPodHash"] = json!(pod_hash(image));
    if strategy.get("canary").is_some() {
        status["currentStepHash"] = json!(steps_hash(strategy));
    }
    rig.command(&status);
    let clock = rig.core.clock.clone();
    rig.core.cluster.run(&clock, (Duration::from_secs(5), Duration::from_millis(50)));
    rig
}

fn select(rig: &mut Rig, service: &str, image: &str) {
    let patch = json!({"metadata": {"annotations": {names::MANAGED_BY: "shop"}}, "spec": {"selector": {HASH: pod_hash(image)}}});
    rig.core.user().merge("Service", (KEY.0, service), &patch).unwrap();
    let clock = rig.core.clock.clone();
    rig.core.cluster.run(&clock, (Duration::from_secs(5), Duration::from_millis(50)));
}

fn assert_untouched(rig: &mut Rig) {
    let before = rig.core.cluster.server.version();
    rig.core.look();
    assert!(rig.core.plan.is_empty(), "{:#?}", rig.core.plan);
    rig.core.restart();
    rig.core.clock.advance(Duration::from_hours(1));
    rig.core.look();
    assert!(rig.core.plan.is_empty(), "an hour later: {:#?}", rig.core.plan);
    assert_eq!(rig.core.cluster.server.version(), before);
}

fn counts(all: i32, updated: i32, shown: i32) -> Value {
    json!({"replicas": all, "updatedReplicas": updated, "readyReplicas": shown, "availableReplicas": shown, "HPAReplicas": shown, "selector": "app=shop"})
}

fn merged(mut status: Value, more: &Value) -> Value {
    json_patch::merge(&mut status, more);
    status
}

fn steps() -> Value {
    json!({"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}})
}

#[test]
fn a_healthy_canary_with_a_history() {
    let progressed =
        condition("Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed.");
    let more = json!({"currentStepIndex": 2, "phase": "Healthy", "stableRS": pod_hash("shop:4"), "conditions": conditions(&progressed, "True", "True")});
    let sets = [("shop:1", 1, 0), ("shop:2", 2, 0), ("shop:3", 3, 0), ("shop:4", 4, 2)];
    assert_untouched(&mut left(&steps(), &sets, &merged(counts(2, 2, 2), &more)));
}

#[test]
fn a_healthy_canary_over_a_route() {
    let progressed =
        condition("Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed.");
    let strategy = json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "steps": [{"setWeight": 50}, {"pause": {}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }});
    let destination = |weight: i32, service: &str| json!({"weight": weight, "serviceName": service, "podTemplateHash": pod_hash("shop:2")});
    let weights =
        json!({"canary": destination(0, "shop-canary"), "stable": destination(100, "shop-stable"), "verified": true});
    let more = json!({
        "currentStepIndex": 2, "phase": "Healthy", "stableRS": pod_hash("shop:2"),
        "conditions": conditions(&progressed, "True", "True"), "canary": {"weights": weights},
    });
    let mut rig = left(&strategy, &[("shop:1", 1, 0), ("shop:2", 2, 2)], &merged(counts(2, 2, 2), &more));
    let backends =
        json!([{"name": "shop-stable", "port": 80, "weight": 100}, {"name": "shop-canary", "port": 80, "weight": 0}]);
    rig.core
        .user()
        .merge("HTTPRoute", (KEY.0, "shop"), &json!({"spec": {"rules": [{"backendRefs": backends}]}}))
        .unwrap();
    select(&mut rig, "shop-stable", "shop:2");
    select(&mut rig, "shop-canary", "shop:2");
    assert_untouched(&mut rig);
}

#[test]
fn an_aborted_canary() {
    let aborted = condition("Progressing", "False", "RolloutAborted", "Rollout aborted update to revision 2");
    let more = json!({
        "currentStepIndex": 0, "phase": "Degraded", "message": "RolloutAborted: Rollout aborted update to revision 2", "abort": true,
        "abortedAt": "2026-11-20T08:00:00Z", "stableRS": pod_hash("shop:1"), "conditions": conditions(&aborted, "True", "False"),
    });
    assert_untouched(&mut left(&steps(), &[("shop:1", 1, 2), ("shop:2", 2, 0)], &merged(counts(2, 0, 2), &more)));
}

#[test]
fn a_canary_paused_at_a_step() {
    let paused = condition("Progressing", "Unknown", "RolloutPaused", "Rollout is paused");
    let mut list = conditions(&paused, "True", "False");
    list.push(condition("Paused", "True", "RolloutPaused", "Rollout is paused"));
    let more = json!({
        "currentStepIndex": 1, "phase": "Paused", "message": "CanaryPauseStep", "controllerPause": true,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-20T08:00:00Z"}],
        "stableRS": pod_hash("shop:1"), "conditions": list,
    });
    assert_untouched(&mut left(&steps(), &[("shop:1", 1, 1), ("shop:2", 2, 1)], &merged(counts(2, 1, 2), &more)));
}

#[test]
fn a_blue_green_before_its_promotion() {
    let paused = condition("Progressing", "Unknown", "RolloutPaused", "Rollout is paused");
    let mut list = conditions(&paused, "True", "False");
    list.push(condition("Paused", "True", "RolloutPaused", "Rollout is paused"));
    let more = json!({
        "phase": "Paused", "message": "BlueGreenPause", "controllerPause": true,
        "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-11-20T08:00:00Z"}],
        "stableRS": pod_hash("shop:1"), "conditions": list, "selector": format!("app=shop,{HASH}={}", pod_hash("shop:1")),
        "blueGreen": {"activeSelector": pod_hash("shop:1"), "previewSelector": pod_hash("shop:2")},
    });
    let strategy = json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false}});
    let mut rig = left(&strategy, &[("shop:1", 1, 2), ("shop:2", 2, 2)], &merged(counts(4, 2, 2), &more));
    select(&mut rig, "shop-active", "shop:1");
    select(&mut rig, "shop-preview", "shop:2");
    assert_untouched(&mut rig);
}
