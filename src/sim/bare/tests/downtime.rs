//! A controller that is away for longer than a deadline: what it finds when it comes back is not what it missed.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, spec, template};
use crate::sim::bare::view::Trouble;

const DEADLINE: u64 = 60;

fn strategies() -> [Value; 3] {
    let routing = json!({"gatewayAPI": {"httpRoute": "shop"}});
    let steps = json!([{"setWeight": 20}, {"setWeight": 60}]);
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": routing, "steps": steps}}),
        json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview"}}),
    ]
}

/// An update that has gone on for so many milliseconds when its controller goes, and is without one for five minutes.
fn without_controller((strategy, aborts): (&Value, bool), behaviour: &str, after: u64) -> Rig {
    let mut spec = spec(strategy);
    spec["progressDeadlineSeconds"] = json!(DEADLINE);
    spec["progressDeadlineAbort"] = json!(aborts);
    let mut rig = Rig::new(&spec);
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy", "{strategy}");
    rig.edit(&json!({"spec": {"template": template("shop:2", behaviour, "0.5")}}));
    let begun = rig.core.now();
    rig.run_until(begun + Duration::from_millis(after)).unwrap();
    for _ in 0..3000 {
        rig.core.clock.advance(Duration::from_millis(100));
        rig.core.cluster.tick();
    }
    rig.core.restart();
    rig
}

/// Neither is the update aborted, nor is it called degraded in between, which pipelines hear.
#[test]
fn a_deadline_does_not_pass_while_nobody_looks() {
    for strategy in strategies() {
        for after in (0..8000).step_by(400) {
            let mut rig = without_controller((&strategy, after % 800 == 0), "", after);
            rig.run(120).unwrap();
            let case = format!("{strategy} away after {after} ms");
            assert_eq!(rig.shown(), "Healthy", "{case}\n{}", rig.story("not finished"));
            assert!(!rig.lines().iter().any(|line| line.contains("Degraded")), "{case}\n{}", rig.story("degraded"));
        }
    }
}

#[test]
fn what_is_stuck_is_said_a_minute_later() {
    for strategy in strategies() {
        let mut rig = without_controller((&strategy, true), "never-ready", 5000);
        rig.run(DEADLINE - 5).unwrap();
        assert!(rig.shown().starts_with("Progressing"), "{strategy}: {}", rig.shown());
        rig.run(10).unwrap();
        assert!(rig.shown().contains("timed out progressing"), "{strategy}: {}", rig.shown());
        rig.rest().unwrap();
    }
}

/// A view that lacks our own write holds the next look up. What it misses meanwhile is not the update's delay either.
#[test]
fn a_deadline_does_not_pass_while_a_watch_is_late() {
    for strategy in strategies() {
        for number in (4..32).step_by(2) {
            let mut spec = spec(&strategy);
            spec["progressDeadlineSeconds"] = json!(DEADLINE - 10);
            spec["progressDeadlineAbort"] = json!(true);
            let mut rig = Rig::new(&spec);
            (rig.troubled, rig.checker.state.late_views) = (true, true);
            rig.core.process.view.trouble("Rollout", number, Trouble::Late(DEADLINE * 1000));
            rig.run(DEADLINE + 20).unwrap();
            rig.update("shop:2");
            rig.run(3 * DEADLINE).unwrap();
            assert_eq!(rig.shown(), "Healthy", "{strategy}, event {number}\n{}", rig.story("not finished"));
        }
    }
}
