//! More of blue-greens: previews, clocks, and changes before and after the switch.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::blue_green::{SERVICES, blue_green};
use crate::controller::Controller;
use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("blue-green-preview", "a preview of one pod grows before the switch, not after it", preview_count).parity(),
    good("blue-green-seconds", "promoted by itself after its seconds, and not before", auto_seconds),
    good(
        "blue-green-superseded",
        "a third version takes the preview before anybody has promoted the second",
        superseded,
    ),
    good("blue-green-scale", "more pods, then fewer, before the switch", scale),
    good("blue-green-delay", "the old pods go after the delay; the way back then waits for a person", delay),
    good("blue-green-no-preview", "without a preview Service, switched by hand", no_preview),
    good("blue-green-full", "a full promotion passes the analysis and the pause", full),
    good("blue-green-kill", "the controller dies in the moment of the switch", kill).long(),
];

/// Which objects are this scenario's controller's.
const INSTANCE: &str = "e2e-switch";
/// Long enough for a controller that would go on to show it.
const WATCHED: Duration = Duration::from_secs(4);

fn waits(seen: &Seen) -> bool {
    seen.observed() && seen.phase() == "Paused" && seen.message() == "BlueGreenPause"
}

fn by_hand(more: &Value) -> Value {
    let mut all = json!({"autoPromotionEnabled": false});
    if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    blue_green(&all)
}

/// One pod to look at; two before the users come.
fn preview_count(rig: &Rig) -> Outcome {
    let first = rig.deploy(&by_hand(&json!({"previewReplicaCount": 1})), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause before the switch", waits)?;
    rig.sized(paused.current(), 1)?;
    rig.stays(WATCHED, "the pause", waits)?;
    check(rig.size(paused.current())? == 1, || "the preview grew by itself".to_owned())?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    check(rig.size(second.stable())? == 2, || "it switched to a small revision".to_owned())?;
    rig.only("2")
}

/// Eight seconds of preview.
fn auto_seconds(rig: &Rig) -> Outcome {
    let first = rig.deploy(&blue_green(&json!({"autoPromotionSeconds": 8})), SERVICES)?;
    rig.release("2")?;
    rig.until("pause before the switch", waits)?;
    let began = Instant::now();
    rig.promoted(&first)?;
    let took = began.elapsed();
    // Times in the status are whole seconds; the pause was seen a little after it began.
    check(took >= Duration::from_secs(6), || format!("the pause took {took:?}"))?;
    rig.only("2")
}

/// The second version's pods go; the users never meet it.
fn superseded(rig: &Rig) -> Outcome {
    let first = rig.deploy(&by_hand(&json!({"scaleDownDelaySeconds": 5})), SERVICES)?;
    rig.release("2")?;
    let second = rig.until("pause of version 2", waits)?;
    rig.release("3")?;
    let third = rig.until("pause of version 3", |seen| waits(seen) && seen.current() != second.current())?;
    check(third.selectors() == (first.stable(), third.current()), || format!("selectors: {:?}", third.selectors()))?;
    rig.only("1")?;
    rig.promote()?;
    let last = rig.promoted(&first)?;
    check(last.stable() == third.current(), || format!("it is {}", last.line()))?;
    rig.only("3")?;
    rig.sized(second.current(), 0)?;
    check(rig.finish().of("2") == 0, || "users met version 2".to_owned())
}

/// Both sides follow the size while nobody promotes.
fn scale(rig: &Rig) -> Outcome {
    let first = rig.deploy(&by_hand(&json!({})), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause before the switch", waits)?;
    for size in [3, 1, 2] {
        rig.scale(size)?;
        rig.sized(first.stable(), size)?;
        rig.sized(paused.current(), size)?;
        rig.until("the pause", |seen| waits(seen) && seen.selectors().0 == first.stable())?;
    }
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// After the delay the way back is a way like any other.
fn delay(rig: &Rig) -> Outcome {
    let first = rig.deploy(&by_hand(&json!({"scaleDownDelaySeconds": 10})), SERVICES)?;
    rig.release("2")?;
    rig.until("pause before the switch", waits)?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    rig.holds(PATIENCE, "deadline of version 1", || rig.deadline(first.stable()))?;
    check(rig.size(first.stable())? == 2, || "version 1 did not wait".to_owned())?;
    rig.sized(first.stable(), 0)?;
    rig.told(&["undo", ROLLOUT], &["rollout 'shop' undo"])?;
    let paused = rig.until("pause on the way back", waits)?;
    check(paused.selectors().0 == second.stable(), || format!("selectors: {:?}", paused.selectors()))?;
    rig.only("2")?;
    rig.promote()?;
    rig.promoted(&second)?;
    rig.only("1")
}

/// Only the active Service exists.
fn no_preview(rig: &Rig) -> Outcome {
    let strategy = json!({"blueGreen": {"activeService": "shop-active", "autoPromotionEnabled": false}});
    let first = rig.deploy(&manifest::rollout(2, &strategy), &["shop-active"])?;
    rig.release("2")?;
    let paused = rig.until("pause before the switch", waits)?;
    rig.sized(paused.current(), 2)?;
    rig.only("1")?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// The analysis before the switch would take ten minutes, the pause for ever.
fn full(rig: &Rig) -> Outcome {
    let mut late = manifest::verdict(&rig.cluster.prometheus, "vector(2)");
    late["spec"]["metrics"][0]["initialDelay"] = json!("10m");
    rig.apply(&[late])?;
    let more = json!({"prePromotionAnalysis": {"templates": [{"templateName": "verdict"}]}, "previewReplicaCount": 1});
    let first = rig.deploy(&by_hand(&more), SERVICES)?;
    rig.release("2")?;
    rig.holds(PATIENCE, "run", || Ok((rig.runs()? == ["Running"]).then_some(())))?;
    rig.told(&["promote", ROLLOUT, "--full"], &["fully promoted"])?;
    let last = rig.promoted(&first)?;
    check(rig.size(last.stable())? == 2, || "it switched to a small revision".to_owned())?;
    rig.holds(PATIENCE, "end of the run", || Ok((rig.runs()? == ["Successful"]).then_some(())))?;
    rig.only("2")
}

/// Between the promotion and its record.
fn kill(rig: &Rig) -> Outcome {
    let controller = Controller::start(rig, INSTANCE)?;
    let mut rollout = by_hand(&json!({}));
    Controller::claim(&mut rollout, INSTANCE);
    let first = rig.deploy(&rollout, SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause before the switch", waits)?;
    controller.kill()?;
    rig.promote()?;
    let controller = Controller::start(rig, INSTANCE)?;
    let moved = || Ok((rig.selected("shop-active")? == paused.current()).then_some(()));
    rig.holds(PATIENCE, "switch", moved)?;
    controller.kill()?;
    rig.only("2")?;
    let controller = Controller::start(rig, INSTANCE)?;
    let last = rig.promoted(&first)?;
    check(rig.replica_sets()?.len() == 2, || format!("the revisions are {:?}", rig.replica_sets()))?;
    check(last.stable() == paused.current(), || format!("it is {}", last.line()))?;
    drop(controller);
    rig.only("2")
}
