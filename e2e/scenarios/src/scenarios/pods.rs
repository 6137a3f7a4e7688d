//! Pods that cannot start.

use std::time::Duration;

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("deadline-aborts", "pods that do not come within the deadline are taken back", deadline_aborts).long(),
    good("fail-fast", "an image that can never come ends the update at once where failFast is set", fail_fast),
    good("budget", "a disruption budget that allows none does not stop an update", budget),
    good("pods-never-start", "the image is missing: said at once, Degraded at the deadline", never_start)
        .long()
        .smoke(),
];

/// What kubelet says of an image that is not there and may not be pulled.
const REASON: &str = "ErrImageNeverPull";
/// Until kubelet has said so and the status shows it.
const SOON: Duration = Duration::from_secs(30);

/// The reason is in the status within seconds, the phase follows at the deadline, an abort cleans up.
pub fn never_start(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    if let Some(spec) = rollout["spec"].as_object_mut() {
        spec.insert("progressDeadlineSeconds".to_owned(), json!(40));
    }
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    rig.release("missing")?;
    let blocked = rig.within(SOON, "blocker with the pods' reason", |seen| {
        seen.blockers().iter().any(|(code, message)| code == "PodCannotStart" && message.contains(REASON))
    })?;
    check(blocked.weight() == 0, || "pods that do not run have traffic".to_owned())?;
    check(blocked.phase() == "Progressing", || format!("before the deadline it is {}", blocked.line()))?;
    rig.only("1")?;

    let late = rig.until("end of the deadline", |seen| seen.phase() == "Degraded")?;
    check(late.message().starts_with("ProgressDeadlineExceeded: "), || format!("it says {:?}", late.message()))?;
    check(late.message().contains(REASON), || format!("it does not say why: {:?}", late.message()))?;
    rig.event("ProgressDeadlineExceeded")?;

    rig.told(&["abort", ROLLOUT], &["aborted"])?;
    rig.until("abort", |seen| seen.aborted() && seen.message().starts_with("RolloutAborted: "))?;
    rig.holds(PATIENCE, "end of the broken pods", || Ok((rig.size(late.current())? == 0).then_some(())))?;
    rig.release("1")?;
    rig.until("Healthy at version 1", |seen| seen.healthy() && seen.stable() == first.stable())?;
    rig.only("1")
}

/// The deadline is ten minutes away, and nobody waits for it.
fn fail_fast(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    rollout["spec"]["failFast"] = json!(true);
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    rig.release("missing")?;
    let ended = rig.within(SOON, "abort", Seen::aborted)?;
    let says = ended.message().starts_with("RolloutAborted: ") && ended.message().contains(REASON);
    check(says, || format!("it does not say why: {:?}", ended.message()))?;
    check(rig.weights() == [0], || format!("the weights were {:?}", rig.weights()))?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// Nobody is there: the deadline itself takes the version back.
pub fn deadline_aborts(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    rollout["spec"]["progressDeadlineSeconds"] = json!(20);
    rollout["spec"]["progressDeadlineAbort"] = json!(true);
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    rig.release("missing")?;
    let aborted = rig.until("abort at the deadline", |seen| seen.aborted() && seen.phase() == "Degraded")?;
    check(aborted.message().contains("has timed out progressing"), || format!("it says {:?}", aborted.message()))?;
    check(aborted.stable() == first.stable(), || "another revision is stable".to_owned())?;
    check(rig.weights() == [0], || format!("the weights were {:?}", rig.weights()))?;
    rig.event("RolloutAborted")?;
    rig.holds(PATIENCE, "end of the broken pods", || Ok((rig.size(aborted.current())? == 0).then_some(())))?;
    // A version that works needs nobody to take the abort back.
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50 && !seen.aborted())?;
    rig.share("2", 50)
}

/// No voluntary disruption is allowed: an update is none, an eviction is.
pub fn budget(rig: &Rig) -> Outcome {
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": ROLLOUT},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": ROLLOUT}}},
    });
    rig.apply(&[budget])?;
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])?;
    rig.release("2")?;
    let second = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    // The budget counts the pods of both revisions, through the scale subresource of the Rollout.
    let budget = rig.holds(PATIENCE, "budget that counts", || {
        let budget = rig.api().get("PodDisruptionBudget", &rig.namespace, ROLLOUT)?;
        Ok((budget["status"]["currentHealthy"] == 3).then_some(budget))
    })?;
    check(budget["status"]["disruptionsAllowed"] == 0, || format!("the budget is {}", budget["status"]))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current())?;
    rig.only("2")?;
    rig.holds(PATIENCE, "end of version 1's pods", || Ok((rig.size(first.stable())? == 0).then_some(())))
}
