//! The whole shell over the cluster in memory.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::app::{Controller, Parts, Threads};
use super::caches::Scope;
use super::gauges::Gauges;
use crate::api::Time;
use crate::rollout::Settings;
use crate::runtime::client::Clients;
use crate::runtime::clock::Clock;
use crate::runtime::limiter::Limits;
use crate::sim::api_server::{Counts, Cursor, Hand, Verb};
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings as ClusterSettings};
use crate::sim::driver::drive;
use crate::sim::models::Disruption;
use crate::telemetry::metrics::Metrics;

mod bounded;
mod contested;
mod deleted;
mod misfits;
mod quiet;
mod rest;
mod routed;
mod series;
mod undecodable;

struct Rig {
    user: Hand,
    cluster: Arc<Mutex<Cluster>>,
    stop: CancellationToken,
    /// Of the first controller, as it exposes them.
    metrics: Metrics,
}

fn rig() -> Rig {
    rig_with(definition(), vec![("rollouts-controller", Scope::default())])
}

/// The definition of Rollouts as Siskin installs it.
fn definition() -> Value {
    crate::api::crd::crds().into_iter().find(|crd| crd["spec"]["names"]["kind"] == "Rollout").unwrap()
}

/// A cluster with a controller for each scope, which writes under its name.
fn rig_with(definition: Value, scopes: Vec<(&str, Scope)>) -> Rig {
    rig_set(definition, scopes, &Settings::default(), |_| {})
}

/// The same with settings of its own, over what `furnish` has put into the cluster before a controller starts.
fn rig_set(definition: Value, scopes: Vec<(&str, Scope)>, settings: &Settings, furnish: impl FnOnce(&Hand)) -> Rig {
    let start: Time = "2026-11-21T12:00:00Z".parse().unwrap();
    let manual = ManualClock::at(start);
    let mut cluster = Cluster::new(manual.now(), ClusterSettings::default());
    cluster.add(Disruption::new(&cluster.server, Duration::ZERO));
    let server = cluster.server.clone();
    let user = server.hand("user");
    server.define(definition).unwrap();
    furnish(&user);
    let cluster = Arc::new(Mutex::new(cluster));
    tokio::spawn(drive(Arc::clone(&cluster), manual, 1.0));
    let stop = CancellationToken::new();
    let mut exposed = None;
    for (name, scope) in scopes {
        let metrics = Metrics::new().unwrap();
        let controller = Controller::start(Parts {
            clients: Clients::shared(server.client(name)),
            clock: Clock::scaled(start, 1.0),
            metrics: metrics.clone(),
            settings: settings.clone(),
            scope,
            limits: Limits { qps: 0.0, ..Limits::default() },
            workers: Threads { rollouts: 4, runs: 4, services: 1 },
            prometheus_address: String::new(),
            leadership: None,
            seed: 1,
        });
        metrics.register(Gauges::new(controller.caches(), metrics.clone()).unwrap()).unwrap();
        exposed.get_or_insert(metrics);
        tokio::spawn(controller.run(stop.clone()));
    }
    Rig { user, cluster, stop, metrics: exposed.unwrap() }
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

/// Requests other than watches, which the server ends from time to time.
fn asked(counts: &Counts) -> Vec<(Verb, &str, u64)> {
    counts.iter().filter(|(verb, ..)| *verb != Verb::Watch).collect()
}

/// Nothing is read and nothing is written in two minutes.
async fn rests(rig: &Rig) {
    rests_for(rig, Duration::from_mins(2)).await;
}

async fn rests_for(rig: &Rig, span: Duration) {
    let before = rig.cluster.lock().server.counts();
    tokio::time::sleep(span).await;
    let after = rig.cluster.lock().server.counts();
    assert_eq!(asked(&after.since(&before)), []);
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
        let rig = rig_with(definition, vec![("rollouts-controller", Scope::default())]);
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

fn basic(meta: &Value, source: &Value) -> Value {
    let mut spec = json!({"replicas": 3, "strategy": {"canary": {}}});
    json_patch::merge(&mut spec, source);
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": spec})
}

fn own() -> Value {
    json!({"selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1")})
}

#[tokio::test(start_paused = true)]
async fn workloads_are_read_once_somebody_refers_to_one() {
    let rig = rig();
    let deployment = |replicas: i32| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:1")},
        })
    };
    rig.user.create("Deployment", deployment(3)).unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let reads = |kind: &str| {
        let counts = rig.cluster.lock().server.counts();
        counts.iter().filter(|(verb, of, _)| verb.is_read() && *of == kind).map(|(.., count)| count).sum::<u64>()
    };
    assert_eq!(reads("Deployment"), 0, "nobody refers to one");

    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": "onsuccess"});
    let meta = json!({"name": "shop", "namespace": "default"});
    rig.user.create("Rollout", basic(&meta, &json!({"workloadRef": reference}))).unwrap();
    until(&rig, "Healthy").await;
    assert!(reads("Deployment") > 0 && reads("PodTemplate") == 0);
    let size = || rig.user.get("Deployment", "default", "shop").unwrap()["spec"]["replicas"].clone();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if size() == 0 {
            break;
        }
    }
    assert_eq!(size(), 0);

    // A template that changes is a release, one that goes is told, and at rest nothing is read or written.
    rig.user.merge("Deployment", ("default", "shop"), &json!({"spec": {"template": template("shop:2")}})).unwrap();
    until(&rig, "Progressing").await;
    until(&rig, "Healthy").await;
    rig.user.delete("Deployment", "default", "shop").unwrap();
    until(&rig, "Degraded InvalidSpec").await;
    rig.user.create("Deployment", deployment(0)).unwrap();
    until(&rig, "Healthy").await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    rests(&rig).await;
    rig.stop.cancel();
}

