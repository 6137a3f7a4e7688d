//! The whole list of events, in order: what other tools' tests compare.

use std::time::Duration;

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("canary-events", "update, abort, retry, promotion: the exact events", canary).parity(),
    good("blue-green-events", "deployment and update: the exact events", blue_green).parity(),
];

/// Long enough for an event too many.
const WATCHED: Duration = Duration::from_secs(3);

/// Waits until there are as many events as are expected, and a moment longer; checks that they are these.
fn expect(rig: &Rig, expected: &[&str]) -> Outcome {
    let complete =
        rig.holds(PATIENCE, "complete list of events", || Ok((rig.reasons()?.len() >= expected.len()).then_some(())));
    std::thread::sleep(WATCHED);
    let reasons = rig.reasons()?;
    check(reasons == expected, || format!("{complete:?}: the events were {reasons:#?}, expected {expected:#?}"))
}

/// Update, pause, abort, retry, promotion.
pub fn canary(rig: &Rig) -> Outcome {
    let strategy = json!({"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}});
    rig.deploy(&manifest::rollout(1, &strategy), &["shop"])?;
    rig.release("2")?;
    rig.until("pause", |seen| seen.paused_at(1))?;
    rig.told(&["abort", ROLLOUT], &["aborted"])?;
    rig.until("abort", |seen| seen.aborted() && seen.phase() == "Degraded")?;
    rig.told(&["retry", "rollout", ROLLOUT], &["retried"])?;
    rig.until("second pause", |seen| !seen.aborted() && seen.paused_at(1))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.revision() == "2")?;
    let expected = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "ScalingReplicaSet",
        "RolloutAborted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ];
    expect(rig, &expected)
}

/// Deployment, update, switch.
pub fn blue_green(rig: &Rig) -> Outcome {
    let strategy = json!({"blueGreen": {"activeService": "shop-active", "scaleDownDelaySeconds": 600}});
    rig.deploy(&manifest::rollout(1, &strategy), &["shop-active"])?;
    rig.release("2")?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.revision() == "2")?;
    let expected = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "SwitchService",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "SwitchService",
        "RolloutCompleted",
    ];
    expect(rig, &expected)
}
