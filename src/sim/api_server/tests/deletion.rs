use std::time::Duration;

use kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use serde_json::{Value, json};

use super::{Bench, bench, refusal, replica_set, rollout};

fn names(bench: &Bench, kind: &str) -> Vec<String> {
    bench.hand.list(kind, "default").iter().map(|o| o["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// A Rollout `web` that owns the `ReplicaSets` `a` and `b`; `a` has a running pod.
fn family() -> (Bench, Value) {
    let bench = bench();
    let owner = bench.hand.create("Rollout", rollout("web")).unwrap();
    let a = bench.hand.create("ReplicaSet", replica_set("a", Some(&owner))).unwrap();
    bench.hand.create("ReplicaSet", replica_set("b", Some(&owner))).unwrap();
    let mut pod = replica_set("p", Some(&a));
    pod["kind"] = json!("Pod");
    pod["apiVersion"] = json!("v1");
    pod["spec"] = json!({ "nodeName": "n", "containers": [] });
    bench.hand.create("Pod", pod).unwrap();
    (bench, (*owner).clone())
}

#[tokio::test]
async fn background_takes_dependents_along() {
    let (bench, _) = family();
    let gone = bench.rollouts().delete("web", &DeleteParams::default()).await.unwrap();
    assert!(gone.is_right(), "an object that is gone answers with a Status");
    assert!(names(&bench, "ReplicaSet").is_empty());
    let pod = bench.hand.get("Pod", "default", "p").unwrap();
    assert_eq!(pod["metadata"]["deletionTimestamp"], json!("2023-11-14T22:13:50Z"));
    bench.hand.delete_now("Pod", "default", "p").unwrap();
    assert!(names(&bench, "Pod").is_empty());
    let actors: Vec<_> = bench.server.journal().iter().rev().skip(1).take(3).map(|e| e.actor.clone()).collect();
    assert_eq!(actors, ["garbage-collector"; 3]);
}

#[tokio::test]
async fn orphans_stay_without_their_reference() {
    let (bench, _) = family();
    let params = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    bench.rollouts().delete("web", &params).await.unwrap();
    assert_eq!(names(&bench, "ReplicaSet"), ["a", "b"]);
    let set = bench.hand.get("ReplicaSet", "default", "a").unwrap();
    assert_eq!(set["metadata"]["ownerReferences"], json!([]));
}

#[tokio::test]
async fn foreground_waits_for_the_last_dependent() {
    let (bench, _) = family();
    let params = DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() };
    let left = bench.rollouts().delete("web", &params).await.unwrap().left().unwrap();
    assert_eq!(left.metadata.finalizers.unwrap(), ["foregroundDeletion"]);
    assert_eq!(names(&bench, "ReplicaSet"), ["a"], "the one with a running pod waits for it");
    bench.hand.delete_now("Pod", "default", "p").unwrap();
    assert!(names(&bench, "ReplicaSet").is_empty() && names(&bench, "Rollout").is_empty());
}

#[tokio::test]
async fn collection_can_lag() {
    let (bench, owner) = family();
    bench.server.set_collection_delay(Duration::from_millis(100));
    bench.hand.delete("Rollout", "default", "web").unwrap();
    assert_eq!(names(&bench, "ReplicaSet"), ["a", "b"]);
    bench.hand.create("ReplicaSet", replica_set("late", Some(&owner))).unwrap();
    bench.advance(100);
    assert!(names(&bench, "ReplicaSet").is_empty(), "a child of an owner that is gone is collected too");
}

#[tokio::test]
async fn preconditions_hold() {
    let bench = bench();
    let created = bench.hand.create("Rollout", rollout("web")).unwrap();
    let with = |uid: &Value, version: &Value| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let preconditions = Preconditions { uid: text(uid), resource_version: text(version) };
        DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }
    };
    let (uid, version) = (&created["metadata"]["uid"], &created["metadata"]["resourceVersion"]);
    let other = bench.rollouts().delete("web", &with(&json!("x"), version)).await;
    assert_eq!(refusal(other), (409, "Conflict".to_owned()));
    let other = bench.rollouts().delete("web", &with(uid, &json!("1"))).await;
    assert_eq!(refusal(other), (409, "Conflict".to_owned()));
    bench.rollouts().delete("web", &DeleteParams { dry_run: true, ..DeleteParams::default() }).await.unwrap();
    bench.rollouts().delete("web", &with(uid, version)).await.unwrap();
    assert_eq!(refusal(bench.rollouts().get("web").await).0, 404);
}

#[tokio::test]
async fn finalizers_hold_an_object_back() {
    let bench = bench();
    let mut held = rollout("web");
    held["metadata"]["finalizers"] = json!(["x/y"]);
    bench.hand.create("Rollout", held).unwrap();
    bench.hand.delete("Rollout", "default", "web").unwrap();
    let held = bench.hand.get("Rollout", "default", "web").unwrap();
    assert_eq!(
        (&held["metadata"]["deletionTimestamp"], &held["metadata"]["generation"]),
        (&json!("2023-11-14T22:13:20Z"), &json!(2))
    );
    bench.hand.merge("Rollout", ("default", "web"), &json!({ "metadata": { "finalizers": null } })).unwrap();
    assert!(bench.hand.get("Rollout", "default", "web").is_none());
}

#[tokio::test]
async fn a_namespace_takes_its_content_along() {
    let (bench, _) = family();
    bench.server.create_namespace("default");
    bench.hand.delete("Namespace", "", "default").unwrap();
    assert!(names(&bench, "Rollout").is_empty() && names(&bench, "ReplicaSet").is_empty());
    assert_eq!(bench.hand.create("Rollout", rollout("web")).unwrap_err().code, 404);
}
