//! The trivial client: one watch for each kind, the same writes for each event that asks for some, nothing remembered
//! but what it has answered already.

use std::collections::BTreeSet;

use futures::StreamExt;
use kube::Client;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::seen::{Kind, created, merge, watch};
use super::{FLOOR, INSTANCE, NAMESPACE};

/// Answers until it is aborted.
pub async fn run(client: Client) {
    let rollouts = watch(&client, Kind::Rollout, &format!("{INSTANCE}={FLOOR}")).map(|event| (Kind::Rollout, event));
    let sets = watch(&client, Kind::ReplicaSet, "bench=floor").map(|event| (Kind::ReplicaSet, event));
    let mut events = std::pin::pin!(futures::stream::select(rollouts, sets));
    let mut answered = BTreeSet::new();
    while let Some((kind, event)) = events.next().await {
        let object = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => serde_json::to_value(&object).unwrap_or_default(),
            Ok(_) => continue,
            Err(error) => panic!("the floor's watch: {error}"),
        };
        match kind {
            Kind::ReplicaSet => available(&client, &object, &mut answered).await,
            _ => rollout(&client, &object, &mut answered).await,
        }
    }
}

/// A new generation gets a ReplicaSet; a pause that was taken away, the next step.
async fn rollout(client: &Client, rollout: &Value, answered: &mut BTreeSet<String>) {
    let name = rollout["metadata"]["name"].as_str().unwrap_or_default();
    let set = format!("{name}-{}", rollout["metadata"]["generation"]);
    if answered.insert(set.clone()) {
        created(client, Kind::ReplicaSet, &replica_set(name, &set, rollout)).await;
        return;
    }
    let step = super::index(rollout);
    if step % 2 == 1 && rollout["status"]["pauseConditions"].is_null() && answered.insert(format!("{set}/{step}")) {
        // Whoever waits for the step finds its event: that order is part of the API.
        created(client, Kind::Event, &event(name, rollout, step)).await;
        merge(client, name, "status", &json!({"status": {"currentStepIndex": step + 1}})).await;
    }
}

/// A ReplicaSet whose pod is available makes its Rollout Healthy.
async fn available(client: &Client, set: &Value, answered: &mut BTreeSet<String>) {
    let name = set["metadata"]["labels"]["app"].as_str().unwrap_or_default();
    if set["status"]["availableReplicas"] == 1 && answered.insert(format!("{name}/healthy")) {
        merge(client, name, "status", &json!({"status": {"phase": "Healthy"}})).await;
    }
}

fn event(name: &str, rollout: &Value, step: i64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "type": "Normal", "reason": "RolloutStepCompleted",
        "metadata": {"name": format!("{name}.{step}"), "namespace": NAMESPACE},
        "message": format!("Rollout step {} completed", step + 1), "count": 1, "source": {"component": "floor"},
        "involvedObject": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name, "namespace": NAMESPACE,
            "uid": rollout["metadata"]["uid"]},
    })
}

/// The first one has a pod.
fn replica_set(app: &str, name: &str, rollout: &Value) -> Value {
    let mut template = rollout["spec"]["template"].clone();
    template["metadata"]["labels"]["set"] = json!(name);
    let replicas = i32::from(name.ends_with("-1"));
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": app, "bench": "floor"}, "ownerReferences": [{
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": app, "uid": rollout["metadata"]["uid"]}]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": app, "set": name}}, "template": template},
    })
}
