//! Blue-greens: two Services, one switch.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("blue-green-undo", "promoted by hand, and back within the scale-down delay", promote_and_undo)
        .parity()
        .long()
        .smoke(),
    good("blue-green-abort", "aborted by hand before the switch, and after it", abort_by_hand).long(),
    good("blue-green-post-promotion", "the analysis after the switch fails: everybody back", post_promotion).long(),
    good("blue-green-pre-promotion", "the analysis before the switch fails: active stays", pre_promotion),
];

/// The Services of a blue-green.
pub const SERVICES: &[&str] = &["shop-active", "shop-preview"];
/// A fast rollback needs no pods to start: one switch, and the proxies that follow it.
const FAST: Duration = Duration::from_secs(45);

/// A Rollout whose old pods wait for long, with further fields of the strategy.
pub fn blue_green(more: &Value) -> Value {
    let mut strategy = json!({
        "activeService": "shop-active",
        "previewService": "shop-preview",
        "scaleDownDelaySeconds": 120,
        "abortScaleDownDelaySeconds": 5,
    });
    if let (Some(all), Some(more)) = (strategy.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    manifest::rollout(2, &json!({"blueGreen": strategy}))
}

/// Shown at the preview, promoted on the command line, taken back while the old pods are still there.
pub fn promote_and_undo(rig: &Rig) -> Outcome {
    let first = rig.deploy(&blue_green(&json!({"autoPromotionEnabled": false})), SERVICES)?;
    rig.release("2")?;
    let second = rig.until("pause before the switch, with the new version at the preview", |seen| {
        let paused = seen.observed() && seen.phase() == "Paused" && seen.message() == "BlueGreenPause";
        paused && seen.selectors() == (first.stable(), seen.current())
    })?;
    rig.stays(Duration::from_secs(4), "the pause", |seen| seen.phase() == "Paused")?;
    rig.only("1")?;
    rig.told(&["get", ROLLOUT, "--no-color"], &["BlueGreen", "BlueGreenPause", "active", "preview"])?;

    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current())?;
    rig.only("2")?;
    check(rig.selected("shop-active")? == second.current(), || "the active Service did not follow".to_owned())?;
    check(rig.size(first.stable())? == 2, || "version 1 did not wait for its scale-down".to_owned())?;
    rig.event("SwitchService")?;

    let before = rig.states().len();
    rig.told(&["undo", ROLLOUT], &["rollout 'shop' undo"])?;
    let back = rig.within(FAST, "fast rollback", |seen| seen.healthy() && seen.stable() == first.stable())?;
    check(back.selectors().0 == first.stable(), || format!("the Services: {:?}", back.selectors()))?;
    let paused = rig.states().iter().skip(before).any(|seen| seen.phase() == "Paused");
    check(!paused, || "the way back paused".to_owned())?;
    rig.only("1")
}

/// The numbers before the switch are bad.
pub fn pre_promotion(rig: &Rig) -> Outcome {
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "never"},
        "spec": {"metrics": [{
            "name": "never",
            "successCondition": "result[0] == 1",
            "provider": {"prometheus": {"address": format!("http://{}", rig.cluster.prometheus), "query": "vector(0)"}},
        }]},
    });
    rig.apply(&[template])?;
    let analysis = json!({"prePromotionAnalysis": {"templates": [{"templateName": "never"}]}});
    let first = rig.deploy(&blue_green(&analysis), SERVICES)?;
    rig.release("2")?;
    let aborted = rig.until("abort", |seen| seen.observed() && seen.aborted() && seen.phase() == "Degraded")?;
    check(aborted.stable() == first.stable(), || "the bad version is stable".to_owned())?;
    rig.only("1")?;
    check(rig.selected("shop-active")? == first.stable(), || "the active Service moved".to_owned())?;
    let moved = rig.states().iter().any(|seen| !seen.selectors().0.is_empty() && seen.selectors().0 != first.stable());
    check(!moved, || "the active Service moved for a while".to_owned())?;
    let messages = rig.event("RolloutAborted")?;
    check(messages.iter().any(|text| text.contains("pre-promotion")), || format!("the event says {messages:?}"))
}

/// The numbers after the switch are bad: the users go back to pods that have waited for them.
pub fn post_promotion(rig: &Rig) -> Outcome {
    rig.apply(&[manifest::verdict(&rig.cluster.prometheus, "vector(2)")])?;
    let analysis = json!({"postPromotionAnalysis": {"templates": [{"templateName": "verdict"}]}});
    let first = rig.deploy(&blue_green(&analysis), SERVICES)?;
    rig.release("2")?;
    rig.until("switch", |seen| seen.selectors().0 == seen.current() && seen.current() != first.stable())?;
    rig.only("2")?;
    let aborted = rig.until("abort", |seen| {
        seen.observed() && seen.aborted() && seen.phase() == "Degraded" && seen.selectors().0 == first.stable()
    })?;
    check(aborted.stable() == first.stable(), || "the bad version is stable".to_owned())?;
    rig.only("1")?;
    check(rig.size(first.stable())? == 2, || "version 1 did not keep its size".to_owned())?;
    let messages = rig.event("RolloutAborted")?;
    check(messages.iter().any(|text| text.contains("post-promotion")), || format!("the event says {messages:?}"))?;
    rig.holds(PATIENCE, "end of version 2's pods", || Ok((rig.size(aborted.current())? == 0).then_some(())))
}

/// A person aborts before the switch, tries again, and aborts once more when the users are over already.
pub fn abort_by_hand(rig: &Rig) -> Outcome {
    // A verdict that does not come: the switch is done, the promotion waits for it.
    let mut late = manifest::verdict(&rig.cluster.prometheus, "vector(1)");
    late["spec"]["metrics"][0]["initialDelay"] = json!("10m");
    rig.apply(&[late])?;
    let more = json!({"autoPromotionEnabled": false,
        "postPromotionAnalysis": {"templates": [{"templateName": "verdict"}]}});
    let first = rig.deploy(&blue_green(&more), SERVICES)?;
    rig.release("2")?;
    let waits = |seen: &Seen| seen.observed() && seen.phase() == "Paused" && seen.message() == "BlueGreenPause";
    rig.until("pause before the switch", waits)?;

    rig.told(&["abort", ROLLOUT], &["aborted"])?;
    let gone = |seen: &Seen| seen.aborted() && seen.phase() == "Degraded" && seen.selectors().0 == first.stable();
    rig.until("abort before the switch", gone)?;
    let moved = rig.states().iter().any(|seen| !seen.selectors().0.is_empty() && seen.selectors().0 != first.stable());
    check(!moved, || "the active Service moved".to_owned())?;
    rig.only("1")?;

    rig.told(&["retry", "rollout", ROLLOUT], &["retried"])?;
    rig.until("second pause before the switch", waits)?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("switch", |seen| seen.selectors().0 == seen.current() && !seen.promoted())?;
    rig.only("2")?;
    rig.told(&["abort", ROLLOUT], &["aborted"])?;
    let aborted = rig.within(FAST, "abort after the switch", gone)?;
    check(aborted.stable() == first.stable(), || "version 2 is stable".to_owned())?;
    rig.only("1")?;
    check(rig.size(first.stable())? == 2, || "version 1 did not keep its size".to_owned())?;
    rig.holds(PATIENCE, "end of version 2's pods", || Ok((rig.size(aborted.current())? == 0).then_some(())))
}
