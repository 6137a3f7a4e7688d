//! A Deployment under load that becomes a Rollout.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::{Seen, is_ready};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("workload-migration", "a Deployment that serves becomes a Rollout, and is released from there", play)
        .with_kubectl()
        .smoke(),
    good("workload-never", "a referenced Deployment that keeps its pods", never),
    good("workload-on-success", "a referenced Deployment that goes once the Rollout is Healthy", on_success),
    good("workload-pod-template", "versions from a PodTemplate", pod_template),
];

const REPLICAS: u32 = 4;
/// Pods that must be there at any time: a quarter may be missing.
const FLOOR: usize = 3;
/// Long enough for a controller that would act to show it.
const WATCHED: Duration = Duration::from_secs(4);

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

/// A Deployment that serves, and a Rollout beside it that takes its pods away in a mode.
fn beside(rig: &Rig, mode: &str) -> Outcome<Seen> {
    rig.route(&["shop-stable", "shop-canary"])?;
    rig.apply(&[manifest::deployment(2)])?;
    rig.holds(PATIENCE, "pods of the Deployment", || Ok((available(rig)? == 2).then_some(())))?;
    rig.open()?;
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    rig.apply(&[manifest::successor(2, &manifest::canary(&steps), mode)])?;
    rig.until("Healthy", Seen::healthy)
}

/// A Deployment that somebody else takes care of.
fn never(rig: &Rig) -> Outcome {
    let first = beside(rig, "never")?;
    rig.sized(first.stable(), 2)?;
    rig.stays(WATCHED, "Healthy", Seen::healthy)?;
    check(size(rig)? == 2, || format!("the Deployment has size {:?}", size(rig)))?;
    rig.only("1")
}

/// Both are there until the Rollout is; then the Deployment has none.
fn on_success(rig: &Rig) -> Outcome {
    let first = beside(rig, "onsuccess")?;
    rig.holds(PATIENCE, "end of the Deployment's pods", || {
        let available = available(rig)?;
        check(available >= 2, || format!("{available} pods are available"))?;
        Ok((size(rig)? == 0).then_some(()))
    })?;
    rig.sized(first.stable(), 2)?;
    rig.only("1")
}

/// A `PodTemplate` has nothing but a template; each change of it is a release.
fn pod_template(rig: &Rig) -> Outcome {
    let object = json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": ROLLOUT},
        "template": manifest::template("1")});
    rig.apply(&[object])?;
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    if let Some(spec) = rollout["spec"].as_object_mut() {
        spec.remove("template");
        let reference = json!({"apiVersion": "v1", "kind": "PodTemplate", "name": ROLLOUT});
        spec.insert("workloadRef".to_owned(), reference);
    }
    let first = rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    let patch = json!({"template": manifest::template("2")});
    rig.api().merge("PodTemplate", (&rig.namespace, ROLLOUT), &patch)?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("2", 50)?;
    rig.promote()?;
    rig.promoted(&first)?;
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
