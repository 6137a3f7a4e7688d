//! Somebody who writes what we have written again and again: it is set right, but not for ever.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::api::names::POD_HASH;
use crate::api::rollout_status::BlockerStatus;
use crate::sim::api_server::journal::Entry;
use crate::sim::checker::check::CONTROLLER;
use crate::sim::object;

/// From one foreign write to the next.
const BEAT: Duration = Duration::from_millis(200);

fn paused() -> Rig {
    let mut rig = Rig::new(&spec(&json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "steps": [{"setWeight": 40}, {"pause": {}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }})));
    rig.run(40).unwrap();
    rig.update("shop:2");
    rig.run(40).unwrap();
    assert_eq!((rig.shown().as_str(), rig.weight()), ("Paused CanaryPauseStep", 40));
    rig
}

/// Our writes to an object while somebody else writes it `beats` times, and how often events told of the conflict.
fn fight(rig: &mut Rig, (kind, name): (&str, &str), (beats, foreign): (u32, &Value)) -> usize {
    let mut cursor = rig.core.cluster.server.subscribe();
    for _ in 0..beats {
        let at = rig.core.now() + BEAT;
        rig.core.user().merge(kind, (KEY.0, name), foreign).unwrap();
        rig.run_until(at).unwrap();
    }
    let spec = |entry: &Entry| {
        entry.before.as_ref().map(|o| o["spec"].clone()) != entry.after.as_ref().map(|o| o["spec"].clone())
    };
    let ours = |entry: &Entry| entry.actor == CONTROLLER && entry.kind == kind && entry.name == name && spec(entry);
    cursor.drain().unwrap().iter().filter(|entry| ours(entry)).count()
}

fn conflicts(rig: &Rig) -> (Vec<BlockerStatus>, usize) {
    let blockers = rig.rollout().unwrap().status.siskin.map(|own| own.blockers).unwrap_or_default();
    let named = blockers.into_iter().filter(|blocker| blocker.code == "FieldOwnershipConflict");
    (named.collect(), rig.core.events.iter().filter(|event| event.reason == "FieldOwnershipConflict").count())
}

fn weights(canary: i64) -> Value {
    let backends = json!([
        {"name": "shop-stable", "port": 80, "weight": 100 - canary},
        {"name": "shop-canary", "port": 80, "weight": canary},
    ]);
    json!({"spec": {"rules": [{"backendRefs": backends}]}})
}

#[test]
fn weights_that_somebody_insists_on_are_set_right_six_times_a_minute() {
    let mut rig = paused();
    let writes = fight(&mut rig, ("HTTPRoute", "shop"), (250, &weights(0)));
    assert_eq!(writes, 7, "the first write, and six repairs in fifty seconds");
    let (blockers, events) = conflicts(&rig);
    assert_eq!((blockers.len(), events), (1, 1));
    assert!(blockers[0].object.ends_with("shop") && blockers[0].remedy.contains("weights"), "{blockers:?}");
    let writes = fight(&mut rig, ("HTTPRoute", "shop"), (1_500, &weights(0)));
    assert!((28..=32).contains(&writes), "{writes} in five minutes");
    rig.run(70).unwrap();
    assert_eq!((rig.weight(), conflicts(&rig).0.len()), (40, 0), "who stops insisting has lost");
}

#[test]
fn a_selector_that_somebody_insists_on_is_set_right_six_times_a_minute() {
    let mut rig = paused();
    let stable = rig.rollout().unwrap().status.stable_rs;
    let foreign = json!({"spec": {"selector": {POD_HASH: stable}}});
    let writes = fight(&mut rig, ("Service", "shop-canary"), (250, &foreign));
    assert!((1..=7).contains(&writes), "{writes}");
    rig.run(130).unwrap();
    let canary = rig.core.user().get("Service", KEY.0, "shop-canary").unwrap();
    assert_eq!(
        object::text(&canary, &format!("/spec/selector/{POD_HASH}")),
        rig.rollout().unwrap().status.current_pod_hash
    );
}

#[test]
fn an_abort_is_no_repair() {
    let mut rig = paused();
    fight(&mut rig, ("HTTPRoute", "shop"), (100, &weights(90)));
    assert_eq!((rig.weight(), conflicts(&rig).0.len()), (90, 1));
    rig.command(&json!({"abort": true}));
    rig.run(2).unwrap();
    assert_eq!(rig.weight(), 0, "another write than the one that was undone");
}

#[test]
fn a_hand_that_slips_now_and_then_is_answered_at_once() {
    let mut rig = paused();
    for _ in 0..30 {
        fight(&mut rig, ("HTTPRoute", "shop"), (1, &weights(90)));
        rig.run(11).unwrap();
        assert_eq!((rig.weight(), conflicts(&rig)), (40, (Vec::new(), 0)));
    }
}
