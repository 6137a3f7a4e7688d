//! Canaries that people lead from step to step.

use std::time::Duration;

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("paused-by-hand", "`spec.paused` holds everything where it is", paused_by_hand),
    good("superseded", "a third version arrives while the second has half of the traffic", superseded).parity().smoke(),
    good("manual-pause", "waits for a person, who promotes on the command line", manual_pause).parity().smoke(),
    good("at-once", "a release in the moment of the first Healthy", at_once),
    good("basic-canary", "no router: pods alone carry the weights", basic),
];

/// Long enough for a controller that would go on by itself to show it.
const WATCHED: Duration = Duration::from_secs(4);
const SERVICES: &[&str] = &["shop-stable", "shop-canary"];

/// Two pauses without an end, each ended on the command line.
pub fn manual_pause(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 20 %", |seen| seen.paused_at(1))?;
    rig.stays(WATCHED, "the pause", |seen| seen.paused_at(1) && seen.weight() == 20)?;
    rig.share("2", 20)?;
    let lines = [
        "Paused",
        "CanaryPauseStep",
        "1/4",
        "SetWeight:     20",
        "ActualWeight:  20",
        "revision:2",
        "canary",
        "stable",
    ];
    rig.told(&["get", ROLLOUT, "--no-color"], &lines)?;
    rig.told(&["status", ROLLOUT, "--watch=false"], &["Paused - CanaryPauseStep"])?;
    rig.event("RolloutPaused")?;

    rig.told(&["promote", ROLLOUT], &["rollout 'shop' promoted"])?;
    rig.until("pause at 50 %", |seen| seen.paused_at(3))?;
    rig.share("2", 50)?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.told(&["status", ROLLOUT, "--timeout", "120s"], &["Healthy"])?;
    let last = rig.until("promotion", |seen| seen.healthy() && seen.promoted())?;
    check(last.stable() != first.stable(), || "version 1 is still stable".to_owned())?;
    check(rig.weights() == [0, 20, 50, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    rig.event("RolloutResumed")?;
    rig.only("2")
}

/// The second version comes in the moment in which the first is Healthy: its canary gets its share all the same.
pub fn at_once(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    let first = rig.deploy_at_once(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    let second = rig.until("pause at 40 %", |seen| seen.paused_at(1) && seen.weight() == 40)?;
    let selected = rig.selected("shop-canary")?;
    check(selected == second.current(), || {
        format!("at 40 % the canary Service selects {selected}, stable is {}", first.stable())
    })?;
    rig.share("2", 40)?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current())?;
    rig.only("2")
}

/// The third version takes the second one's place and begins at the first step.
pub fn superseded(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    let second = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    rig.release("3")?;
    let third = rig.until("pause of version 3", |seen| {
        seen.paused_at(1) && seen.weight() == 50 && seen.current() != second.current()
    })?;
    check(third.stable() == first.stable(), || "a version that nobody promoted is stable".to_owned())?;
    rig.share("3", 50)?;
    rig.share("2", 0)?;
    rig.holds(PATIENCE, "end of version 2's pods", || Ok((rig.size(second.current())? == 0).then_some(())))?;
    let began_anew = rig.states().iter().any(|seen| seen.current() == third.current() && seen.index() == 0);
    check(began_anew, || "version 3 did not begin at the first step".to_owned())?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == third.current())?;
    rig.only("3")
}

/// Of four pods one, then two, then all are new.
pub fn basic(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": 3}}]);
    let strategy = json!({"canary": {"maxSurge": 1, "maxUnavailable": 0, "steps": steps}});
    let first = rig.deploy(&manifest::rollout(4, &strategy), &["shop"])?;
    rig.release("2")?;
    let second = rig.until("pause with one new pod", |seen| seen.paused_at(1) && seen.pods() == (4, 1))?;
    let sizes = (rig.size(first.stable())?, rig.size(second.current())?);
    check(sizes == (3, 1), || format!("the sizes are {sizes:?}"))?;
    rig.share("2", 25)?;
    rig.stays(WATCHED, "the pause", |seen| seen.paused_at(1))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("two new pods", |seen| seen.index() == 3 && seen.pods().1 == 2)?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current() && seen.pods() == (4, 4))?;
    // Four, the surge, and one that its ReplicaSet still counts although it has been told to let it go.
    let most = rig.states().iter().map(|seen| seen.pods().0).max();
    check(most <= Some(6), || format!("there were {most:?} pods, more than four and the surge"))?;
    check(rig.states().iter().all(|seen: &Seen| seen.weight() == 0), || "a weight without a router".to_owned())?;
    rig.only("2")
}

/// `spec.paused` in a pause of three seconds: nothing goes on before a person says so.
pub fn paused_by_hand(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {"duration": 3}}, {"setWeight": 75}, {"pause": {"duration": 1}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    rig.until("the first step's weight", |seen| seen.weight() == 50)?;
    rig.told(&["pause", ROLLOUT], &["paused"])?;
    let by_hand = |seen: &Seen| seen.observed() && seen.phase() == "Paused" && seen.message() == "manually paused";
    let paused = rig.until("manual pause", by_hand)?;
    rig.stays(Duration::from_secs(8), "the manual pause", |seen| {
        by_hand(seen) && seen.weight() == 50 && seen.index() == paused.index()
    })?;
    rig.share("2", 50)?;
    rig.patch(&json!({"spec": {"paused": false}}))?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    check(rig.weights() == [0, 50, 75, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    rig.only("2")
}
