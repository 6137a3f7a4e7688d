//! What people and nodes do to a canary that has half of the traffic.

use std::time::Duration;

use serde_json::json;

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("undo-midway", "a person takes the second version back at half of the traffic", undo).parity(),
    good("scale-midway", "more pods, then fewer, at half of the traffic", scale),
    good("pods-deleted", "the canary's pod and a stable one are evicted in the middle", pods_deleted).long(),
    good("promote-full", "a person promotes past all steps", promote_full).parity(),
];

/// Version 1 stable, version 2 with half of the traffic, and a pause without an end.
fn halfway(rig: &Rig, replicas: u32) -> Outcome<(Seen, Seen)> {
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 75}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(replicas, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])?;
    rig.release("2")?;
    let second = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    Ok((first, second))
}

/// The template of the stable version comes back: no steps, no new revision.
pub fn undo(rig: &Rig) -> Outcome {
    let (first, second) = halfway(rig, 2)?;
    rig.told(&["undo", ROLLOUT], &["rollout 'shop' undo"])?;
    let back = rig.until("way back", |seen| seen.healthy() && seen.current() == first.stable())?;
    check(back.promoted() && back.weight() == 0, || format!("it is {}", back.line()))?;
    rig.only("1")?;
    rig.event("SkipSteps")?;
    rig.holds(PATIENCE, "end of version 2's pods", || Ok((rig.size(second.current())? == 0).then_some(())))?;
    check(rig.weights() == [0, 50, 0], || format!("the weights were {:?}", rig.weights()))?;
    check(rig.replica_sets()?.len() == 2, || format!("the revisions are {:?}", rig.replica_sets()))
}

/// Both revisions follow the size; the weight does not.
pub fn scale(rig: &Rig) -> Outcome {
    let (first, second) = halfway(rig, 2)?;
    let sizes = || Ok::<_, String>((rig.size(first.stable())?, rig.size(second.current())?));
    for (replicas, wanted) in [(4, (4, 2)), (2, (2, 1))] {
        rig.scale(replicas)?;
        rig.holds(PATIENCE, &format!("sizes {wanted:?}"), || Ok((sizes()? == wanted).then_some(())))?;
        rig.until("pods of these sizes", |seen| seen.pods() == (wanted.0 + wanted.1, wanted.1))?;
        rig.stays(Duration::from_secs(3), "the weight", |seen| seen.weight() == 50 && seen.index() == 1)?;
        rig.share("2", 50)?;
    }
    check(rig.replica_sets()?.len() == 2, || format!("the revisions are {:?}", rig.replica_sets()))
}

/// Pods are taken away as an eviction does it; they drain, others come, and the canary goes on.
pub fn pods_deleted(rig: &Rig) -> Outcome {
    // Two pods of each revision: where the only one goes, nobody can answer until the weights have moved.
    let (first, second) = halfway(rig, 4)?;
    for hash in [second.current(), first.stable()] {
        let before = rig.ready_pods(hash)?;
        let evicted = before.first().ok_or_else(|| format!("revision {hash} has no pod"))?;
        rig.api().delete("Pod", &rig.namespace, evicted)?;
        rig.holds(PATIENCE, "another pod", || {
            let now = rig.ready_pods(hash)?;
            Ok((now.len() == before.len() && !now.contains(evicted)).then_some(()))
        })?;
    }
    rig.share("2", 50)?;
    let revisions = rig.replica_sets()?;
    check(revisions.len() == 2, || format!("the revisions are {revisions:?}"))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("pause at 75 %", |seen| seen.paused_at(3))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current())?;
    rig.only("2")
}

/// All pods first, then all of the traffic: in a hurry, not in a rush.
pub fn promote_full(rig: &Rig) -> Outcome {
    let (_, second) = halfway(rig, 2)?;
    rig.told(&["promote", ROLLOUT, "--full"], &["rollout 'shop' fully promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.stable() == second.current())?;
    let paused = rig.states().iter().any(|seen| seen.paused_at(3));
    check(!paused, || "it paused on the way".to_owned())?;
    let messages = rig.event("RolloutCompleted")?;
    let said = messages.iter().any(|text| text.contains("Full promotion requested"));
    check(said, || format!("the events say {messages:?}"))?;
    rig.only("2")
}
