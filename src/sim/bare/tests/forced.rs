//! An abort of a full promotion whose pods do not come (pitfalls B46 and B50), before and after its deadline.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, spec, template};

/// Seconds that the update may take.
const DEADLINE: u64 = 60;

fn strategies() -> [Value; 4] {
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 3}}, {"setWeight": 60}, {"pause": {}}]);
    let routed = |dynamic: bool| {
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps, "dynamicStableScale": dynamic,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        }})
    };
    let blue_green =
        json!({"activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false});
    [json!({"canary": {"steps": steps}}), routed(false), routed(true), json!({"blueGreen": blue_green})]
}

/// A full promotion, so many seconds ago, of a version whose pods never serve.
fn forced(strategy: &Value, behaviour: &str, seconds: u64) -> Rig {
    let mut spec = spec(strategy);
    spec["progressDeadlineSeconds"] = json!(DEADLINE);
    let mut rig = Rig::new(&spec);
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy", "{strategy}");
    // Slow enough that nothing is promoted before the next command.
    rig.edit(&json!({"spec": {"template": template("shop:2", behaviour, "7")}}));
    rig.run_until(rig.core.now() + Duration::from_millis(1_700)).unwrap();
    rig.command(&json!({"promoteFull": true}));
    rig.run(seconds).unwrap();
    rig
}

#[test]
fn a_full_promotion_without_pods_can_be_aborted_at_any_time() {
    for strategy in strategies() {
        for behaviour in ["never-pulls", "crash-loop", "never-ready"] {
            for seconds in [0, 1, 20, DEADLINE + 30] {
                let mut rig = forced(&strategy, behaviour, seconds);
                let case = format!("{strategy} {behaviour} after {seconds} s");
                if seconds > DEADLINE {
                    assert!(rig.shown().starts_with("Degraded"), "{case}: {}", rig.story("past its deadline"));
                }
                let stable = rig.rollout().unwrap().status.stable_rs;
                rig.command(&json!({"abort": true}));
                rig.run(2).unwrap();
                assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{case}: {}", rig.story("aborted"));
                let status = rig.rollout().unwrap().status;
                assert!(status.abort && !status.promote_full && status.stable_rs == stable, "{case}");
                rig.rest().unwrap();
            }
        }
    }
}

#[test]
fn the_later_of_abort_and_full_promotion_counts() {
    for strategy in strategies() {
        let mut rig = forced(&strategy, "", 0);
        rig.command(&json!({"abort": true}));
        rig.run(2).unwrap();
        assert!(rig.shown().starts_with("Degraded RolloutAborted"), "{strategy}: {}", rig.shown());
        rig.command(&json!({"promoteFull": true}));
        rig.rest().unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}");
    }
}
