//! Updates without a router and without steps: pods alone, a few at a time.

use serde_json::{Value, json};

use crate::manifest;
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("history", "old revisions go, but for the last", history).long(),
    good("no-surge", "a pod less, never one more", no_surge),
    good("none-unavailable", "a pod more, never one less", none_unavailable),
];

const REPLICAS: i64 = 3;

/// Updates to version 2 and checks that at all times enough pods were available.
fn roll(rig: &Rig, strategy: &Value, least: i64) -> Outcome<Vec<Seen>> {
    let first = rig.deploy(&manifest::rollout(3, &json!({"canary": strategy})), &["shop"])?;
    rig.release("2")?;
    rig.until("promotion", |seen| {
        seen.healthy() && seen.promoted() && seen.stable() != first.stable() && seen.pods() == (REPLICAS, REPLICAS)
    })?;
    rig.only("2")?;
    let states = rig.states();
    let available = states.iter().map(|seen| seen.object["status"]["availableReplicas"].as_i64().unwrap_or(0)).min();
    check(available >= Some(least), || format!("only {available:?} pods were available"))?;
    Ok(states)
}

/// One pod less, never one more.
pub fn no_surge(rig: &Rig) -> Outcome {
    let states = roll(rig, &json!({"maxSurge": 0, "maxUnavailable": 1}), REPLICAS - 1)?;
    // Three, and one that its ReplicaSet still counts although it has been told to let it go.
    let most = states.iter().map(|seen| seen.pods().0).max();
    check(most <= Some(REPLICAS + 1), || format!("there were {most:?} pods"))
}

/// One pod more, never one less.
pub fn none_unavailable(rig: &Rig) -> Outcome {
    roll(rig, &json!({"maxSurge": 1, "maxUnavailable": 0}), REPLICAS).map(drop)
}

/// Of the revisions that are over, one is kept.
pub fn history(rig: &Rig) -> Outcome {
    let mut rollout = manifest::rollout(1, &json!({"canary": {"maxSurge": 1, "maxUnavailable": 0}}));
    rollout["spec"]["revisionHistoryLimit"] = json!(1);
    let mut last = rig.deploy(&rollout, &["shop"])?;
    for (tag, revision) in [("2", "2"), ("3", "3"), ("1", "4")] {
        rig.release(tag)?;
        let before = last.stable().to_owned();
        last = rig.until(&format!("revision {revision}"), |seen| seen.healthy() && seen.revision() == revision)?;
        rig.until("promotion", |seen| seen.healthy() && seen.promoted())?;
        // The newest of the old ones stays: the way back.
        let kept = rig.holds(PATIENCE, "two revisions", || {
            let sets = rig.replica_sets()?;
            let newest = sets.iter().any(|set| set.0 == last.current()) && sets.iter().any(|set| set.0 == before);
            let ended = sets.iter().all(|set| set.0 == last.current() || set.1 == 0);
            Ok((newest && ended && sets.len() <= 2).then_some(sets))
        });
        check(kept.is_ok(), || format!("{kept:?}; the revisions are {:?}", rig.replica_sets()))?;
    }
    rig.only("1")
}
