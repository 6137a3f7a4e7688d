//! Header and mirror routes through whole updates.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::sim::checker::facts::HASH;
use crate::sim::object;
use crate::sim::traffic::Load;

fn strategy(steps: &Value) -> Value {
    json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}, "managedRoutes": [{"name": "hdr"}, {"name": "beta"}, {"name": "mir"}]},
    }})
}

pub fn header(name: &str, value: &str) -> Value {
    json!({"setHeaderRoute": {"name": name, "match": [{"headerName": "X-Test", "headerValue": {"exact": value}}]}})
}

fn gone(name: &str) -> Value {
    json!({"setHeaderRoute": {"name": name}})
}

/// A rig at the first pause of version 2.
fn updated(steps: &Value) -> Rig {
    let mut rig = Rig::new(&spec(&strategy(steps)));
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    assert_eq!(names(&rig), [""], "a first deploy sets no managed route");
    rig.update("shop:2");
    rig.run(60).unwrap();
    rig
}

/// Names of the route's rules, in order.
pub fn names(rig: &Rig) -> Vec<String> {
    let route = rig.core.user().get("HTTPRoute", KEY.0, "shop").unwrap();
    object::list(&route, "/spec/rules").iter().map(|rule| object::text(rule, "/name").to_owned()).collect()
}

pub fn index(rig: &Rig) -> i32 {
    rig.rollout().unwrap().status.current_step_index.unwrap_or(-1)
}

/// Deletes the pods of the new revision.
fn kill_canary(rig: &Rig) {
    let hash = rig.rollout().unwrap().status.current_pod_hash;
    let user = rig.core.user();
    for pod in user.list("Pod", KEY.0).iter().filter(|pod| object::label(pod, HASH) == Some(hash.as_str())) {
        user.delete_now("Pod", KEY.0, object::name(pod)).unwrap();
    }
}

/// Answers so far: (version 1, version 2, lost).
fn answers(rig: &Rig) -> (u64, u64, u64) {
    let record = rig.core.cluster.traffic.record();
    let record = record.lock();
    (record.of_version("1").total(), record.of_version("2").total(), record.total().lost)
}

fn at_weight_zero() -> Value {
    json!([{"setCanaryScale": {"replicas": 1}}, header("hdr", "1"), {"pause": {}}, {"setWeight": 50}, {"pause": {}}])
}

#[test]
fn headers_reach_the_canary_at_weight_zero_and_others_never() {
    let mut rig = updated(&at_weight_zero());
    assert_eq!((rig.shown().as_str(), index(&rig), rig.weight()), ("Paused CanaryPauseStep", 2, 0));
    assert_eq!(names(&rig), ["", "hdr"]);
    rig.core.cluster.traffic.add(Load::of_route(KEY.0, "shop", 200.0));
    rig.run(20).unwrap();
    let (stable, canary, lost) = answers(&rig);
    assert!(stable > 1000 && canary == 0 && lost == 0, "{stable} {canary} {lost}");
    rig.core.cluster.traffic.clear();
    rig.core.cluster.traffic.add(Load::of_route(KEY.0, "shop", 200.0).with_header("X-Test", "1"));
    rig.run(20).unwrap();
    let (also, canary, lost) = answers(&rig);
    assert!(also == stable && canary > 1000 && lost == 0, "{also} {canary} {lost}");
    rig.command(&json!({"abort": true}));
    rig.run(1000).unwrap();
    assert_eq!(names(&rig), [""]);
    assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{}", rig.shown());
    assert_eq!(answers(&rig).2, 0, "nothing is lost on the way back");
    rig.rest().unwrap();
}

#[test]
fn the_routes_of_the_steps_end_with_the_update() {
    let mut rig = updated(&json!([
        {"setCanaryScale": {"replicas": 1}}, header("hdr", "1"), header("beta", "2"), {"pause": {}},
        gone("hdr"), {"pause": {}}, {"setCanaryScale": {"matchTrafficWeight": true}}, {"setWeight": 60}, {"pause": {}},
    ]));
    assert_eq!((index(&rig), names(&rig)), (3, vec![String::new(), "hdr".into(), "beta".into()]));
    for (step, expected) in [(5, vec!["", "beta"]), (8, vec!["", "beta"])] {
        rig.command(&json!({"pauseConditions": null}));
        rig.run(60).unwrap();
        assert_eq!(names(&rig), expected, "at {}", index(&rig));
        assert_eq!(index(&rig), step);
    }
    rig.command(&json!({"pauseConditions": null}));
    rig.run(200).unwrap();
    assert_eq!((rig.shown().as_str(), names(&rig), rig.weight()), ("Healthy", vec![String::new()], 0));
    rig.rest().unwrap();
}

#[test]
fn a_rule_comes_back_with_the_pod_that_it_leads_to() {
    let mut rig = updated(&at_weight_zero());
    rig.command(&json!({"pauseConditions": null}));
    rig.run(60).unwrap();
    for _ in 0..3 {
        assert_eq!((index(&rig), names(&rig)), (4, vec![String::new(), "hdr".into()]));
        kill_canary(&rig);
        rig.core.look();
        rig.core.cluster.tick();
        assert_eq!(names(&rig), [""], "nobody is there to be led to");
        rig.run(60).unwrap();
    }
    assert_eq!(names(&rig), ["", "hdr"]);
    rig.rest().unwrap();
}

