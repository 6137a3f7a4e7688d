//! Pods, their metadata, quotas, owners, and controllers that come and go.

use std::time::Duration;

use serde_json::{Value, json};

use crate::controller::Controller;
use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, PATIENCE, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] = &[
    good("pod-metadata", "labels of pods by the part that they play, without a restart", pod_metadata),
    good("anti-affinity", "an update's pods keep away from the stable ones", anti_affinity),
    good(
        "crash-loop",
        "pods that crash: said at once, and a good version needs no more than to be released",
        crash_loop,
    ),
    good("never-ready", "pods that are never ready get no traffic, and the deadline says it", never_ready).long(),
    good("quota", "pods that a quota forbids get no traffic, and come once there is room", quota),
    good("deletion", "what belongs to a Rollout goes with it", deletion),
    good(
        "orphans",
        "a Rollout that is deleted alone leaves its pods, and takes them back when it comes again",
        orphans,
    ),
    good("foreign", "a Rollout of another controller's is left alone", foreign),
    good("failover", "of two controllers one acts; it dies, and the other goes on", failover).long(),
];

const SERVICES: &[&str] = &["shop-stable", "shop-canary"];
/// Long enough for a controller that would act to show it.
const WATCHED: Duration = Duration::from_secs(4);

fn halfway() -> Value {
    manifest::canary(&json!([{"setWeight": 50}, {"pause": {}}]))
}

/// The value of a label on each of a revision's pods.
fn roles(rig: &Rig, hash: &str) -> Outcome<Vec<String>> {
    let query = format!("?labelSelector=rollouts-pod-template-hash%3D{hash}");
    let pods = rig.api().list("Pod", &rig.namespace, &query)?;
    let stay = pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    Ok(stay.map(|pod| pod["metadata"]["labels"]["role"].as_str().unwrap_or_default().to_owned()).collect())
}

/// Canary, then stable: the same pods.
fn pod_metadata(rig: &Rig) -> Outcome {
    let mut strategy = halfway();
    strategy["canary"]["canaryMetadata"] = json!({"labels": {"role": "canary"}});
    strategy["canary"]["stableMetadata"] = json!({"labels": {"role": "stable"}});
    let first = rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    let all = |hash: &str, role: &str, count: usize| {
        rig.holds(PATIENCE, &format!("{count} pods in the role {role}"), || {
            let roles = roles(rig, hash)?;
            Ok((roles.len() == count && roles.iter().all(|one| one == role)).then_some(()))
        })
    };
    all(first.stable(), "stable", 2)?;
    rig.release("2")?;
    let paused = rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    all(paused.current(), "canary", 1)?;
    let canary = rig.ready_pods(paused.current())?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    all(second.stable(), "stable", 2)?;
    let now = rig.ready_pods(second.stable())?;
    check(canary.iter().all(|pod| now.contains(pod)), || format!("of {canary:?} some were replaced: {now:?}"))?;
    rig.only("2")
}

/// The term is in the second revision, not in the first; it makes no third.
fn anti_affinity(rig: &Rig) -> Outcome {
    let mut strategy = halfway();
    let wish = json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 10}});
    strategy["canary"]["antiAffinity"] = wish;
    let first = rig.deploy(&manifest::rollout(2, &strategy), SERVICES)?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.promote()?;
    let second = rig.promoted(&first)?;
    let named = |hash: &str| -> Outcome<bool> {
        let sets = rig.api().list("ReplicaSet", &rig.namespace, "")?;
        let set = sets.iter().find(|set| set["metadata"]["labels"]["rollouts-pod-template-hash"] == hash);
        let affinity = set.map(|set| set["spec"]["template"]["spec"]["affinity"].to_string()).unwrap_or_default();
        Ok(affinity.contains(first.stable()) && affinity.contains("kubernetes.io/hostname"))
    };
    check(named(second.stable())? && !named(first.stable())?, || "the terms are on the wrong revisions".to_owned())?;
    rig.stays(WATCHED, "Healthy", |seen| seen.healthy() && seen.revision() == "2")?;
    rig.only("2")
}

/// A version whose program or probe is wrong; what the status says of it; then a good one.
fn broken(rig: &Rig, break_it: impl Fn(&mut Value), said: &str) -> Outcome<Seen> {
    let mut rollout = manifest::rollout(2, &halfway());
    rollout["spec"]["progressDeadlineSeconds"] = json!(25);
    let first = rig.deploy(&rollout, SERVICES)?;
    let mut template = manifest::template("2");
    break_it(&mut template["spec"]["containers"][0]);
    rig.patch(&json!({"spec": {"template": template}}))?;
    let late = rig.until("end of the deadline", |seen| seen.observed() && seen.phase() == "Degraded")?;
    check(late.message().starts_with("ProgressDeadlineExceeded: "), || format!("it says {:?}", late.message()))?;
    check(late.message().contains(said), || format!("it does not say why: {:?}", late.message()))?;
    check(rig.weights() == [0], || format!("the weights were {:?}", rig.weights()))?;
    rig.only("1")?;
    rig.release("3")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.share("3", 50)?;
    rig.sized(late.current(), 0)?;
    Ok(first)
}

fn crash_loop(rig: &Rig) -> Outcome {
    broken(rig, |container| container["command"] = json!(["/app", "exit", "1"]), "CrashLoopBackOff").map(drop)
}

fn never_ready(rig: &Rig) -> Outcome {
    broken(rig, |container| container["readinessProbe"]["httpGet"]["port"] = json!(9), "").map(drop)
}

