//! Pods that cannot start.

use std::time::Duration;

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};

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
