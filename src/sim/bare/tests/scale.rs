//! Sizes of a canary behind a router: a stable revision that shrinks with its traffic, floors, thresholds.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::sim::checker::facts::{HASH, hash, wanted};
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;
use crate::sim::search::scenario::Beside;

/// Instants of an update, in half seconds.
const INSTANTS: u64 = 40;
/// Without `SISKIN_CASES` only every so many of them, begun where the variant's number says.
const STRIDE: usize = 12;

/// Every variant with the instants at which something happens to it.
fn instants() -> impl Iterator<Item = (Value, u64)> {
    let all = std::env::var("SISKIN_CASES").is_ok();
    dynamic().into_iter().enumerate().flat_map(move |(number, more)| {
        let from = if all { 1 } else { 1 + 2 * u64::try_from(number).unwrap_or(0) };
        (from..INSTANTS).step_by(if all { 1 } else { STRIDE }).map(move |at| (more.clone(), at))
    })
}

/// Ten pods behind a route, 20 and 60 on the way; `more` is merged into the canary.
fn routed(more: &Value) -> Value {
    let mut canary = json!({
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        "steps": [{"setWeight": 20}, {"pause": {"duration": 2}}, {"setWeight": 60}, {"pause": {"duration": 2}}],
    });
    json_patch::merge(&mut canary, more);
    let mut spec = spec(&json!({"canary": canary}));
    spec["replicas"] = json!(10);
    spec
}

fn healthy(spec: &Value) -> Rig {
    let mut rig = Rig::new(spec);
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig
}

/// A rig so many half seconds into its first update.
fn updating(spec: &Value, half_seconds: u64) -> Rig {
    let mut rig = healthy(spec);
    rig.update("shop:2");
    let at = rig.core.now() + Duration::from_millis(half_seconds * 500 + 70);
    rig.run_until(at).unwrap();
    rig
}

/// Wanted pods of the current and of the stable revision.
fn sizes(rig: &Rig) -> (i64, i64) {
    let status = rig.rollout().unwrap().status;
    let sets = rig.core.user().list("ReplicaSet", KEY.0);
    let size = |of: &str| sets.iter().find(|rs| hash(rs) == of).map_or(0, |rs| wanted(rs));
    (size(&status.current_pod_hash), size(&status.stable_rs))
}

fn promoted(rig: &Rig) -> bool {
    let status = rig.rollout().unwrap().status;
    status.stable_rs == status.current_pod_hash
}

fn index(rig: &Rig) -> i32 {
    rig.rollout().unwrap().status.current_step_index.unwrap_or(-1)
}

fn resume(rig: &mut Rig) {
    rig.command(&json!({"pauseConditions": null}));
    rig.run(40).unwrap();
}