/// Two pods are allowed; the canary would be the third.
fn quota(rig: &Rig) -> Outcome {
    let quota = |pods: u32| {
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods"},
            "spec": {"hard": {"pods": pods.to_string()}}})
    };
    let first = rig.deploy(&manifest::rollout(2, &halfway()), SERVICES)?;
    rig.apply(&[quota(2)])?;
    rig.holds(PATIENCE, "quota that counts", || {
        let quota = rig.api().get("ResourceQuota", &rig.namespace, "pods")?;
        Ok((quota["status"]["used"]["pods"] == "2").then_some(()))
    })?;
    rig.release("2")?;
    let waits = |seen: &Seen| seen.blockers().iter().any(|(code, _)| code == "WaitingForCapacity");
    let refused =
        |(code, message): (String, String)| code == "PodCannotBeCreated" && message.contains("exceeded quota");
    rig.until("blockers", |seen| seen.index() == 0 && waits(seen) && seen.blockers().into_iter().any(refused))?;
    rig.stays(WATCHED, "weight 0", |seen| seen.weight() == 0 && seen.pods().1 == 0)?;
    rig.only("1")?;
    rig.apply(&[quota(9)])?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")
}

/// `ReplicaSet`s, pods and runs; not Services and routes.
fn deletion(rig: &Rig) -> Outcome {
    rig.apply(&[manifest::verdict(&rig.cluster.prometheus, "vector(1)")])?;
    let analysis = json!({"templates": [{"templateName": "verdict"}]});
    let steps = json!([{"setWeight": 50}, {"analysis": analysis}, {"pause": {}}]);
    rig.deploy(&manifest::rollout(2, &manifest::canary(&steps)), SERVICES)?;
    rig.release("2")?;
    rig.until("pause after the analysis", |seen| seen.paused_at(2))?;
    rig.finish();
    rig.api().delete("Rollout", &rig.namespace, ROLLOUT)?;
    for kind in ["Rollout", "ReplicaSet", "AnalysisRun", "Pod"] {
        rig.holds(PATIENCE, &format!("end of each {kind}"), || {
            Ok(rig.api().list(kind, &rig.namespace, "")?.is_empty().then_some(()))
        })?;
    }
    rig.api().get("Service", &rig.namespace, "shop-stable")?;
    rig.api().get("HTTPRoute", &rig.namespace, ROLLOUT).map(drop)
}

/// As `kubectl delete --cascade=orphan` does it: users notice nothing.
fn orphans(rig: &Rig) -> Outcome {
    let rollout = manifest::rollout(2, &halfway());
    let first = rig.deploy(&rollout, SERVICES)?;
    let pods = rig.ready_pods(first.stable())?;
    let path = crate::api::path("Rollout", &rig.namespace, ROLLOUT) + "?propagationPolicy=Orphan";
    rig.api().ask("DELETE", &path, "", &Value::Null)?;
    let alone = || {
        let sets = rig.api().list("ReplicaSet", &rig.namespace, "")?;
        let owned = |set: &Value| set["metadata"]["ownerReferences"].as_array().is_some_and(|list| !list.is_empty());
        Ok((sets.len() == 1 && !sets.iter().any(owned)).then_some(()))
    };
    rig.holds(PATIENCE, "ReplicaSet without an owner", alone)?;
    rig.only("1")?;
    rig.apply(&[rollout])?;
    let back = rig.until("Healthy again", |seen| {
        seen.healthy() && seen.object["metadata"]["uid"] != first.object["metadata"]["uid"]
    })?;
    check(back.stable() == first.stable(), || format!("it is {}", back.line()))?;
    check(rig.ready_pods(first.stable())? == pods, || "pods were replaced".to_owned())?;
    rig.only("1")
}

/// Nobody is there for it, until the label is gone.
fn foreign(rig: &Rig) -> Outcome {
    let mut rollout = manifest::rollout(1, &halfway());
    Controller::claim(&mut rollout, "nobody");
    rig.route(SERVICES)?;
    rig.apply(&[rollout])?;
    rig.until("the Rollout", |_| true)?;
    rig.stays(WATCHED, "silence", |seen| seen.phase().is_empty() && seen.object["status"].is_null())?;
    check(rig.replica_sets()?.is_empty(), || format!("there are {:?}", rig.replica_sets()))?;
    rig.patch(&json!({"metadata": {"labels": {Controller::LABEL: null}}}))?;
    rig.until("Healthy", Seen::healthy)?;
    rig.open()?;
    rig.only("1")
}

/// The second waits for the lease, then does what the first has left.
fn failover(rig: &Rig) -> Outcome {
    const INSTANCE: &str = "e2e-failover";
    let leader = Controller::start(rig, INSTANCE)?;
    let mut rollout = manifest::rollout(2, &halfway());
    Controller::claim(&mut rollout, INSTANCE);
    let first = rig.deploy(&rollout, SERVICES)?;
    let follower = Controller::start(rig, INSTANCE)?;
    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1) && seen.weight() == 50)?;
    leader.kill()?;
    rig.promote()?;
    rig.promoted(&first)?;
    rig.only("2")?;
    check(rig.replica_sets()?.len() == 2, || format!("the revisions are {:?}", rig.replica_sets()))?;
    check(rig.weights() == [0, 50, 100, 0], || format!("the weights were {:?}", rig.weights()))?;
    drop(follower);
    Ok(())
}
