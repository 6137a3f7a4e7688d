//! Whole releases on the bare core.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Core;
use crate::api::{Rollout, Time};
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings};

const STEP: Duration = Duration::from_millis(200);

fn template(image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "shop", "image": image}]},
    })
}

fn rollout(strategy: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "replicas": 5,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template("shop:1"),
            "strategy": strategy,
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    })
}

fn core(strategy: &Value) -> Core {
    let clock = ManualClock::at("2026-11-21T12:00:00Z".parse::<Time>().unwrap());
    let cluster = Cluster::new(clock.now(), Settings::default());
    let core = Core::new(cluster, clock, ("default", "shop"));
    let user = core.user();
    for name in ["shop-stable", "shop-canary", "shop-active", "shop-preview"] {
        user.create("Service", service(name)).unwrap();
    }
    user.create("GatewayClass", json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "sim"}, "spec": {"controllerName": "siskin.dev/sim"}})).unwrap();
    user.create("Gateway", json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "web", "namespace": "default"}, "spec": {"gatewayClassName": "sim", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}})).unwrap();
    user.create("HTTPRoute", json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "shop", "namespace": "default"}, "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": [{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]}]}})).unwrap();
    user.create("Rollout", rollout(strategy)).unwrap();
    core
}

fn run(core: &mut Core, seconds: u64) {
    core.run(Duration::from_secs(seconds), STEP).unwrap();
}

fn update(core: &Core, image: &str) {
    core.user().merge("Rollout", ("default", "shop"), &json!({"spec": {"template": template(image)}})).unwrap();
}

fn shown(core: &Core) -> String {
    let rollout: Rollout = core.rollout().unwrap();
    format!("{} {}", rollout.status.phase, rollout.status.message).trim().to_owned()
}

fn reasons(core: &Core) -> Vec<&str> {
    core.events.iter().map(|event| event.reason.as_str()).collect()
}

fn user_status(core: &Core, patch: &Value) {
    core.user().merge_status("Rollout", ("default", "shop"), &json!({"status": patch})).unwrap();
}

fn weight(core: &Core) -> i64 {
    let route = core.user().get("HTTPRoute", "default", "shop").unwrap();
    route.pointer("/spec/rules/0/backendRefs/1/weight").and_then(Value::as_i64).unwrap_or(-1)
}

#[test]
fn the_event_sequence_of_a_canary() {
    let mut core = core(&json!({"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}}));
    core.user().merge("Rollout", ("default", "shop"), &json!({"spec": {"replicas": 1}})).unwrap();
    run(&mut core, 5);
    assert_eq!(shown(&core), "Healthy");
    update(&core, "shop:2");
    run(&mut core, 5);
    assert_eq!(shown(&core), "Paused CanaryPauseStep");
    user_status(&core, &json!({"abort": true}));
    run(&mut core, 5);
    assert!(
        shown(&core).starts_with("Degraded RolloutAborted: Rollout aborted update to revision 2"),
        "{}",
        shown(&core)
    );
    user_status(&core, &json!({"abort": false}));
    run(&mut core, 5);
    assert_eq!(shown(&core), "Paused CanaryPauseStep");
    user_status(&core, &json!({"pauseConditions": null}));
    run(&mut core, 5);
    assert_eq!(shown(&core), "Healthy");
    let expected = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "ScalingReplicaSet",
        "RolloutAborted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ];
    assert_eq!(reasons(&core), expected);
}

#[test]
fn the_event_sequence_of_a_blue_green() {
    let mut core = core(&json!({"blueGreen": {"activeService": "shop-active"}}));
    run(&mut core, 5);
    assert_eq!(shown(&core), "Healthy");
    update(&core, "shop:2");
    run(&mut core, 5);
    assert_eq!(shown(&core), "Healthy");
    let expected = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "SwitchService",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "SwitchService",
        "RolloutCompleted",
    ];
    assert_eq!(reasons(&core), expected);
}

#[test]
fn a_canary_over_a_route() {
    let routing = json!({"gatewayAPI": {"httpRoute": "shop"}});
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 5}}, {"setWeight": 60}, {"pause": {}}]);
    let mut core = core(
        &json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": routing, "steps": steps, "scaleDownDelaySeconds": 3}}),
    );
    run(&mut core, 15);
    assert_eq!(shown(&core), "Healthy", "{:#?}", core.plan);
    update(&core, "shop:2");
    run(&mut core, 4);
    assert_eq!((shown(&core).as_str(), weight(&core)), ("Paused CanaryPauseStep", 20), "{:#?}", core.plan);
    run(&mut core, 8);
    assert_eq!((shown(&core).as_str(), weight(&core)), ("Paused CanaryPauseStep", 60), "{:#?}", core.plan);
    user_status(&core, &json!({"pauseConditions": null}));
    run(&mut core, 40);
    assert_eq!((shown(&core).as_str(), weight(&core)), ("Healthy", 0), "{:#?}", core.plan);
    let live: Vec<String> = core
        .user()
        .list("Pod", "default")
        .iter()
        .map(|pod| pod["spec"]["containers"][0]["image"].to_string())
        .collect();
    assert_eq!(live, vec!["\"shop:2\""; 5]);
}