/// Makes so many pods of the current revision unready.
fn hurt(rig: &Rig, count: usize) {
    let user = rig.core.user();
    let current = rig.rollout().unwrap().status.current_pod_hash;
    let pods = user.list("Pod", KEY.0);
    for pod in pods.iter().filter(|pod| object::label(pod, HASH) == Some(current.as_str())).take(count) {
        let note = json!({"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}});
        user.merge("Pod", (KEY.0, object::name(pod)), &note).unwrap();
    }
}

/// The ways in which an aborted canary's pods go, with and without pods that may be missing.
fn dynamic() -> Vec<Value> {
    let mut all = Vec::new();
    for delay in [json!(null), json!(0), json!(3), json!(30)] {
        for missing in [json!(0), json!("25%")] {
            all.push(
                json!({"dynamicStableScale": true, "abortScaleDownDelaySeconds": delay, "maxUnavailable": missing}),
            );
        }
    }
    all
}

#[test]
fn the_stable_revision_shrinks_with_its_traffic() {
    let pause = json!({"pause": {}});
    let steps = json!([{"setWeight": 20}, pause, {"setWeight": 60}, pause, {"setWeight": 30}, pause, {"setWeight": 100}, pause]);
    for more in dynamic() {
        let mut more = more;
        more["steps"] = steps.clone();
        let mut rig = healthy(&routed(&more));
        rig.update("shop:2");
        rig.run(40).unwrap();
        for (weight, expected) in [(20, (2, 8)), (60, (6, 4)), (30, (3, 7)), (100, (10, 0))] {
            assert_eq!((rig.weight(), sizes(&rig)), (weight, expected), "{more}: {}", rig.story("paused"));
            rig.rest().unwrap();
            resume(&mut rig);
        }
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy");
        assert_eq!(sizes(&rig), (10, 10));
    }
}

#[test]
fn a_smaller_weight_goes_before_its_pods() {
    let steps = json!([{"setWeight": 60}, {"pause": {"duration": 1}}, {"setWeight": 20}, {"pause": {}}]);
    let mut rig = healthy(&routed(&json!({"steps": steps, "maxUnavailable": 0})));
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!((rig.shown().as_str(), index(&rig)), ("Paused CanaryPauseStep", 3));
    assert_eq!((rig.weight(), sizes(&rig)), (20, (2, 10)));
    rig.rest().unwrap();
}

#[test]
fn an_abort_at_any_instant_gives_the_traffic_back_as_stable_grows() {
    for (more, at) in instants() {
        let mut rig = updating(&routed(&more), at);
        let done = promoted(&rig);
        rig.command(&json!({"abort": true}));
        rig.rest().unwrap();
        if !done {
            assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{more} at {at}: {}", rig.shown());
            // A delay of 0 keeps the pods that the first step asks for.
            let kept = if more["abortScaleDownDelaySeconds"] == json!(0) { sizes(&rig).0.min(2) } else { 0 };
            assert_eq!((rig.weight(), sizes(&rig)), (0, (kept, 10)), "{more} at {at}");
            let status = rig.rollout().unwrap().status;
            for service in ["shop-canary", "shop-stable"] {
                let service = rig.core.user().get("Service", KEY.0, service).unwrap();
                assert_eq!(
                    object::text(&service, &format!("/spec/selector/{HASH}")),
                    status.stable_rs,
                    "{more} at {at}"
                );
            }
        }
        rig.command(&json!({"abort": false}));
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{more} at {at}: after a retry");
    }
}

#[test]
fn an_aborted_canary_shrinks_step_by_step() {
    let steps = json!([{"setWeight": 20}, {"setWeight": 60}, {"pause": {}}]);
    let mut rig = updating(&routed(&json!({"dynamicStableScale": true, "maxUnavailable": 0, "steps": steps})), 80);
    assert_eq!(sizes(&rig), (6, 4));
    rig.command(&json!({"abort": true}));
    let mut seen = vec![(6, 4)];
    for _ in 0..400 {
        rig.run_until(rig.core.now() + Duration::from_millis(50)).unwrap();
        if seen.last() != Some(&sizes(&rig)) {
            seen.push(sizes(&rig));
        }
    }
    // 20 is the next lower weight: 8 pods for the stable revision, and 2 of the canary once that is settled.
    assert!(seen.contains(&(6, 8)) && seen.contains(&(2, 10)), "{seen:?}");
    assert!(seen.iter().all(|(canary, stable)| canary + stable <= 14), "{seen:?}");
    assert_eq!(seen.last(), Some(&(0, 10)));
}

#[test]
fn a_canary_that_cannot_shrink_does_not_hold_an_abort_up() {
    let scaled = json!([{"setCanaryScale": {"replicas": 4}}, {"setWeight": 20}, {"setWeight": 60}, {"pause": {}}]);
    let plain = json!([{"setWeight": 10}, {"setWeight": 60}, {"pause": {}}]);
    for (steps, delay) in [(scaled, json!(0)), (plain, json!(null))] {
        let more = json!({
            "dynamicStableScale": true, "maxUnavailable": 0, "minPodsPerReplicaSet": 3, "steps": steps,
            "abortScaleDownDelaySeconds": delay,
        });
        let mut rig = updating(&routed(&more), 60);
        rig.command(&json!({"abort": true}));
        rig.rest().unwrap();
        assert_eq!((rig.weight(), sizes(&rig).1), (0, 10), "{more}");
    }
}

#[test]
fn replicas_may_change_at_any_instant() {
    for (round, (more, at)) in instants().enumerate() {
        let (first, second) = [(17, 3), (2, 20), (0, 10)][round % 3];
        let mut rig = updating(&routed(&more), at);
        for count in [first, second] {
            rig.edit(&json!({"spec": {"replicas": count}}));
            rig.run_until(rig.core.now() + Duration::from_millis(900)).unwrap();
        }
        if round % 4 < 2 {
            rig.command(&json!({"abort": true}));
            rig.run(1).unwrap();
            rig.edit(&json!({"spec": {"replicas": first}}));
        }
        rig.rest().unwrap();
        let aborted = rig.shown().starts_with("Degraded RolloutAborted");
        assert!(aborted || rig.shown() == "Healthy", "{more} at {at}: {}", rig.shown());
    }
}

#[test]
fn the_way_back_and_the_way_on_are_open_at_any_instant() {
    for (round, (more, at)) in instants().enumerate() {
        let image = ["shop:1", "shop:3"][round % 2];
        let mut rig = updating(&routed(&more), at);
        rig.update(image);
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{more} at {at} to {image}: {}", rig.story("rest"));
        assert_eq!(sizes(&rig), (10, 10), "{more} at {at} to {image}");
    }
}

#[test]
fn a_full_promotion_and_a_restart_at_any_instant() {
    for (more, at) in instants() {
        let mut rig = updating(&routed(&more), at);
        rig.core.restart();
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{more} at {at}");
        assert_eq!(sizes(&rig), (10, 10), "{more} at {at}");
    }
}

#[test]
fn a_restart_grows_nothing() {
    let steps = json!([{"setWeight": 60}, {"pause": {}}]);
    let mut rig = updating(&routed(&json!({"dynamicStableScale": true, "steps": steps})), 60);
    assert_eq!(sizes(&rig), (6, 4));
    rig.core.restart();
    rig.rest().unwrap();
    assert_eq!(sizes(&rig), (6, 4));
}

#[test]
fn a_paused_stable_revision_does_not_shrink() {
    let mut rig = updating(&routed(&json!({"dynamicStableScale": true})), 6);
    rig.edit(&json!({"spec": {"paused": true}}));
    rig.run(1).unwrap();
    let before = sizes(&rig).1;
    rig.rest().unwrap();
    assert_eq!(sizes(&rig).1, before);
    rig.edit(&json!({"spec": {"paused": false}}));
    rig.rest().unwrap();
    assert_eq!(rig.shown(), "Healthy");
}

#[test]
fn dead_canaries_give_everything_back() {
    let steps = json!([{"setWeight": 60}, {"pause": {}}]);
    let mut rig = updating(&routed(&json!({"dynamicStableScale": true, "steps": steps})), 60);
    hurt(&rig, 10);
    rig.run(30).unwrap();
    assert_eq!((rig.weight(), sizes(&rig)), (0, (6, 10)));
    let user = rig.core.user();
    for pod in user.list("Pod", KEY.0) {
        let note = json!({"metadata": {"annotations": {BEHAVIOUR: null}}});
        user.merge("Pod", (KEY.0, object::name(&pod)), &note).unwrap();
    }
    rig.rest().unwrap();
    assert_eq!((rig.weight(), sizes(&rig)), (60, (6, 4)));
}

#[test]
fn small_weights_have_their_floor_of_pods() {
    let steps = json!([{"setWeight": 5}, {"pause": {}}, {"setWeight": 95}, {"pause": {}}]);
    for (dynamic, late) in [(false, (10, 10)), (true, (10, 3))] {
        let more = json!({"minPodsPerReplicaSet": 3, "dynamicStableScale": dynamic, "steps": steps});
        let mut rig = updating(&routed(&more), 40);
        assert_eq!(sizes(&rig), (3, 10));
        resume(&mut rig);
        assert_eq!((rig.weight(), sizes(&rig)), (95, late));
        rig.command(&json!({"abort": true}));
        rig.rest().unwrap();
        assert_eq!((rig.weight(), sizes(&rig)), (0, (0, 10)));
    }
    let mut few = routed(&json!({"minPodsPerReplicaSet": 3, "steps": steps}));
    few["replicas"] = json!(2);
    let rig = updating(&few, 40);
    assert_eq!(sizes(&rig), (2, 2), "a floor is never above the wanted pods");
}

#[test]
fn a_threshold_lets_a_step_pass_without_all_pods() {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    let threshold = |kind: &str, value: i32| json!({"type": kind, "value": value});
    let cases = [
        (json!(null), false),
        (threshold("Percent", 75), true),
        (threshold("Percent", 76), false),
        (threshold("Pods", 3), true),
        (threshold("Pods", 4), false),
        (threshold("Pods", -1), false),
    ];
    for dynamic in [false, true] {
        for (threshold, passes) in &cases {
            let more = json!({
                "steps": steps, "maxUnavailable": 0, "replicaProgressThreshold": threshold, "dynamicStableScale": dynamic,
            });
            let mut rig = updating(&routed(&more), 0);
            rig.run_until(rig.core.now() + Duration::from_millis(250)).unwrap();
            hurt(&rig, 1);
            rig.run(60).unwrap();
            let expected = if *passes { (1, 40) } else { (0, 0) };
            assert_eq!((i64::from(index(&rig)), rig.weight()), expected, "{threshold}: {}", rig.story("hurt"));
        }
    }
}

#[test]
fn a_threshold_lets_a_promotion_pass_and_the_rest_comes_later() {
    for dynamic in [false, true] {
        let steps = json!([{"setWeight": 50}, {"pause": {}}]);
        let threshold = json!({"type": "Percent", "value": 80});
        let more = json!({
            "steps": steps, "maxUnavailable": 0, "replicaProgressThreshold": threshold, "dynamicStableScale": dynamic,
        });
        let mut rig = updating(&routed(&more), 40);
        hurt(&rig, 1);
        resume(&mut rig);
        assert!(promoted(&rig), "{}", rig.story("promoted"));
        assert_ne!(rig.shown(), "Healthy", "one pod is missing");
        let user = rig.core.user();
        for pod in user.list("Pod", KEY.0) {
            let note = json!({"metadata": {"annotations": {BEHAVIOUR: null}}});
            user.merge("Pod", (KEY.0, object::name(&pod)), &note).unwrap();
        }
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy");
    }
}

/// An autoscaler that is content with the pods that are there asks for as many: it must not count a canary's among them.
#[test]
fn the_pods_of_a_release_are_no_news_to_an_autoscaler() {
    let steps =
        json!([{"setWeight": 10}, {"pause": {"duration": 120}}, {"setWeight": 50}, {"pause": {"duration": 60}}]);
    let routed = routed(&json!({"steps": steps}));
    let strategies = [
        routed["strategy"].clone(),
        json!({"canary": {"maxSurge": 3, "maxUnavailable": 0, "steps": steps}}),
        json!({"blueGreen": {"activeService": "shop-active", "autoPromotionSeconds": 60}}),
    ];
    for strategy in strategies {
        let mut spec = spec(&strategy);
        spec["replicas"] = json!(10);
        let mut rig = healthy(&spec);
        Beside::Autoscaler(10).join(&mut rig);
        rig.update("shop:2");
        rig.run(400).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}");
        let journal = rig.core.cluster.server.journal();
        let after = journal.iter().filter(|entry| entry.kind == "Rollout").filter_map(|entry| entry.after.as_ref());
        let mut sizes: Vec<i64> = after.filter_map(|rollout| object::integer(rollout, "/spec/replicas")).collect();
        sizes.dedup();
        assert_eq!(sizes, [10], "{strategy}");
    }
}
