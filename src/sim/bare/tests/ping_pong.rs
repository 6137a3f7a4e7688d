//! Two Services that change roles at each promotion.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::sim::checker::facts::{HASH, hash, wanted};
use crate::sim::object;

/// Instants of an update, in half seconds.
const INSTANTS: u64 = 30;
/// Without `SISKIN_CASES` only every so many of them.
const STRIDE: usize = 9;
/// The two Services; the rig's route names both.
const PING: &str = "shop-canary";
const PONG: &str = "shop-stable";

fn instants() -> impl Iterator<Item = u64> {
    let stride = if std::env::var("SISKIN_CASES").is_ok() { 1 } else { STRIDE };
    (1..INSTANTS).step_by(stride)
}

fn pair(more: &Value) -> Value {
    let mut canary = json!({
        "pingPong": {"pingService": PING, "pongService": PONG},
        "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop"}}},
        "steps": [{"setWeight": 20}, {"pause": {"duration": 2}}, {"setWeight": 60}, {"pause": {"duration": 2}}],
    });
    json_patch::merge(&mut canary, more);
    spec(&json!({"canary": canary}))
}

fn variants() -> [Value; 3] {
    [
        json!({"scaleDownDelaySeconds": 3, "abortScaleDownDelaySeconds": 3}),
        json!({"maxUnavailable": 0}),
        json!({"dynamicStableScale": true, "maxUnavailable": 0}),
    ]
}

/// A rig so many half seconds into the update to an image, with ping stable where that is the first.
fn updating(more: &Value, image: &str, half_seconds: u64) -> Rig {
    let mut rig = Rig::new(&pair(more));
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy", "{}", rig.story("first deploy"));
    rig.update(image);
    let at = rig.core.now() + Duration::from_millis(half_seconds * 500 + 70);
    rig.run_until(at).unwrap();
    rig
}

fn stable(rig: &Rig) -> String {
    rig.rollout().unwrap().status.canary.stable_ping_pong
}

fn selected(rig: &Rig, service: &str) -> String {
    let service = rig.core.user().get("Service", KEY.0, service).unwrap();
    service.pointer("/spec/selector").and_then(|s| s.get(HASH)?.as_str()).unwrap_or_default().to_owned()
}

fn generation(rig: &Rig) -> i64 {
    object::generation(&rig.core.user().get("HTTPRoute", KEY.0, "shop").unwrap())
}

fn promoted(rig: &Rig) -> bool {
    let status = rig.rollout().unwrap().status;
    status.stable_rs == status.current_pod_hash
}

/// All traffic goes to the stable side, which selects the stable revision; only that one has pods.
fn rests(rig: &Rig, what: &str) {
    let (side, weight) = if stable(rig) == "ping" { (PING, 100) } else { (PONG, 0) };
    let revision = rig.rollout().unwrap().status.stable_rs;
    assert_eq!((rig.weight(), selected(rig, side)), (weight, revision.clone()), "{what}: {}", rig.story("rest"));
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let busy: Vec<&str> = sets.iter().filter(|rs| wanted(rs) > 0).map(|rs| hash(rs)).collect();
    assert!(busy.contains(&revision.as_str()), "{what}");
}

#[test]
fn releases_in_a_row_change_the_roles() {
    for more in variants() {
        let mut rig = updating(&more, "shop:1", 0);
        assert_eq!(stable(&rig), "ping");
        rests(&rig, "first deploy");
        for (image, side) in [("shop:2", "pong"), ("shop:3", "ping"), ("shop:1", "pong")] {
            rig.update(image);
            rig.rest().unwrap();
            assert_eq!((rig.shown().as_str(), stable(&rig).as_str()), ("Healthy", side), "{more} {image}");
            rests(&rig, image);
        }
    }
}

#[test]
fn a_promotion_moves_neither_weights_nor_selectors() {
    let steps = json!([{"setWeight": 100}, {"pause": {}}]);
    let mut rig = updating(&json!({"steps": steps}), "shop:2", 60);
    assert_eq!(rig.shown(), "Paused CanaryPauseStep");
    let before = (generation(&rig), selected(&rig, PING), selected(&rig, PONG));
    rig.command(&json!({"pauseConditions": null}));
    rig.rest().unwrap();
    assert_eq!((rig.shown().as_str(), stable(&rig).as_str()), ("Healthy", "pong"));
    assert_eq!((generation(&rig), selected(&rig, PING), selected(&rig, PONG)), before);
}

#[test]
fn an_abort_leads_back_and_a_retry_forth() {
    for more in variants() {
        for at in instants() {
            let mut rig = updating(&more, "shop:2", at);
            let done = promoted(&rig);
            rig.command(&json!({"abort": true}));
            rig.rest().unwrap();
            assert_eq!(stable(&rig), if done { "pong" } else { "ping" }, "{more} at {at}");
            rests(&rig, "aborted");
            rig.command(&json!({"abort": false}));
            rig.rest().unwrap();
            assert_eq!((rig.shown().as_str(), stable(&rig).as_str()), ("Healthy", "pong"), "{more} at {at}");
            rests(&rig, "retried");
        }
    }
}

#[test]
fn other_templates_may_come_at_any_instant() {
    for more in variants() {
        for (at, image) in instants().flat_map(|at| [(at, "shop:1"), (at, "shop:3")]) {
            let mut rig = updating(&more, "shop:2", at);
            rig.update(image);
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{more} at {at} to {image}: {}", rig.story("rest"));
            rests(&rig, image);
        }
    }
}

#[test]
fn a_full_promotion_and_a_restart_at_any_instant() {
    for more in variants() {
        for at in instants() {
            let mut rig = updating(&more, "shop:2", at);
            rig.core.restart();
            rig.command(&json!({"promoteFull": true}));
            rig.rest().unwrap();
            assert_eq!((rig.shown().as_str(), stable(&rig).as_str()), ("Healthy", "pong"), "{more} at {at}");
            rests(&rig, "promoted");
        }
    }
}
