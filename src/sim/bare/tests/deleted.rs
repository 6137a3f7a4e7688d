//! Rollouts with a template of their own that are deleted at every phase, with and without their pods; and a Deployment
//! that is applied again and again while it is drained.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec, template};
use crate::sim::api_server::Cursor;
use crate::sim::checker::facts::{HASH, hash, wanted};
use crate::sim::checker::state::State;
use crate::sim::checker::workload::shortage;
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 5,
        }}),
        json!({"blueGreen": {
            "activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false,
            "scaleDownDelaySeconds": 5,
        }}),
    ]
}

/// A release in each phase that a Rollout may be deleted in.
fn stages(strategy: &Value) -> Vec<(&'static str, Rig)> {
    let fresh = |millis: u64| {
        let mut rig = Rig::new(&spec(strategy));
        rig.run_until(rig.core.now() + Duration::from_millis(millis)).unwrap();
        rig
    };
    let updating = |tenths: u64| {
        let mut rig = fresh(30_000);
        assert_eq!(rig.shown(), "Healthy");
        rig.update("shop:2");
        rig.run_until(rig.core.now() + Duration::from_millis(100 * tenths)).unwrap();
        rig
    };
    let told = |status: &Value, seconds: u64| {
        let mut rig = updating(200);
        assert!(rig.shown().starts_with("Paused"), "{}", rig.shown());
        rig.command(status);
        rig.run(seconds).unwrap();
        rig
    };
    let paused = updating(200);
    paused.edit(&json!({"spec": {"paused": true}}));
    vec![
        ("starting", fresh(300)),
        ("healthy", fresh(30_000)),
        ("scaling", updating(3)),
        ("at a step", updating(200)),
        ("paused", paused),
        ("aborting", told(&json!({"abort": true}), 1)),
        ("aborted", told(&json!({"abort": true}), 30)),
        ("promoting", told(&json!({"promoteFull": true}), 2)),
        ("promoted", told(&json!({"promoteFull": true}), 30)),
    ]
}

/// Lets a release come to its end, with as many promotions as it needs.
fn finish(rig: &mut Rig, told: &str) {
    for _ in 0..4 {
        rig.run(60).unwrap_or_else(|story| panic!("{told}: {story}"));
        if rig.shown() == "Healthy" {
            break;
        }
        rig.command(&json!({"pauseConditions": null, "promoteFull": true}));
    }
    assert_eq!(rig.shown(), "Healthy", "{told}: {}", rig.story("the end"));
    rig.rest().unwrap_or_else(|story| panic!("{told}: {story}"));
}

/// A namesake finds Services with selectors, weights and annotations of before, and needs nobody's help with them.
#[test]
fn another_rollout_of_the_name_finds_a_usable_world() {
    for strategy in strategies() {
        for (stage, mut rig) in stages(&strategy) {
            let told = format!("{stage} {strategy}");
            let image =
                rig.rollout().unwrap().spec.template.value().pointer("/spec/containers/0/image").unwrap().clone();
            rig.core.user().delete("Rollout", KEY.0, KEY.1).unwrap();
            let version = rig.written();
            rig.run(30).unwrap();
            assert_eq!(rig.written(), version, "{told}: nobody writes for a Rollout that has gone");
            assert!(rig.core.user().list("Pod", KEY.0).is_empty(), "{told}: garbage collection");
            let mut again = spec(&strategy);
            again["template"]["spec"]["containers"][0]["image"] = image;
            rig.create(&again);
            finish(&mut rig, &told);
        }
    }
}

/// Ready pods of a namespace.
fn ready(state: &State) -> i64 {
    let sets = state.list("ReplicaSet", KEY.0);
    sets.map(|rs| state.available(rs)).sum()
}

/// The fewest available pods since the cursor was read last.
fn fewest(cursor: &mut Cursor, state: &mut State) -> i64 {
    let mut fewest = i64::MAX;
    for entry in cursor.drain().unwrap() {
        state.apply(&entry);
        fewest = fewest.min(ready(state));
    }
    fewest
}

