//! Defects that generated worlds have shown, each as the smallest script that shows it.

use serde_json::{Value, json};

use std::sync::Arc;
use std::time::Duration;

use super::rig::{KEY, Rig, spec};
use crate::api::Time;
use crate::api::names::SCALE_DOWN_DEADLINE;
use crate::controller::observe::observe;
use crate::rollout::{Settings, World, decide};
use crate::sim::bare::view::View;
use crate::sim::checker::facts::{hash, wanted};
use crate::sim::object;

fn routed(more: &Value) -> Value {
    let mut canary = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    });
    json_patch::merge(&mut canary, more);
    spec(&json!({"canary": canary}))
}

fn healthy(spec: &Value) -> Rig {
    let mut rig = Rig::new(spec);
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig
}

fn size(rig: &Rig, wanted_hash: &str) -> i64 {
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    sets.iter().find(|rs| hash(rs) == wanted_hash).map_or(0, |rs| wanted(rs))
}

#[test]
fn scaling_to_zero_scales_to_zero() {
    let blue_green = spec(&json!({"blueGreen": {"activeService": "shop-active"}}));
    for spec in [routed(&json!({})), blue_green] {
        let mut rig = healthy(&spec);
        rig.edit(&json!({"spec": {"replicas": 0}}));
        rig.run(20).unwrap();
        assert!(rig.core.user().list("Pod", KEY.0).is_empty());
        assert_eq!(rig.shown(), "Healthy");
        rig.rest().unwrap();
    }
}

#[test]
fn an_update_without_pods_comes_to_its_end() {
    let mut without = routed(&json!({"steps": [{"setWeight": 20}, {"setWeight": 60}]}));
    without["replicas"] = json!(0);
    let mut rig = healthy(&without);
    rig.update("shop:2");
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.rest().unwrap();
}

#[test]
fn a_deadline_is_gone_once_the_revision_is_wanted_again() {
    let more = json!({"scaleDownDelaySeconds": 300, "abortScaleDownDelaySeconds": 40, "steps": [{"setWeight": 20}, {"pause": {}}]});
    let mut rig = healthy(&routed(&more));
    rig.update("shop:2");
    rig.run(30).unwrap();
    for _ in 0..3 {
        rig.command(&json!({"abort": true}));
        rig.run(30).unwrap();
        let canary = rig.rollout().unwrap().status.current_pod_hash;
        assert!(size(&rig, &canary) > 0, "pods of an aborted update stay for its delay");
        rig.run(30).unwrap();
        assert_eq!(size(&rig, &canary), 0, "{}", rig.story("delay is over"));
        rig.command(&json!({"abort": false}));
        rig.run(30).unwrap();
        assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    }
}

#[test]
fn a_blue_green_goes_back_and_forth_with_its_full_delay() {
    let mut rig = healthy(&spec(&json!({"blueGreen": {"activeService": "shop-active", "scaleDownDelaySeconds": 60}})));
    for (round, image) in ["shop:2", "shop:1", "shop:2", "shop:1"].into_iter().enumerate() {
        let left = rig.rollout().unwrap().status.stable_rs;
        rig.update(image);
        rig.run(50).unwrap();
        assert_eq!(size(&rig, &left), 5, "round {round}: the revision that was left waits for its delay");
    }
    rig.rest().unwrap();
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let stable = rig.rollout().unwrap().status.stable_rs;
    let kept = sets.iter().find(|rs| hash(rs) == stable).and_then(|rs| object::annotation(rs, SCALE_DOWN_DEADLINE));
    assert_eq!(kept, None);
}

#[test]
fn the_former_stable_keeps_its_delay_when_the_next_update_comes_early() {
    let mut rig = healthy(&routed(&json!({"scaleDownDelaySeconds": 40})));
    let former = rig.rollout().unwrap().status.stable_rs;
    rig.update("shop:2");
    for _ in 0..1000 {
        rig.run_until(rig.core.now() + Duration::from_millis(10)).unwrap();
        if rig.rollout().unwrap().status.stable_rs != former {
            break;
        }
    }
    rig.update("shop:3");
    rig.run(35).unwrap();
    assert_eq!(size(&rig, &former), 5);
    rig.rest().unwrap();
}

#[test]
fn a_weight_is_judged_by_the_pods_that_will_answer() {
    // The last step asks for no weight, so the canary Service moves only when the weight would go to 100.
    let mut rig = healthy(&routed(&json!({"steps": [{"setWeight": 0}]})));
    rig.pace = Duration::ZERO;
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.rest().unwrap();
}

#[test]
fn a_first_deploy_that_never_comes_is_degraded_at_its_deadline() {
    let mut bad = spec(&json!({"canary": {}}));
    bad["progressDeadlineSeconds"] = json!(60);
    bad["template"] = super::rig::template("shop:1", "crash-loop", "0.5");
    let mut rig = Rig::new(&bad);
    rig.run(70).unwrap();
    assert!(rig.shown().starts_with("Degraded ProgressDeadlineExceeded"), "{}", rig.shown());
}

#[test]
fn an_aborted_canary_service_stays_on_the_stable_revision() {
    let mut rig =
        healthy(&routed(&json!({"steps": [{"setWeight": 20}, {"pause": {}}], "abortScaleDownDelaySeconds": 30})));
    rig.update("shop:2");
    rig.run(20).unwrap();
    rig.command(&json!({"abort": true}));
    rig.edit(&json!({"spec": {"replicas": 0}}));
    rig.run(60).unwrap();
    rig.rest().unwrap();
}

fn route_writes(world: &World, now: Time) -> usize {
    let plan = decide(world, now).plan;
    plan.effects.iter().filter(|effect| effect.object.resource.kind == "HTTPRoute").count()
}

/// Slices that the watch has not shown yet counted as nothing to wait for: a weight went to a Service without endpoints.
#[test]
fn no_weight_is_raised_while_endpoints_are_out_of_sight() {
    let mut rig = healthy(&routed(&json!({"steps": [{"setWeight": 50}, {"pause": {}}]})));
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!(rig.weight(), 50);
    // Somebody resets the weight, and Siskin is about to raise it again.
    let reset = json!([{"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 0}]);
    rig.core.user().json("HTTPRoute", (KEY.0, "shop"), &reset).unwrap();
    let mut world = observe(&View::new(&rig.core.cluster.server), KEY, &Arc::new(Settings::default())).unwrap();
    assert_eq!(route_writes(&world, rig.core.now()), 1);
    world.endpoints.clear();
    assert_eq!(route_writes(&world, rig.core.now()), 0);
}
