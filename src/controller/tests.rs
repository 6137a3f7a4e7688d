//! The whole shell over the cluster in memory.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::app::{Controller, Parts};
use super::caches::Scope;
use crate::api::Time;
use crate::rollout::Settings;
use crate::runtime::client::Clients;
use crate::runtime::clock::Clock;
use crate::runtime::limiter::Limits;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings as ClusterSettings};
use crate::sim::driver::drive;
use crate::telemetry::metrics::Metrics;

struct Rig {
    user: Hand,
    cluster: Arc<Mutex<Cluster>>,
    stop: CancellationToken,
}

fn rig() -> Rig {
    rig_with(definition())
}

/// The definition of Rollouts as Siskin installs it.
fn definition() -> Value {
    crate::api::crd::crds().into_iter().find(|crd| crd["spec"]["names"]["kind"] == "Rollout").unwrap()
}

fn rig_with(definition: Value) -> Rig {
    let start: Time = "2026-11-21T12:00:00Z".parse().unwrap();
    let manual = ManualClock::at(start);
    let cluster = Cluster::new(manual.now(), ClusterSettings::default());
    let server = cluster.server.clone();
    let user = server.hand("user");
    server.define(definition).unwrap();
    let cluster = Arc::new(Mutex::new(cluster));
    tokio::spawn(drive(Arc::clone(&cluster), manual, 1.0));
    let stop = CancellationToken::new();
    let controller = Controller::start(Parts {
        clients: Clients::shared(server.client("rollouts-controller")),
        clock: Clock::scaled(start, 1.0),
        metrics: Metrics::new().unwrap(),
        settings: Settings::default(),
        scope: Scope::default(),
        limits: Limits { qps: 0.0, ..Limits::default() },
        workers: (4, 4),
        prometheus_address: String::new(),
        leadership: None,
    });
    tokio::spawn(controller.run(stop.clone()));
    Rig { user, cluster, stop }
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "shop", "image": image}]}})
}

fn phase(user: &Hand) -> String {
    let rollout = user.get("Rollout", "default", "shop").unwrap();
    format!(
        "{} {}",
        rollout["status"]["phase"].as_str().unwrap_or(""),
        rollout["status"]["message"].as_str().unwrap_or("")
    )
}

async fn until(rig: &Rig, wanted: &str) {
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if phase(&rig.user).starts_with(wanted) {
            return;
        }
    }
    panic!("wanted {wanted}, is {}", phase(&rig.user));
}

fn rollout() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template("shop:1"),
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
        },
    })
}

/// Nothing is written in two minutes.
async fn rests(rig: &Rig) {
    let before = rig.cluster.lock().server.counts();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let after = rig.cluster.lock().server.counts();
    assert_eq!(after.since(&before).writes(), 0);
}

