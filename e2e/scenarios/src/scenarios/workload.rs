//! A Deployment under load that becomes a Rollout.

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::{Seen, is_ready};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] =
    &[good("workload-migration", "a Deployment that serves becomes a Rollout, and is released from there", play)
        .with_kubectl()
        .smoke()];

const REPLICAS: u32 = 4;
/// Pods that must be there at any time: a quarter may be missing.
const FLOOR: usize = 3;

/// The Rollout takes the Deployment's pods over one by one, under load; the next version comes through the Deployment.
pub fn play(rig: &Rig) -> Outcome {
    rig.route(&["shop-stable", "shop-canary"])?;
    rig.apply(&[manifest::deployment(REPLICAS)])?;
    rig.holds(PATIENCE, "pods of the Deployment", || Ok((available(rig)? == REPLICAS as usize).then_some(())))?;
    rig.open()?;

    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    rig.apply(&[manifest::successor(REPLICAS, &manifest::canary(&steps), "progressively")])?;
    rig.holds(PATIENCE, "end of the Deployment's pods", || {
        let available = available(rig)?;
        check(available >= FLOOR, || format!("{available} pods are available"))?;
        Ok((size(rig)? == 0).then_some(()))
    })?;
    let first = rig.until("Healthy by itself", Seen::healthy)?;
    rig.only("1")?;
    let (worked, text) = rig.kubectl(&["wait", "--for=condition=Healthy", "--timeout=60s", "rollout/shop"])?;
    check(worked, || format!("kubectl wait: {text}"))?;
    let noted = deployment(rig)?["metadata"]["annotations"]["siskin.dev/drained-from"].clone();
    check(noted == json!(REPLICAS.to_string()), || format!("the Deployment says {noted}"))?;

    let patch = json!({"spec": {"template": manifest::template("2")}});
    rig.api().merge("Deployment", (&rig.namespace, ROLLOUT), &patch)?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    // A delivery tool that applies the Deployment with its old size.
    rig.api().merge("Deployment", (&rig.namespace, ROLLOUT), &json!({"spec": {"replicas": 1}}))?;
    rig.holds(PATIENCE, "another end of the Deployment's pods", || Ok((size(rig)? == 0).then_some(())))?;
    rig.told(&["promote", ROLLOUT], &["promoted"])?;
    rig.until("promotion", |seen| seen.healthy() && seen.promoted() && seen.stable() != first.stable())?;
    rig.only("2")
}

fn deployment(rig: &Rig) -> Outcome<Value> {
    rig.api().get("Deployment", &rig.namespace, ROLLOUT)
}

fn size(rig: &Rig) -> Outcome<i64> {
    Ok(deployment(rig)?["spec"]["replicas"].as_i64().unwrap_or(1))
}

/// Pods of the Deployment and of the Rollout that are ready and stay.
fn available(rig: &Rig) -> Outcome<usize> {
    Ok(rig.api().list("Pod", &rig.namespace, "?labelSelector=app%3Dshop")?.iter().filter(|pod| is_ready(pod)).count())
}
