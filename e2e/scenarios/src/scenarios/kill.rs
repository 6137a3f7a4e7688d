//! A controller that dies.

use std::time::Duration;

use serde_json::json;

use crate::controller::Controller;
use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("kill", "the controller dies twice in the middle of a canary", play).long().smoke(),
    good("outage", "an update goes on after an outage of the controller beyond its deadline", outage).long(),
];

/// Which objects are this theme's controllers'.
const INSTANCE: &str = "e2e-kill";
const OUTAGE: &str = "e2e-outage";
/// `progressDeadlineSeconds` of the update that waits for its controller.
const DEADLINE: u64 = 10;

/// Killed while it shifts traffic, and while a person promotes; the next one goes on where it was.
pub fn play(rig: &Rig) -> Outcome {
    let controller = Controller::start(rig, INSTANCE)?;
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    Controller::claim(&mut rollout, INSTANCE);
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;

    // Between the creation of the revision and its weight.
    rig.release("2")?;
    let second = rig.until("second revision", |seen| seen.current() != first.current())?;
    controller.kill()?;
    let frozen = rig.now()?;
    rig.stays(Duration::from_secs(5), "the silence of a dead controller", |seen| seen.line() == frozen.line())?;
    let controller = Controller::start(rig, INSTANCE)?;
    rig.until("pause at 20 %", |seen| seen.paused_at(1))?;

    // A person promotes while nobody listens, and the update is at half of the traffic when it dies again.
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("the step to 50 %", |seen| seen.index() >= 2)?;
    controller.kill()?;
    let controller = Controller::start(rig, INSTANCE)?;
    rig.until("pause at 50 %", |seen| seen.paused_at(3))?;
    rig.share("2", 50)?;
    controller.kill()?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    let controller = Controller::start(rig, INSTANCE)?;
    let last = rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    rig.only("2")?;

    check(last.stable() == second.current(), || "another revision came up".to_owned())?;
    let revisions = rig.replica_sets()?;
    check(revisions.len() == 2, || format!("there are not two revisions: {revisions:?}"))?;
    check(rig.weights() == [0, 20, 50, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    let steps: Vec<i64> = rig
        .states()
        .iter()
        .filter(|seen| seen.current() == second.current())
        .map(super::super::seen::Seen::index)
        .collect();
    check(steps.is_sorted(), || format!("the steps went back: {steps:?}"))?;
    drop(controller);
    Ok(())
}

/// Killed with a new revision under way, and back only when the deadline has passed: neither aborted nor called degraded.
fn outage(rig: &Rig) -> Outcome {
    let controller = Controller::start(rig, OUTAGE)?;
    let mut rollout = manifest::rollout(2, &manifest::canary(&json!([{"setWeight": 20}, {"setWeight": 60}])));
    rollout["spec"]["progressDeadlineSeconds"] = json!(DEADLINE);
    rollout["spec"]["progressDeadlineAbort"] = json!(true);
    Controller::claim(&mut rollout, OUTAGE);
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;

    rig.release("2")?;
    rig.until("second revision", |seen| seen.current() != first.current())?;
    controller.kill()?;
    let frozen = rig.now()?;
    let silence = Duration::from_secs(DEADLINE + 2);
    rig.stays(silence, "the silence of a dead controller", |seen| seen.line() == frozen.line())?;
    let controller = Controller::start(rig, OUTAGE)?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    rig.only("2")?;
    let states = rig.states();
    check(!states.iter().any(|seen| seen.phase() == "Degraded"), || "the update was called degraded".to_owned())?;
    drop(controller);
    Ok(())
}
