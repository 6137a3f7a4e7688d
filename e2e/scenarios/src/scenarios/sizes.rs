//! How many pods each revision has, by steps, weights, limits and delays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("canary-scale", "steps size the canary apart from its weight, and tie it to the weight again", canary_scale)
        .parity(),
    good("min-pods", "a share of one pod gets two where that is the least", min_pods),
    good("dynamic-stable", "stable shrinks as the canary grows; an abort waits until it is back", dynamic_stable),
    good("dynamic-promotion", "stable shrinks as the canary grows, to the end", dynamic_promotion),
    good("abort-delay", "an aborted canary that has its own size stays for a while, then goes", abort_delay),
    good("delay-limit", "of two revisions that wait for their end, the older goes at once", delay_limit).long(),
    good("percent-surge", "half more and a quarter less, in percent: rounded up and down", percent_surge),
    good("scale-to-zero", "no pods, and back", scale_to_zero),
    good("scale-at-rest", "more and fewer pods of one version: no new revision, no step", scale_at_rest),
    good("autoscaler", "a HorizontalPodAutoscaler's bounds size a Rollout in the middle of a canary", autoscaler)
        .long(),
    good("min-ready", "a pod counts after its seconds of being ready", min_ready),
];

const SERVICES: &[&str] = &["shop-stable", "shop-canary"];
/// Long enough for a controller that would go on to show it.
const WATCHED: Duration = Duration::from_secs(3);