/// `kubectl delete --cascade=orphan`: the pods serve on, and another Rollout of the name takes them over without a gap.
#[test]
fn pods_that_are_left_behind_serve_until_another_rollout_takes_them_over() {
    for strategy in strategies() {
        for (stage, mut rig) in stages(&strategy).into_iter().skip(1) {
            let told = format!("{stage} {strategy}");
            let (mut cursor, mut state) = (rig.core.cluster.server.subscribe_after(0), State::default());
            fewest(&mut cursor, &mut state);
            let image =
                rig.rollout().unwrap().spec.template.value().pointer("/spec/containers/0/image").unwrap().clone();
            rig.core.user().orphan("Rollout", KEY.0, KEY.1).unwrap();
            rig.run(30).unwrap();
            let mut again = spec(&strategy);
            again["template"]["spec"]["containers"][0]["image"] = image;
            rig.create(&again);
            finish(&mut rig, &told);
            let floor = if strategy.get("blueGreen").is_some() { 5 } else { 4 };
            let fewest = fewest(&mut cursor, &mut state);
            assert!(fewest >= floor, "{told}: {fewest} of {floor} pods");
        }
    }
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": KEY.0},
        "spec": {
            "replicas": 10, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1", "", "0.5"),
        },
    })
}

/// Lets one more of the Rollout's own pods become ready, and holds the others back.
fn admit(rig: &Rig, admitted: usize) {
    let user = rig.core.user();
    let own: Vec<_> = user.list("Pod", KEY.0).into_iter().filter(|pod| object::label(pod, HASH).is_some()).collect();
    let held = |pod: &Value| object::annotation(pod, BEHAVIOUR).is_some();
    let free = own.iter().filter(|pod| !held(pod)).count();
    let note = |how: Value| json!({"metadata": {"annotations": {BEHAVIOUR: how}}});
    for pod in own.iter().filter(|pod| held(pod)).take(admitted.saturating_sub(free)) {
        user.merge("Pod", (KEY.0, object::name(pod)), &note(Value::Null)).unwrap();
    }
}

/// GitOps applies the Deployment every three minutes, from long before the migration is over until long after it.
#[test]
fn a_deployment_that_is_applied_all_the_time_is_drained_within_bounds() {
    for strategy in strategies() {
        for scale_down in ["progressively", "onsuccess"] {
            let told = format!("{scale_down} {strategy}");
            let mut rig = Rig::bare(1, Some(()));
            let (mut cursor, mut state, mut most) = (rig.core.cluster.server.subscribe(), State::default(), 0);
            let user = rig.core.user();
            user.create("Deployment", deployment()).unwrap();
            rig.run(20).unwrap();
            for entry in cursor.drain().unwrap() {
                state.apply(&entry);
            }
            rig.create(&json!({
                "replicas": 10, "strategy": strategy, "progressDeadlineSeconds": 7200,
                "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": scale_down},
            }));
            rig.run_until(rig.core.now() + Duration::from_millis(250)).unwrap();
            for pod in user.list("Pod", KEY.0).iter().filter(|pod| object::label(pod, HASH).is_some()) {
                let note = json!({"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}});
                user.merge("Pod", (KEY.0, object::name(pod)), &note).unwrap();
            }
            for minute in 0..30 {
                admit(&rig, minute);
                if minute % 3 == 1 {
                    user.merge("Deployment", (KEY.0, "shop"), &json!({"spec": {"replicas": 10}})).unwrap();
                }
                rig.run(60).unwrap_or_else(|story| panic!("{told}: {story}"));
                for entry in cursor.drain().unwrap() {
                    state.apply(&entry);
                    most = most.max(state.list("ReplicaSet", KEY.0).map(|rs| wanted(rs)).sum());
                    let missing = shortage(&state, KEY.0, KEY.1);
                    assert_eq!(missing, None, "{told}: in minute {minute} after {} {}", entry.kind, entry.name);
                }
                let size = wanted(&user.get("Deployment", KEY.0, "shop").unwrap());
                let replaced = i64::try_from(minute.min(10)).unwrap();
                let expected = if scale_down == "onsuccess" && minute < 10 { 10 } else { 10 - replaced };
                // Up to maxUnavailable fewer, and at once none where the record says Healthy.
                assert!((expected - 3..=expected).contains(&size), "{told}: {size} in minute {minute}");
            }
            assert_eq!((rig.shown().as_str(), most), ("Healthy", 20), "{told}");
            let own = user.list("ReplicaSet", KEY.0);
            assert!(own.iter().all(|rs| hash(rs).is_empty() || wanted(rs) == 10), "{told}");
        }
    }
}