/// A pod that never starts is a call for help; whether it is in the status is a question of the definition.
#[tokio::test(start_paused = true)]
async fn the_own_part_of_the_status_follows_the_definition() {
    for keeps in [true, false] {
        let mut definition = definition();
        if !keeps {
            let status = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties");
            status.unwrap().as_object_mut().unwrap().remove("siskin");
        }
        let rig = rig_with(definition);
        let mut broken = rollout();
        broken["spec"]["template"]["metadata"]["annotations"] = json!({"sim.siskin.dev/behaviour": "never-pulls"});
        rig.user.create("Rollout", broken).unwrap();
        tokio::time::sleep(Duration::from_mins(2)).await;
        let blockers = rig.user.get("Rollout", "default", "shop").unwrap()["status"]["siskin"]["blockers"].clone();
        assert_eq!(blockers.to_string().contains("PodCannotStart"), keeps, "{blockers}");
        rests(&rig).await;
        rig.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_through_the_shell() {
    let rig = rig();
    rig.user.create("Rollout", rollout()).unwrap();
    until(&rig, "Healthy").await;
    rig.user.merge("Rollout", ("default", "shop"), &json!({"spec": {"template": template("shop:2")}})).unwrap();
    until(&rig, "Paused CanaryPauseStep").await;
    rig.user.merge_status("Rollout", ("default", "shop"), &json!({"status": {"pauseConditions": null}})).unwrap();
    until(&rig, "Healthy").await;

    // At rest nothing is read and nothing is written.
    tokio::time::sleep(Duration::from_mins(1)).await;
    rests(&rig).await;
    rig.stop.cancel();
}

/// Values of wrong types, each with the path that the condition names.
fn misfits() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"spec": {"replicas": "3"}}), "spec.replicas: Invalid value: \"3\": must be a whole number of 32 bits"),
        (json!({"spec": {"paused": 1}}), "spec.paused: Invalid value: 1: must be true or false"),
        (
            json!({"spec": {"strategy": {"canary": {"steps": {"pause": {}}}}}}),
            "spec.strategy.canary.steps: Invalid value: {\"pause\":{}}: must be a list",
        ),
        (
            json!({"spec": {"restartAt": "now"}}),
            "spec.restartAt: Invalid value: \"now\": must be a time such as 2024-01-31T12:00:00Z",
        ),
        // A template is read as it stands; what is wrong in it is found by validation.
        (
            json!({"spec": {"template": {"spec": {"containers": [
                {"name": "shop", "image": "shop:1", "resources": {"limits": {"cpu": "much"}}},
            ]}}}}),
            "spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: \"much\": must be a quantity such \
             as 500m or 1Gi",
        ),
        (json!({"status": {"replicas": "five"}}), "status.replicas: expected a whole number, found the text \"five\""),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_does_not_decode_says_so_and_comes_back() {
    let rig = rig();
    let key = ("default", "shop");
    rig.user.create("Rollout", rollout()).unwrap();
    until(&rig, "Healthy").await;
    let healthy = rig.user.get("Rollout", key.0, key.1).unwrap();
    for (misfit, expected) in misfits() {
        rig.user.merge("Rollout", key, &misfit).unwrap();
        rig.user.merge_status("Rollout", key, &misfit).unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let told = rig.user.get("Rollout", key.0, key.1).unwrap();
        let message = format!("The Rollout \"shop\" is invalid: {expected}");
        assert_eq!(phase(&rig.user), format!("Degraded InvalidSpec: {message}"));
        let conditions = told["status"]["conditions"].as_array().unwrap();
        let condition = conditions.iter().find(|condition| condition["type"] == "InvalidSpec").unwrap();
        assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!("InvalidSpec")));
        assert_eq!(condition["message"], message);
        assert!(conditions.iter().any(|condition| condition["type"] == "Available"), "others stay");
        assert_eq!(told["status"]["observedGeneration"], told["metadata"]["generation"].to_string());
        rests(&rig).await;
        let mut whole = (*rig.user.get("Rollout", key.0, key.1).unwrap()).clone();
        whole["spec"] = healthy["spec"].clone();
        rig.user.replace("Rollout", whole).unwrap();
        rig.user.merge_status("Rollout", key, &json!({"status": {"replicas": null}})).unwrap();
        until(&rig, "Healthy").await;
        let back = rig.user.get("Rollout", key.0, key.1).unwrap()["status"]["conditions"].to_string();
        assert!(!back.contains("InvalidSpec"), "{back}");
    }
    let events = rig.user.list("Event", "default");
    let told = events.iter().filter(|event| event["reason"] == "InvalidSpec").count();
    assert!(told >= 4, "one event for each that does not decode: {told}");
    rig.stop.cancel();
}

fn created(user: &Hand) -> Vec<Time> {
    let pods = user.list("Pod", "default");
    pods.iter().map(|pod| crate::sim::object::time(pod, "/metadata/creationTimestamp").unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn pods_of_a_release_are_labelled_and_restarted() {
    let rig = rig();
    let strategy = json!({"canary": {
        "steps": [{"setWeight": 50}, {"pause": {}}],
        "canaryMetadata": {"labels": {"part": "new"}}, "stableMetadata": {"labels": {"part": "old"}},
    }});
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "replicas": 4, "selector": {"matchLabels": {"app": "shop"}},
            "template": template("shop:1"), "strategy": strategy,
        },
    });
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"minAvailable": 4, "selector": {"matchLabels": {"app": "shop"}}},
    });
    let parts = || {
        let pods = rig.user.list("Pod", "default");
        let staying = pods.iter().filter(|pod| !crate::sim::object::is_terminating(pod));
        let mut parts: Vec<String> =
            staying.map(|pod| crate::sim::object::label(pod, "part").unwrap_or("-").to_owned()).collect();
        parts.sort();
        parts
    };
    rig.user.create("Rollout", rollout).unwrap();
    until(&rig, "Healthy").await;
    rig.user.merge("Rollout", ("default", "shop"), &json!({"spec": {"template": template("shop:2")}})).unwrap();
    until(&rig, "Paused CanaryPauseStep").await;
    assert_eq!(parts(), ["new", "new", "old", "old"]);
    rig.user.merge_status("Rollout", ("default", "shop"), &json!({"status": {"pauseConditions": null}})).unwrap();
    until(&rig, "Healthy").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(parts(), ["old"; 4]);

    rig.user.create("PodDisruptionBudget", budget).unwrap();
    let before = created(&rig.user);
    let at = (*before.iter().max().unwrap() + Duration::from_secs(1)).truncated();
    rig.user.merge("Rollout", ("default", "shop"), &json!({"spec": {"restartAt": at}})).unwrap();
    until(&rig, "Progressing rollout is restarting").await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(created(&rig.user), before, "the budget has none to spare");
    rig.user.delete("PodDisruptionBudget", "default", "shop").unwrap();
    until(&rig, "Healthy").await;
    assert!(created(&rig.user).iter().all(|time| *time >= at));
    rig.stop.cancel();
}
