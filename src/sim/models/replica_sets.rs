//! The `ReplicaSet` controller: as many pods as `spec.replicas`, and a status that counts them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::feed::{Agenda, Event, Feed, earliest, key_of};
use super::gateway::Key;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// Pods created or deleted for one `ReplicaSet` in one pass. Kubernetes: `pkg/controller/replicaset`, `BurstReplicas`.
const BURST: usize = 500;
/// After a refusal the next attempt comes so much later. The real controller backs off from milliseconds to a quarter of
/// an hour.
const RETRY: Duration = Duration::from_secs(5);

/// The model. Its actor name is `replicaset-controller`.
#[derive(Clone)]
pub struct ReplicaSets {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    agenda: Agenda<Key>,
    /// The pods that count, by the uid of their controller.
    pods: BTreeMap<String, BTreeMap<Key, Arc<Value>>>,
}

impl ReplicaSets {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("replicaset-controller");
        let feed = Feed::new(&hand, &["ReplicaSet", "Pod"]);
        Self { hand, feed, lag, agenda: Agenda::new(), pods: BTreeMap::new() }
    }

    /// Changes how long after a change it reacts.
    pub fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        if news.is_reset {
            self.pods.clear();
        }
        for event in &news.events {
            self.hear(event, now);
        }
        for key in self.agenda.take(now) {
            let Some(set) = self.hand.get("ReplicaSet", &key.0, &key.1) else { continue };
            let pods = self.pods.get(object::uid(&set)).map(|pods| pods.values().cloned().collect());
            if let Some(timer) = self.settle(&set, pods.unwrap_or_default(), now) {
                self.agenda.add(key, timer);
            }
        }
        self.agenda.next()
    }

    fn hear(&mut self, event: &Event, now: Time) {
        let due = now + self.lag;
        if event.kind == "ReplicaSet" {
            if let Some(set) = &event.after {
                self.agenda.add(key_of(set), due);
            } else if let Some(gone) = &event.before {
                self.pods.remove(object::uid(gone));
            }
            return;
        }
        for pod in event.before.iter().chain(&event.after) {
            let Some((uid, name)) = controller(pod) else { continue };
            if let Some(pods) = self.pods.get_mut(uid) {
                pods.remove(&key_of(pod));
                if pods.is_empty() {
                    self.pods.remove(uid);
                }
            }
            self.agenda.add((object::namespace(pod).to_owned(), name.to_owned()), due);
        }
        let Some(pod) = event.after.as_ref().filter(|pod| is_active(pod)) else { return };
        if let Some((uid, _)) = controller(pod) {
            self.pods.entry(uid.to_owned()).or_default().insert(key_of(pod), pod.clone());
        }
    }

    /// Brings one `ReplicaSet` nearer to its size; returns when the next pod becomes available.
    fn settle(&self, set: &Value, mut pods: Vec<Arc<Value>>, now: Time) -> Option<Time> {
        let (mut status, mut timer) = status(set, &pods, now);
        if !object::is_terminating(set) {
            let wanted = usize::try_from(object::integer(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
            for _ in 0..wanted.saturating_sub(pods.len()).min(BURST) {
                if let Err(refused) = self.hand.create("Pod", pod_of(set)) {
                    object::put(&mut status, &["conditions"], failure(set, &refused.message, now));
                    timer = earliest([timer, Some(now + RETRY)]);
                    break;
                }
            }
            pods.sort_by_key(|pod| deletion_rank(pod));
            for pod in pods.iter().take(pods.len().saturating_sub(wanted).min(BURST)) {
                // Somebody else may have deleted it since: that is as good.
                let _ = self.hand.delete("Pod", object::namespace(pod), object::name(pod));
            }
        }
        let key = (object::namespace(set), object::name(set));
        if !object::already_says(set.get("status"), &status) {
            // A set that is gone needs no status.
            let _ = self.hand.merge_status("ReplicaSet", key, &json!({ "status": status }));
        }
        timer
    }
}

/// What the status says of pods that the server refuses, of a full quota or in a namespace that is going away. The first
/// refusal is told, as in the real controller.
fn failure(set: &Value, why: &str, now: Time) -> Value {
    let known = object::list(set, "/status/conditions");
    if known.iter().any(|condition| object::text(condition, "/type") == "ReplicaFailure") {
        return json!(known);
    }
    json!([{
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why, "lastTransitionTime": now,
    }])
}

/// Terminating pods and those that have ended do not count.
fn is_active(pod: &Value) -> bool {
    !object::is_terminating(pod) && !matches!(object::text(pod, "/status/phase"), "Failed" | "Succeeded")
}

/// Uid and name of the `ReplicaSet` that controls the pod.
fn controller(pod: &Value) -> Option<(&str, &str)> {
    let controls = |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
    let owner = object::list(pod, "/metadata/ownerReferences").iter().find(controls)?;
    (object::text(owner, "/kind") == "ReplicaSet").then(|| (object::text(owner, "/uid"), object::text(owner, "/name")))
}

/// The pod that the set's template makes.
fn pod_of(set: &Value) -> Value {
    let at = |pointer: &str| object::at(set, pointer).cloned().unwrap_or_else(|| json!({}));
    json!({
        "metadata": {
            "generateName": format!("{}-", object::name(set)),
            "namespace": object::namespace(set),
            "labels": at("/spec/template/metadata/labels"),
            "annotations": at("/spec/template/metadata/annotations"),
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": object::name(set), "uid": object::uid(set),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": at("/spec/template/spec"),
    })
}

/// Who goes first. Kubernetes: `pkg/controller/controller_utils.go`, `ActivePodsWithRanks`, without its log scales:
/// not on a node, not ready, cheaper by annotation, newer, and by name so that the order is total.
fn deletion_rank(pod: &Value) -> (bool, bool, i64, Reverse<Time>, String) {
    let cost = object::annotation(pod, "controller.kubernetes.io/pod-deletion-cost").and_then(|text| text.parse().ok());
    let created = object::time(pod, "/metadata/creationTimestamp").unwrap_or_default();
    let has_node = !object::text(pod, "/spec/nodeName").is_empty();
    (has_node, ready_since(pod).is_some(), cost.unwrap_or(0), Reverse(created), object::name(pod).to_owned())
}

/// Since when the pod's condition `Ready` has been true.
pub(crate) fn ready_since(pod: &Value) -> Option<Time> {
    let ready =
        object::list(pod, "/status/conditions").iter().find(|condition| object::text(condition, "/type") == "Ready")?;
    if object::text(ready, "/status") == "True" { object::time(ready, "/lastTransitionTime") } else { None }
}

/// The status, with nulls for counts of zero (the API omits them), and when the next pod becomes available.
fn status(set: &Value, pods: &[Arc<Value>], now: Time) -> (Value, Option<Time>) {
    let wait = Duration::from_secs(object::integer(set, "/spec/minReadySeconds").unwrap_or(0).unsigned_abs());
    let labels = object::at(set, "/spec/template/metadata/labels").unwrap_or(&Value::Null);
    let ready: Vec<Time> = pods.iter().filter_map(|pod| ready_since(pod)).collect();
    let available = ready.iter().filter(|since| **since + wait <= now).count();
    let timer = ready.iter().map(|since| *since + wait).filter(|at| *at > now).min();
    let labelled = pods.iter().filter(|pod| object::has_labels(pod, labels)).count();
    let counted = |count: usize| if count == 0 { Value::Null } else { json!(count) };
    let status = json!({
        "replicas": pods.len(),
        "readyReplicas": counted(ready.len()),
        "availableReplicas": counted(available),
        "fullyLabeledReplicas": counted(labelled),
        "observedGeneration": object::generation(set),
        "conditions": null,
    });
    (status, timer)
}