/// Who has written what of which Rollout: actor and the first word of the object's name.
fn writers(cursor: &mut Cursor) -> std::collections::BTreeSet<(String, String)> {
    let entries = cursor.drain().unwrap();
    let ours =
        entries.iter().filter(|entry| entry.actor.ends_with("-controller") && entry.actor != "replicaset-controller");
    let of = |name: &str| name.split(['-', '.']).next().unwrap_or_default().to_owned();
    let kinds = ["Rollout", "ReplicaSet"];
    ours.filter(|entry| kinds.contains(&entry.kind.as_str()))
        .map(|entry| (entry.actor.clone(), of(&entry.name)))
        .collect()
}

async fn healthy(rig: &Rig, namespace: &str, name: &str) {
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if rig.user.get("Rollout", namespace, name).unwrap()["status"]["phase"] == "Healthy" {
            return;
        }
    }
    panic!("{name} is {:#}", rig.user.get("Rollout", namespace, name).unwrap()["status"]);
}

#[tokio::test(start_paused = true)]
async fn instances_do_not_touch_each_other() {
    let of = |id: &str| Scope { instance_id: id.to_owned(), ..Scope::default() };
    let rig = rig_with(definition(), vec![("plain-controller", of("")), ("blue-controller", of("blue"))]);
    let mut cursor = rig.cluster.lock().server.subscribe();
    let labelled = json!({"name": "blue", "namespace": "default", "labels": {"argo-rollouts.argoproj.io/controller-instance-id": "blue"}});
    let other = json!({"name": "green", "namespace": "default", "labels": {"argo-rollouts.argoproj.io/controller-instance-id": "green"}});
    let plain = json!({"name": "plain", "namespace": "default"});
    for (meta, app) in [(&labelled, "blue"), (&other, "green"), (&plain, "plain")] {
        let mut source = own();
        source["selector"]["matchLabels"]["app"] = json!(app);
        source["template"]["metadata"]["labels"]["app"] = json!(app);
        rig.user.create("Rollout", basic(meta, &source)).unwrap();
    }
    healthy(&rig, "default", "plain").await;
    healthy(&rig, "default", "blue").await;
    // A Rollout that changes hands: the one lets go, the other goes on.
    let handed = json!({"metadata": {"labels": {"argo-rollouts.argoproj.io/controller-instance-id": null}}});
    let expected = [("blue-controller", "blue"), ("plain-controller", "plain")];
    assert_eq!(writers(&mut cursor), expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    rig.user.merge("Rollout", ("default", "blue"), &handed).unwrap();
    rig.user.merge("Rollout", ("default", "blue"), &json!({"spec": {"replicas": 5}})).unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    healthy(&rig, "default", "blue").await;
    assert_eq!(writers(&mut cursor), [("plain-controller".to_owned(), "blue".to_owned())].into());
    assert!(rig.user.get("Rollout", "default", "green").unwrap().get("status").is_none());
    rig.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_namespaced_controller_stays_in_its_namespace() {
    let scope = Scope { namespace: Some("mine".to_owned()), ..Scope::default() };
    let rig = rig_with(definition(), vec![("mine-controller", scope)]);
    for namespace in ["mine", "theirs"] {
        rig.user.create("Namespace", json!({"metadata": {"name": namespace}})).unwrap();
        let meta = json!({"name": "shop", "namespace": namespace});
        rig.user.create("Rollout", basic(&meta, &own())).unwrap();
    }
    healthy(&rig, "mine", "shop").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(rig.user.get("Rollout", "theirs", "shop").unwrap().get("status").is_none());
    let counts = rig.cluster.lock().server.counts();
    let cluster_wide = [Verb::Get, Verb::List, Verb::Watch].map(|verb| counts.of(verb, "ClusterAnalysisTemplate"));
    assert_eq!(cluster_wide, [0; 3], "it has no right to read what belongs to the cluster");
    rig.stop.cancel();
}

/// What a Rollout has switched is given back with the Rollout, or once it names another Service.
#[tokio::test(start_paused = true)]
async fn services_that_nobody_names_are_given_back() {
    const HASH: &str = "rollouts-pod-template-hash";
    let rig = rig();
    let service = |name: &str| {
        let spec = json!({"selector": {"app": "shop"}, "ports": [{"port": 80}]});
        rig.user.create("Service", json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec})).unwrap();
    };
    for name in ["active", "other", "foreign"] {
        service(name);
    }
    let foreign = json!({"spec": {"selector": {HASH: "abc"}}});
    rig.user.merge("Service", ("default", "foreign"), &foreign).unwrap();
    let mut blue_green = rollout();
    blue_green["spec"]["strategy"] = json!({"blueGreen": {"activeService": "active"}});
    rig.user.create("Rollout", blue_green).unwrap();
    until(&rig, "Healthy").await;
    let selector = |name: &str| rig.user.get("Service", "default", name).unwrap()["spec"]["selector"].clone();
    let hash = selector("active")[HASH].as_str().unwrap_or_default().to_owned();
    assert!(!hash.is_empty());

    let renamed = |to: &str| {
        let patch = json!({"spec": {"strategy": {"blueGreen": {"activeService": to}}}});
        rig.user.merge("Rollout", ("default", "shop"), &patch).unwrap();
    };
    renamed("nowhere");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(selector("active")[HASH], json!(hash), "a mistake takes nothing from those who are served");
    renamed("other");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!((selector("active"), selector("other")[HASH].as_str()), (json!({"app": "shop"}), Some(hash.as_str())));
    rests(&rig).await;

    rig.user.delete("Rollout", "default", "shop").unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(selector("other"), json!({"app": "shop"}));
    assert_eq!(rig.user.get("Service", "default", "other").unwrap()["metadata"]["annotations"], Value::Null);
    assert_eq!(selector("foreign"), json!({"app": "shop", HASH: "abc"}), "nobody's word for it");
    rests(&rig).await;
    rig.stop.cancel();
}

