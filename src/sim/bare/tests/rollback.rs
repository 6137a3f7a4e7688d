//! Rollbacks inside `spec.rollbackWindow`: straight back, without steps, pauses and analysis.

use serde_json::{Value, json};

use super::rig::{KEY, Rig, spec};
use crate::sim::checker::facts::hash;

const SKIPPED: &str = "Rollback to active ReplicaSets within RollbackWindow";

/// Three strategies, each with a gate that nobody opens.
fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]);
    let analysis = json!({"templates": [{"templateName": "errors"}]});
    [
        json!({"canary": {"steps": steps, "analysis": analysis}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps, "scaleDownDelaySeconds": 2,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "analysis": analysis,
        }}),
        json!({"blueGreen": {
            "activeService": "shop-active", "previewService": "shop-preview", "previewReplicaCount": 1,
            "autoPromotionEnabled": false, "scaleDownDelaySeconds": 2,
            "prePromotionAnalysis": analysis, "postPromotionAnalysis": analysis,
        }}),
    ]
}

/// A Rollout whose `images` were promoted one after the other, and are all at rest.
fn released(strategy: &Value, window: i32, images: &[&str]) -> Rig {
    let mut spec = spec(strategy);
    spec["rollbackWindow"] = json!({"revisions": window});
    let mut rig = Rig::new(&spec);
    rig.run(60).unwrap();
    for image in images {
        rig.update(image);
        rig.run(5).unwrap();
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{}", rig.story(image));
    }
    rig
}

fn told(rig: &Rig, from: usize) -> Vec<String> {
    rig.core.events[from..].iter().map(|event| format!("{} {}", event.reason, event.message)).collect()
}

#[test]
fn inside_the_window_nothing_holds_it() {
    for strategy in strategies() {
        let mut rig = released(&strategy, 2, &["shop:2", "shop:3"]);
        let (events, runs) = (rig.core.events.len(), rig.core.user().list("AnalysisRun", KEY.0).len());
        rig.update("shop:1");
        rig.run(60).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}: {}", rig.story("rollback"));
        let told = told(&rig, events);
        assert!(told.iter().any(|event| event.ends_with(": Rollback within window")), "{strategy}: {told:#?}");
        assert!(!told.iter().any(|event| event.starts_with("RolloutPaused")), "{strategy}: {told:#?}");
        assert!(!told.iter().any(|event| event.ends_with(SKIPPED)), "no pods to go back to: {told:#?}");
        assert_eq!(rig.core.user().list("AnalysisRun", KEY.0).len(), runs, "{strategy}: no analysis");
        rig.rest().unwrap();
    }
}

#[test]
fn outside_the_window_every_gate_counts() {
    for strategy in strategies() {
        let mut rig = released(&strategy, 1, &["shop:2", "shop:3"]);
        rig.update("shop:1");
        rig.run(60).unwrap();
        assert!(rig.shown().starts_with("Paused"), "{strategy}: {}", rig.shown());
        // Back to the revision that is stable: no window needed.
        rig.update("shop:3");
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy");
    }
}

#[test]
fn steps_are_told_to_be_skipped_where_pods_still_run() {
    let mut routed = strategies()[1].clone();
    routed["canary"]["scaleDownDelaySeconds"] = json!(600);
    let mut spec = spec(&routed);
    spec["rollbackWindow"] = json!({"revisions": 1});
    let mut rig = Rig::new(&spec);
    rig.run(60).unwrap();
    rig.update("shop:2");
    rig.run(5).unwrap();
    rig.command(&json!({"promoteFull": true}));
    rig.run(60).unwrap();
    let events = rig.core.events.len();
    rig.update("shop:1");
    rig.run(60).unwrap();
    let told = told(&rig, events);
    assert_eq!(told.iter().filter(|event| **event == format!("SkipSteps {SKIPPED}")).count(), 1, "{told:#?}");
    rig.rest().unwrap();
    assert_eq!(rig.shown(), "Healthy");
}

#[test]
fn a_pause_holds_it_and_an_abort_ends_it() {
    for strategy in strategies() {
        let mut rig = released(&strategy, 2, &["shop:2", "shop:3"]);
        let stable = rig.rollout().unwrap().status.stable_rs;
        rig.edit(&json!({"spec": {"paused": true}}));
        rig.update("shop:1");
        rig.run(60).unwrap();
        assert_eq!(rig.rollout().unwrap().status.stable_rs, stable, "{strategy}: held");
        rig.edit(&json!({"spec": {"paused": false}}));
        rig.run(1).unwrap();
        rig.command(&json!({"abort": true}));
        rig.run(2).unwrap();
        if rig.rollout().unwrap().status.stable_rs == stable {
            assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{strategy}: {}", rig.shown());
            rig.rest().unwrap();
            rig.command(&json!({"abort": false}));
        }
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}: {}", rig.story("retry"));
        assert_ne!(rig.rollout().unwrap().status.stable_rs, stable, "{strategy}");
    }
}

#[test]
fn history_keeps_what_the_window_may_need() {
    let kept = |window: i32| {
        let mut spec = spec(&json!({"canary": {}}));
        spec["revisionHistoryLimit"] = json!(1);
        spec["rollbackWindow"] = json!({"revisions": window});
        let mut rig = Rig::new(&spec);
        rig.rest().unwrap();
        for image in ["shop:2", "shop:3", "shop:4", "shop:5"] {
            rig.update(image);
            rig.rest().unwrap();
        }
        let stable = rig.rollout().unwrap().status.stable_rs;
        let sets = rig.core.user().list("ReplicaSet", KEY.0);
        sets.iter().filter(|rs| hash(rs) != stable).count()
    };
    assert_eq!((kept(0), kept(3)), (1, 3));
}

#[test]
fn the_attempt_says_that_it_was_rolled_back() {
    let ended = |rig: &Rig| {
        let duration = rig.rollout().unwrap().status.duration.unwrap();
        assert!(duration.finished_at.is_some());
        duration.completion_status
    };
    for strategy in strategies() {
        // Outside of any window: back to the stable revision, and back to one before it.
        let mut rig = released(&strategy, 0, &["shop:2", "shop:3"]);
        assert_eq!(ended(&rig), "FastPromoted", "{strategy}");
        rig.update("shop:4");
        rig.run(20).unwrap();
        let started = rig.rollout().unwrap().status.duration.unwrap().rollout_started_at;
        rig.update("shop:3");
        rig.rest().unwrap();
        let fast = strategy.get("blueGreen").is_some();
        assert_eq!(ended(&rig), if fast { "FastRolledBack" } else { "RolledBack" }, "{strategy}");
        assert_eq!(rig.rollout().unwrap().status.duration.unwrap().rollout_started_at, started, "one attempt");

        let mut rig = released(&strategy, 2, &["shop:2", "shop:3"]);
        rig.update("shop:4");
        rig.run(20).unwrap();
        rig.update("shop:2");
        rig.run(60).unwrap();
        assert_eq!(ended(&rig), "FastRolledBack", "{strategy}: inside the window");
        rig.update("shop:5");
        rig.run(20).unwrap();
        rig.update("shop:6");
        rig.run(5).unwrap();
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(ended(&rig), "FastPromoted", "{strategy}: a newer version is no rollback");
    }
}
