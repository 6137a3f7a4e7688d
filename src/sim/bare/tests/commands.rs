//! What people do, at every instant of an update.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, spec};

/// Instants of an update, in half seconds: it takes about 13 s.
const INSTANTS: u64 = 26;
/// Without `SISKIN_CASES` only every so many of them.
const STRIDE: usize = 4;

fn instants() -> impl Iterator<Item = u64> {
    let stride = if std::env::var("SISKIN_CASES").is_ok() { 1 } else { STRIDE };
    // 14 is among them in any case: there an update meets a promotion that is half moved.
    (2..INSTANTS).step_by(stride)
}

fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 3}}, {"setWeight": 60}, {"pause": {"duration": 3}}]);
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}, "scaleDownDelaySeconds": 2, "abortScaleDownDelaySeconds": 2,
        }}),
        json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionSeconds": 5, "scaleDownDelaySeconds": 5}}),
    ]
}

/// A rig in the middle of its first update.
fn updating(strategy: &Value, half_seconds: u64) -> Rig {
    let mut rig = Rig::new(&spec(strategy));
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.update("shop:2");
    let at = rig.core.now() + Duration::from_millis(half_seconds * 500 + 70);
    rig.run_until(at).unwrap();
    rig
}

fn promoted(rig: &Rig) -> bool {
    let status = rig.rollout().unwrap().status;
    status.stable_rs == status.current_pod_hash
}

#[test]
fn an_abort_moves_users_within_two_seconds() {
    for strategy in strategies() {
        for at in instants() {
            let mut rig = updating(&strategy, at);
            let done = promoted(&rig);
            rig.command(&json!({"abort": true}));
            rig.run(2).unwrap();
            let status = rig.rollout().unwrap().status;
            if done {
                assert!(!status.abort, "an update that is over has nothing to abort");
                rig.rest().unwrap();
                continue;
            }
            assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{strategy} at {at}: {}", rig.shown());
            if strategy.pointer("/canary/trafficRouting").is_some() {
                assert_eq!(rig.weight(), 0, "{strategy} at {at}: {}", rig.story("abort"));
            }
            if strategy.get("blueGreen").is_some() {
                assert_eq!(status.blue_green.active_selector, status.stable_rs, "{strategy} at {at}");
            }
            rig.rest().unwrap();
            rig.command(&json!({"abort": false}));
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {at}: after a retry");
        }
    }
}

#[test]
fn the_last_of_many_templates_wins() {
    for strategy in strategies() {
        for at in instants() {
            let mut rig = updating(&strategy, at);
            for image in ["shop:3", "shop:4"] {
                rig.update(image);
                rig.run(at % 3).unwrap();
            }
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {at}");
            let rollout = rig.rollout().unwrap();
            assert_eq!(rollout.status.stable_rs, rollout.status.current_pod_hash);
        }
    }
}

#[test]
fn applying_the_old_template_goes_back() {
    for strategy in strategies() {
        for at in instants() {
            let mut rig = updating(&strategy, at);
            let done = promoted(&rig);
            let stable = rig.rollout().unwrap().status.stable_rs;
            rig.update("shop:1");
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {at}: {}", rig.story("rolled back"));
            assert!(done || rig.rollout().unwrap().status.stable_rs == stable, "{strategy} at {at}");
        }
    }
}

#[test]
fn a_full_promotion_comes_to_its_end_and_can_be_aborted() {
    for strategy in strategies() {
        for at in instants() {
            let mut rig = updating(&strategy, at);
            rig.command(&json!({"promoteFull": true}));
            if at % 8 == 2 && !promoted(&rig) {
                rig.run_until(rig.core.now() + Duration::from_millis(150)).unwrap();
                let done = promoted(&rig);
                rig.command(&json!({"abort": true}));
                rig.run(2).unwrap();
                assert!(
                    done || rig.shown().starts_with("Degraded RolloutAborted"),
                    "{strategy} at {at}: {}",
                    rig.shown()
                );
                rig.rest().unwrap();
                continue;
            }
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {at}");
        }
    }
}

#[test]
fn a_paused_rollout_goes_nowhere_and_can_be_aborted() {
    for strategy in strategies() {
        for at in instants() {
            let mut rig = updating(&strategy, at);
            if promoted(&rig) {
                continue;
            }
            rig.edit(&json!({"spec": {"paused": true}}));
            rig.run(1).unwrap();
            let index = rig.rollout().unwrap().status.current_step_index;
            rig.run(100).unwrap();
            assert_eq!(rig.rollout().unwrap().status.current_step_index, index, "{strategy} at {at}");
            assert!(!promoted(&rig), "{strategy} at {at}");
            rig.rest().unwrap();
            rig.command(&json!({"abort": true}));
            rig.run(2).unwrap();
            assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{strategy} at {at}: {}", rig.shown());
            rig.edit(&json!({"spec": {"paused": false}}));
            rig.command(&json!({"abort": false}));
            rig.rest().unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy} at {at}");
        }
    }
}

#[test]
fn a_promotion_moves_exactly_one_step() {
    let steps = json!([{"pause": {}}, {"pause": {}}, {"pause": {}}]);
    let mut rig = updating(&json!({"canary": {"steps": steps}}), 6);
    for index in 0..3 {
        assert_eq!(rig.rollout().unwrap().status.current_step_index, Some(index));
        rig.command(&json!({"pauseConditions": null}));
        rig.core.restart();
        rig.run(10).unwrap();
    }
    rig.rest().unwrap();
    assert_eq!(rig.shown(), "Healthy");
}