/// A Rollout is deleted alone, so that its pods stay; its end is told later than the new freedom of its ReplicaSet.
/// Whoever is adopted by an owner that does not exist is collected, with all of its pods.
#[tokio::test(start_paused = true)]
async fn a_rollout_that_has_gone_adopts_nothing() {
    let rig = rig();
    rig.user.create("Rollout", rollout()).unwrap();
    until(&rig, "Healthy").await;
    rig.user.server().delay_watch("Rollout", Duration::from_secs(5)).unwrap();
    rig.user.orphan("Rollout", "default", "shop").unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let sets = rig.user.list("ReplicaSet", "default");
        assert_eq!((sets.len(), sets[0].pointer("/metadata/ownerReferences/0")), (1, None));
    }
    // Another of the same name takes it back, with its pods.
    let pods = created(&rig.user);
    rig.user.create("Rollout", rollout()).unwrap();
    until(&rig, "Healthy").await;
    assert_eq!((rig.user.list("ReplicaSet", "default").len(), created(&rig.user)), (1, pods));
    rig.stop.cancel();
}

/// The `ReplicaSet`'s own controller writes its status at once, and the cache tells of it late: the growth goes through all
/// the same, before what is recorded of it. Clients compare the order of these events.
#[tokio::test(start_paused = true)]
async fn a_status_that_moves_does_not_hold_growth_up() {
    let rig = rig();
    rig.user.server().delay_watch("ReplicaSet", Duration::from_millis(300)).unwrap();
    let mut blue_green = rollout();
    blue_green["spec"]["strategy"] = json!({"blueGreen": {"activeService": "shop"}});
    let service = json!({"metadata": {"name": "shop"}, "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]}});
    rig.user.create("Service", service).unwrap();
    rig.user.create("Rollout", blue_green).unwrap();
    until(&rig, "Healthy").await;
    let mut events = rig.user.list("Event", "default");
    events.retain(|event| event["involvedObject"]["kind"] == "Rollout");
    events.sort_by_key(|event| crate::sim::object::version(event));
    let reasons: Vec<&str> = events.iter().map(|event| event["reason"].as_str().unwrap()).collect();
    let expected = ["NewReplicaSetCreated", "ScalingReplicaSet", "RolloutCompleted", "SwitchService"];
    assert_eq!(reasons[2..], expected, "{reasons:?}");
    rig.stop.cancel();
}