/// Sizes of three and of half the pods without traffic, then a weight beside them, then the weight's own size.
fn canary_scale(rig: &Rig) -> Outcome {
    let steps = json!([
        {"setCanaryScale": {"replicas": 3}}, {"pause": {}}, {"setCanaryScale": {"weight": 50}}, {"pause": {}},
        {"setWeight": 20}, {"pause": {}}, {"setCanaryScale": {"matchTrafficWeight": true}}, {"pause": {}},
    ]);
    let first = rig.deploy(&manifest::rollout(4, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    for (step, size, weight) in [(1, 3, 0), (3, 2, 0), (5, 2, 20), (7, 1, 20)] {
        let paused = rig.until(&format!("pause {step}"), |seen| seen.paused_at(step) && seen.weight() == weight)?;
        rig.sized(paused.current(), size)?;
        rig.sized(first.stable(), 4)?;
        rig.promote()?;
    }
    rig.promoted(&first)?;
    rig.only("2")
}

/// One of ten pods' share is one pod; two are the least.
fn min_pods(rig: &Rig) -> Outcome {
    let mut strategy = manifest::canary(&json!([{"setWeight": 10}, {"pause": {}}]));
    strategy["canary"]["minPodsPerReplicaSet"] = json!(2);
    let first = rig.deploy(&manifest::rollout(4, &strategy), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause at 10 %", |seen| seen.paused_at(1) && seen.weight() == 10)?;
    rig.sized(paused.current(), 2)?;
    rig.share("2", 10)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

fn dynamic(steps: &Value) -> Value {
    let mut strategy = manifest::canary(steps);
    strategy["canary"]["dynamicStableScale"] = json!(true);
    if let Some(canary) = strategy["canary"].as_object_mut() {
        // The stable revision shrinks with its weight: there is nothing to delay.
        canary.remove("abortScaleDownDelaySeconds");
        canary.remove("scaleDownDelaySeconds");
    }
    strategy
}

/// Two and two at half of the traffic; on the way back nobody meets a stable revision that is too small.
fn dynamic_stable(rig: &Rig) -> Outcome {
    let strategy = dynamic(&json!([{"setWeight": 50}, {"pause": {}}]));
    let first = rig.deploy(&manifest::rollout(4, &strategy), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.sized(paused.current(), 2)?;
    rig.sized(first.stable(), 2)?;
    rig.share("2", 50)?;
    let aborted = rig.abort()?;
    rig.only("1")?;
    rig.sized(first.stable(), 4)?;
    rig.sized(aborted.current(), 0)?;
    check(aborted.stable() == first.stable(), || "the aborted version is stable".to_owned())
}

/// Never fewer pods than the Rollout asks for, to the end.
fn dynamic_promotion(rig: &Rig) -> Outcome {
    let strategy = dynamic(&json!([{"setWeight": 25}, {"pause": {"duration": 2}}, {"setWeight": 75}, {"pause": {}}]));
    let first = rig.deploy(&manifest::rollout(4, &strategy), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause at 75 %", |seen| seen.paused_at(3) && seen.weight() == 75)?;
    rig.sized(paused.current(), 3)?;
    rig.sized(first.stable(), 1)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.sized(first.stable(), 0)?;
    let least = rig.states().iter().map(|seen| seen.object["status"]["availableReplicas"].as_i64().unwrap_or(0)).min();
    check(least >= Some(4), || format!("only {least:?} pods were available"))?;
    rig.only("2")
}

/// A size that a step has set is kept for the delay; nothing of it gets traffic.
fn abort_delay(rig: &Rig) -> Outcome {
    let mut strategy =
        manifest::canary(&json!([{"setCanaryScale": {"replicas": 2}}, {"setWeight": 20}, {"pause": {}}]));
    strategy["canary"]["abortScaleDownDelaySeconds"] = json!(15);
    rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 20 %", |seen| seen.paused_at(2) && seen.weight() == 20)?;
    let aborted = rig.abort()?;
    let deadline = rig.holds(PATIENCE, "deadline of the aborted pods", || rig.deadline(aborted.current()))?;
    check(!deadline.is_empty(), || "it is empty".to_owned())?;
    check(rig.size(aborted.current())? == 2, || "the aborted pods went before their deadline".to_owned())?;
    rig.only("1")?;
    rig.sized(aborted.current(), 0)
}

/// Three versions in a row within the delay of the first: one revision may wait, not two.
fn delay_limit(rig: &Rig) -> Outcome {
    let mut strategy = manifest::canary(&json!([{"setWeight": 50}]));
    strategy["canary"]["scaleDownDelaySeconds"] = json!(300);
    strategy["canary"]["scaleDownDelayRevisionLimit"] = json!(1);
    let first = rig.deploy(&manifest::rollout(1, &strategy), SERVICES)?;
    rig.release("2")?;
    let second = rig.promoted(&first)?;
    rig.holds(PATIENCE, "deadline of version 1", || rig.deadline(first.stable()))?;
    check(rig.size(first.stable())? == 1, || "version 1 did not wait".to_owned())?;
    rig.release("3")?;
    rig.promoted(&second)?;
    rig.holds(PATIENCE, "deadline of version 2", || rig.deadline(second.stable()))?;
    rig.sized(first.stable(), 0)?;
    check(rig.size(second.stable())? == 1, || "version 2 did not wait".to_owned())?;
    rig.only("3")
}

/// Of five pods: three more at most (2.5 rounded up), one less at most (1.25 rounded down).
fn percent_surge(rig: &Rig) -> Outcome {
    let strategy = json!({"canary": {"maxSurge": "50%", "maxUnavailable": "25%"}});
    let first = rig.deploy(&manifest::rollout(5, &strategy), &["shop"])?;
    rig.release("2")?;
    rig.promoted(&first)?;
    rig.until("five new pods", |seen| seen.pods() == (5, 5))?;
    let states = rig.states();
    let least = states.iter().map(|seen| seen.object["status"]["availableReplicas"].as_i64().unwrap_or(0)).min();
    check(least >= Some(4), || format!("only {least:?} pods were available"))?;
    // Pods that have been told to go may be counted for a moment.
    let asked = states.iter().map(|seen| seen.object["status"]["updatedReplicas"].as_i64().unwrap_or(0)).max();
    check(asked <= Some(5), || format!("there were {asked:?} new pods"))?;
    rig.only("2")
}

/// Nobody asks for a Rollout of no pods, so there are no users here.
fn scale_to_zero(rig: &Rig) -> Outcome {
    rig.route(SERVICES)?;
    rig.apply(&[manifest::rollout(2, &manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}])))])?;
    let first = rig.until("first Healthy", crate::seen::Seen::healthy)?;
    rig.scale(0)?;
    rig.sized(first.stable(), 0)?;
    let empty = rig.until("Healthy without pods", |seen| seen.healthy() && seen.pods() == (0, 0))?;
    check(empty.revision() == "1", || format!("it is revision {}", empty.revision()))?;
    // A version that comes meanwhile is there once there are pods again.
    rig.scale(2)?;
    rig.sized(first.stable(), 2)?;
    rig.until("Healthy with pods", |seen| seen.healthy() && seen.pods() == (2, 2))?;
    check(rig.replica_sets()?.len() == 1, || format!("the revisions are {:?}", rig.replica_sets()))?;
    rig.open()?;
    rig.only("1")
}

/// What `kubectl scale` and autoscalers see and write.
fn scale_at_rest(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    for size in [4, 1, 2] {
        rig.scale(size)?;
        rig.sized(first.stable(), size)?;
        rig.until(&format!("Healthy with {size} pods"), |seen| seen.healthy() && seen.pods() == (size, size))?;
        let path = crate::api::path("Rollout", &rig.namespace, ROLLOUT) + "/scale";
        let scale = rig.api().ask("GET", &path, "", &Value::Null)?;
        let told = (&scale["spec"]["replicas"], &scale["status"]["replicas"]);
        check(told == (&json!(size), &json!(size)), || format!("the scale is {scale}"))?;
        check(scale["status"]["selector"] == "app=shop", || format!("the scale is {scale}"))?;
    }
    let now = rig.now()?;
    check(now.revision() == "1" && rig.replica_sets()?.len() == 1, || format!("it is {}", now.line()))?;
    rig.only("1")
}

/// Without any metric an autoscaler keeps to its bounds: enough to see that it finds the Rollout and is obeyed.
fn autoscaler(rig: &Rig) -> Outcome {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let first = rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    let paused = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let bounds = |least: i64, most: i64| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": ROLLOUT},
            "spec": {
                "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": ROLLOUT},
                "minReplicas": least, "maxReplicas": most, "metrics": [metric],
            },
        })
    };
    for (least, most, size, canary) in [(4, 8, 4, 2), (1, 2, 2, 1)] {
        rig.apply(&[bounds(least, most)])?;
        rig.sized(first.stable(), size)?;
        rig.sized(paused.current(), canary)?;
        rig.stays(WATCHED, "the weight", |seen| seen.weight() == 50 && seen.index() == 1)?;
    }
    rig.share("2", 50)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// With six seconds to wait, two pods one after the other take twelve.
fn min_ready(rig: &Rig) -> Outcome {
    let mut rollout = manifest::rollout(2, &json!({"canary": {"maxSurge": 1, "maxUnavailable": 0}}));
    rollout["spec"]["minReadySeconds"] = json!(6);
    let first = rig.deploy(&rollout, &["shop"])?;
    let began = std::time::Instant::now();
    rig.release("2")?;
    rig.promoted(&first)?;
    rig.until("two new pods", |seen| seen.pods() == (2, 2))?;
    let took = began.elapsed();
    check(took >= Duration::from_secs(12), || format!("it took {took:?}"))?;
    rig.only("2")
}
