//! A delivery tool that applies the same manifests again and again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("weights-reset", "a delivery tool resets the route in the middle of a canary", weights_reset).long(),
    good("re-apply", "the same manifest again and again changes nothing", play).with_kubectl().smoke(),
];

/// Long enough for a controller that took the manifest for a change.
const WATCHED: Duration = Duration::from_secs(3);
/// One event, one write.
const REPAIRED: Duration = Duration::from_secs(5);
/// How often the tool comes by, in each state.
const ROUNDS: usize = 3;

/// Applies while nothing happens, in the middle of a canary, and after it.
pub fn play(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 40}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    again(rig, &rollout)?;
    rollout["spec"]["template"] = manifest::template("2");
    rig.kubectl_apply(&rollout)?;
    rig.until("pause at 40 %", |seen| seen.paused_at(1) && seen.weight() == 40)?;
    again(rig, &rollout)?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.revision() == "2")?;
    // Healthy comes before the end of the old pods; what is watched from here on should have nothing left to do.
    rig.until("end of version 1's pods", |seen| seen.healthy() && seen.pods() == (2, 2) && seen.blockers().is_empty())?;
    again(rig, &rollout)?;
    rig.only("2")?;
    check(rig.weights() == [0, 40, 100, 0], || format!("the weights were {:?}", rig.weights()))
}

/// Applies the same, and checks that nothing moves.
fn again(rig: &Rig, rollout: &Value) -> Outcome {
    // The first time, kubectl notes down what it applied.
    rig.kubectl_apply(rollout)?;
    rig.stays(Duration::from_secs(2), "what was", |_| true)?;
    let before = rig.now()?;
    let revisions = rig.replica_sets()?;
    let selected = (rig.selected("shop-stable")?, rig.selected("shop-canary")?);
    for _ in 0..ROUNDS {
        rig.kubectl_apply(rollout)?;
        for service in ["shop-stable", "shop-canary"] {
            rig.kubectl_apply(&manifest::service(service))?;
        }
        rig.stays(WATCHED, "what was", |seen| seen.line() == before.line())?;
    }
    check(rig.replica_sets()? == revisions, || format!("{revisions:?} became {:?}", rig.replica_sets()))?;
    let now = (rig.selected("shop-stable")?, rig.selected("shop-canary")?);
    check(now == selected, || format!("the Services went from {selected:?} to {now:?}"))?;
    let generation = |seen: &crate::seen::Seen| seen.object["metadata"]["generation"].clone();
    check(generation(&rig.now()?) == generation(&before), || "the generation moved".to_owned())
}

/// A delivery tool that owns the route puts its weights back to 100 : 0, twice in the middle of a canary.
pub fn weights_reset(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 40}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]);
    rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), &["shop-stable", "shop-canary"])?;
    rig.release("2")?;
    let mut route = manifest::route(&rig.cluster.gateway_name, &rig.host(), &["shop-stable", "shop-canary"]);
    for (backend, weight) in [100, 0].into_iter().enumerate() {
        route["spec"]["rules"][0]["backendRefs"][backend]["weight"] = json!(weight);
    }
    for (step, weight) in [(1, 40), (3, 60)] {
        rig.until("pause", |seen| seen.paused_at(step) && seen.weight() == weight)?;
        rig.apply(std::slice::from_ref(&route))?;
        let written = rig.holds(REPAIRED, "repaired weights", || {
            let route = rig.api().get("HTTPRoute", &rig.namespace, ROLLOUT)?;
            let backends = &route["spec"]["rules"][0]["backendRefs"];
            let now = (backends[0]["weight"].as_i64(), backends[1]["weight"].as_i64());
            Ok((now == (Some(100 - weight), Some(weight))).then_some(route["metadata"]["generation"].clone()))
        })?;
        // The status tells what the route says: for a moment after the reset, the tool's weight.
        rig.stays(WATCHED, "the pause", |seen| seen.paused_at(step))?;
        rig.until("the repaired weight in the status", |seen| seen.paused_at(step) && seen.weight() == weight)?;
        let later = rig.api().get("HTTPRoute", &rig.namespace, ROLLOUT)?["metadata"]["generation"].clone();
        check(later == written, || format!("the route went on from generation {written} to {later}"))?;
        rig.share("2", u64::try_from(weight).unwrap_or(0))?;
        rig.told(&["promote", ROLLOUT], &["promoted"])?;
    }
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.revision() == "2")?;
    rig.only("2")
}