#[test]
fn a_step_waits_until_the_rule_is_accepted() {
    let mut rig =
        Rig::new(&spec(&strategy(&json!([{"setCanaryScale": {"replicas": 1}}, header("hdr", "1"), {"pause": {}}]))));
    rig.run(60).unwrap();
    rig.core.cluster.gateway.set_route_lag(Duration::from_secs(40));
    rig.update("shop:2");
    rig.run(30).unwrap();
    assert_eq!((index(&rig), names(&rig)), (1, vec![String::new(), "hdr".into()]));
    rig.run(60).unwrap();
    assert_eq!(index(&rig), 2);
    rig.rest().unwrap();
}

#[test]
fn without_canary_pods_the_rule_waits_for_the_first() {
    let mut rig = updated(&json!([header("hdr", "1"), {"pause": {}}, {"setWeight": 20}, {"pause": {}}]));
    assert_eq!((index(&rig), names(&rig)), (1, vec![String::new()]));
    rig.command(&json!({"pauseConditions": null}));
    rig.run(60).unwrap();
    assert_eq!((index(&rig), names(&rig), rig.weight()), (3, vec![String::new(), "hdr".into()], 20));
    rig.command(&json!({"promoteFull": true}));
    rig.run(200).unwrap();
    assert_eq!((rig.shown().as_str(), names(&rig)), ("Healthy", vec![String::new()]));
    rig.rest().unwrap();
}

#[test]
fn a_new_revision_begins_without_the_rules_of_the_one_before() {
    let mut rig = updated(&at_weight_zero());
    rig.update("shop:3");
    rig.core.look();
    rig.run(1).unwrap();
    rig.run(100).unwrap();
    assert_eq!((index(&rig), names(&rig)), (2, vec![String::new(), "hdr".into()]));
    let third = rig.rollout().unwrap().status.current_pod_hash;
    let service = rig.core.user().get("Service", KEY.0, "shop-canary").unwrap();
    assert_eq!(service["spec"]["selector"][HASH], json!(third));
    // Back to the stable template: no update, no rule.
    rig.update("shop:1");
    rig.run(200).unwrap();
    assert_eq!((rig.shown().as_str(), names(&rig)), ("Healthy", vec![String::new()]));
    rig.rest().unwrap();
}

#[test]
fn drift_is_repaired_and_rules_of_users_stay() {
    let mut rig = updated(&at_weight_zero());
    let mine = json!({"name": "mine", "matches": [{"headers": [{"name": "X-Me", "value": "1"}]}], "backendRefs": [{"name": "shop-stable", "port": 80}]});
    let route = rig.core.user().get("HTTPRoute", KEY.0, "shop").unwrap();
    let base = route.pointer("/spec/rules/0").cloned().unwrap();
    rig.core.user().merge("HTTPRoute", (KEY.0, "shop"), &json!({"spec": {"rules": [base, mine]}})).unwrap();
    rig.run(30).unwrap();
    assert_eq!(names(&rig), ["", "mine", "hdr"]);
    rig.command(&json!({"abort": true}));
    rig.run(100).unwrap();
    assert_eq!(names(&rig), ["", "mine"]);
    rig.rest().unwrap();
}

#[test]
fn a_mirror_splits_as_its_source_and_goes_with_the_update() {
    let step = json!({"setMirrorRoute": {"name": "mir", "percentage": 30, "match": [{"method": {"exact": "GET"}}]}});
    let mut rig =
        updated(&json!([{"setCanaryScale": {"replicas": 2}}, step, {"pause": {}}, {"setWeight": 40}, {"pause": {}}]));
    assert_eq!((index(&rig), names(&rig)), (2, vec!["mir".into(), String::new()]));
    rig.command(&json!({"pauseConditions": null}));
    rig.run(60).unwrap();
    let route = rig.core.user().get("HTTPRoute", KEY.0, "shop").unwrap();
    let weights = |rule: usize| object::integer(&route, &format!("/spec/rules/{rule}/backendRefs/1/weight"));
    assert_eq!((index(&rig), weights(0), weights(1)), (4, Some(40), Some(40)));
    assert_eq!(route.pointer("/spec/rules/0/filters/0/requestMirror/percent"), Some(&json!(30)));
    rig.command(&json!({"abort": true}));
    rig.run(100).unwrap();
    assert_eq!((names(&rig), rig.weight()), (vec![String::new()], 0));
    rig.rest().unwrap();
}

#[test]
fn an_abort_at_every_instant_takes_the_rule_away_before_the_pods() {
    for wait in [0_u64, 300, 700, 1_500, 3_000, 5_500, 9_000] {
        let mut rig = Rig::new(&spec(&strategy(&at_weight_zero())));
        rig.run(60).unwrap();
        rig.core.cluster.traffic.add(Load::of_route(KEY.0, "shop", 100.0).with_header("X-Test", "1"));
        rig.update("shop:2");
        let at = rig.core.now() + Duration::from_millis(wait);
        rig.run_until(at).unwrap();
        rig.command(&json!({"abort": true}));
        rig.run(300).unwrap();
        assert_eq!((names(&rig), answers(&rig).2), (vec![String::new()], 0), "after {wait} ms");
        rig.core.cluster.traffic.clear();
        rig.rest().unwrap();
    }
}
