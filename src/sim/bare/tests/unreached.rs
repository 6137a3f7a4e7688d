//! Services that users are sent to and that nobody answers behind: said within half a minute, and `failFast` acts on it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use crate::api::names::SERVICE_NAME;
use crate::api::rollout_status::BlockerStatus;
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

fn routed() -> Value {
    json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "steps": [{"setWeight": 40}, {"pause": {}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }})
}

/// An update of a routed canary that pauses at 40 %.
fn paused(fail_fast: bool) -> Rig {
    let mut spec = spec(&routed());
    spec["failFast"] = json!(fail_fast);
    let mut rig = Rig::new(&spec);
    rig.run(40).unwrap();
    rig.update("shop:2");
    rig.run(40).unwrap();
    assert_eq!((rig.shown().as_str(), rig.weight()), ("Paused CanaryPauseStep", 40));
    rig
}

/// Somebody takes the endpoints of a Service away, although its pods are ready.
fn empty(rig: &Rig, service: &str) -> Arc<Value> {
    let user = rig.core.user();
    let slices = user.list("EndpointSlice", KEY.0);
    let slice = slices.iter().find(|slice| object::label(slice, SERVICE_NAME) == Some(service)).unwrap();
    user.merge("EndpointSlice", (KEY.0, object::name(slice)), &json!({"endpoints": []})).unwrap();
    Arc::clone(slice)
}

fn fill(rig: &Rig, slice: &Value) {
    let endpoints = json!({"endpoints": slice["endpoints"]});
    rig.core.user().merge("EndpointSlice", (KEY.0, object::name(slice)), &endpoints).unwrap();
}

/// What is said in the status, and how often in events.
fn told(rig: &Rig) -> (Vec<BlockerStatus>, usize) {
    let blockers = rig.rollout().unwrap().status.siskin.map(|own| own.blockers).unwrap_or_default();
    let named = blockers.into_iter().filter(|blocker| blocker.code == "NoEndpoints");
    (named.collect(), rig.core.events.iter().filter(|event| event.reason == "NoEndpoints").count())
}

#[test]
fn a_canary_without_endpoints_in_a_pause_is_named() {
    let mut rig = paused(false);
    let slice = empty(&rig, "shop-canary");
    rig.run(30).unwrap();
    let (blockers, events) = told(&rig);
    assert_eq!((blockers.len(), events), (1, 1), "{blockers:?}");
    assert_eq!(blockers[0].object, "Service/shop-canary");
    assert!(blockers[0].message.contains("2 of 2 pods of revision 2 are available"), "{}", blockers[0].message);
    assert!(!blockers[0].remedy.is_empty());
    // A controller that starts anew knows that it was told.
    rig.restart();
    rig.run(200).unwrap();
    assert_eq!((rig.shown().as_str(), rig.weight(), told(&rig).1), ("Paused CanaryPauseStep", 40, 1));
    fill(&rig, &slice);
    rig.run(30).unwrap();
    assert_eq!(told(&rig), (Vec::new(), 1), "it is over");
    empty(&rig, "shop-canary");
    rig.run(30).unwrap();
    assert_eq!(told(&rig).1, 2, "another time is other news");
}

#[test]
fn a_service_without_endpoints_is_named_although_its_pods_are_ready() {
    let blue_green = json!({"blueGreen": {"activeService": "shop-active"}});
    for (strategy, service) in [(routed(), "shop-stable"), (blue_green, "shop-active")] {
        let mut rig = Rig::new(&spec(&strategy));
        rig.run(40).unwrap();
        let slice = empty(&rig, service);
        rig.run(9).unwrap();
        assert_eq!(told(&rig), (Vec::new(), 0), "what passes at once is no news");
        rig.run(20).unwrap();
        let (blockers, events) = told(&rig);
        assert_eq!((blockers.len(), events), (1, 1), "{strategy}");
        assert_eq!(blockers[0].object, format!("Service/{service}"));
        assert!(blockers[0].message.contains("5 of 5 pods of revision 1 are available"), "{}", blockers[0].message);
        fill(&rig, &slice);
        rig.run(30).unwrap();
        assert_eq!((told(&rig), rig.shown().as_str()), ((Vec::new(), 1), "Healthy"));
        rig.rest().unwrap();
    }
}

#[test]
fn fail_fast_leads_users_back_from_where_nobody_answers() {
    let mut rig = paused(true);
    empty(&rig, "shop-canary");
    rig.run(25).unwrap();
    assert_eq!(rig.weight(), 40, "pods may be exchanged in half a minute");
    rig.run(10).unwrap();
    let status = rig.rollout().unwrap().status;
    assert!(status.abort && status.message.contains("Service/shop-canary"), "{}", status.message);
    assert_eq!(rig.weight(), 0);
}

#[test]
fn nobody_is_led_to_where_nobody_answers_either() {
    let mut rig = paused(true);
    empty(&rig, "shop-stable");
    empty(&rig, "shop-canary");
    rig.run(100).unwrap();
    assert_eq!((rig.rollout().unwrap().status.abort, told(&rig).0.len()), (false, 2));
}

#[test]
fn pods_of_the_stable_revision_that_stop_answering_are_named() {
    let mut rig = Rig::new(&spec(&routed()));
    rig.run(40).unwrap();
    let user = rig.core.user();
    for pod in user.list("Pod", KEY.0) {
        let note = json!({"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}});
        user.merge("Pod", (KEY.0, object::name(&pod)), &note).unwrap();
    }
    rig.run(30).unwrap();
    let (blockers, events) = told(&rig);
    assert_eq!((blockers.len(), events), (1, 1), "{blockers:?}");
    assert!(blockers[0].message.contains("0 of 5 pods of revision 1 are available"), "{}", blockers[0].message);
}

#[test]
fn a_first_deployment_may_take_its_time() {
    let mut spec = spec(&routed());
    spec["template"] = template("shop:1", "", "100");
    let mut rig = Rig::new(&spec);
    rig.run(90).unwrap();
    assert_eq!(told(&rig), (Vec::new(), 0), "{}", rig.shown());
}
