//! The `Deployment` controller: one `ReplicaSet` a template, exchanged within the default surge and absence, and a status.
//!
//! Enough of it to migrate from: no pausing, no rollback, no history limit, no deadline.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::feed::{Agenda, Feed, key_of};
use super::gateway::Key;
use crate::api::Time;
use crate::rollout::revision::hash::pod_template_hash;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// Label of a `ReplicaSet` and its pods: the template that they were made from.
const HASH: &str = "pod-template-hash";
/// `maxSurge` and `maxUnavailable` in percent, where a Deployment does not say.
const PERCENT: i64 = 25;

/// The model. Its actor name is `deployment-controller`.
#[derive(Clone)]
pub struct Deployments {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    agenda: Agenda<Key>,
}

impl Deployments {
    /// A controller that reacts `lag` after each change.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("deployment-controller");
        let feed = Feed::new(&hand, &["Deployment", "ReplicaSet"]);
        Self { hand, feed, lag, agenda: Agenda::new() }
    }

    /// Does what is due; returns when there is more to do if nothing changes.
    pub fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            let Some(changed) = event.object() else { continue };
            let key = if event.kind == "Deployment" { Some(key_of(changed)) } else { owner(changed) };
            if let Some(key) = key {
                self.agenda.add(key, now + self.lag);
            }
        }
        for (namespace, name) in self.agenda.take(now) {
            if let Some(deployment) = self.hand.get("Deployment", &namespace, &name) {
                self.settle(&deployment);
            }
        }
        self.agenda.next()
    }

    fn settle(&self, deployment: &Value) {
        let namespace = object::namespace(deployment);
        let mut sets: Vec<Arc<Value>> = self.hand.list("ReplicaSet", namespace);
        sets.retain(|set| object::controller_uid(set) == Some(object::uid(deployment)));
        let template = deployment.pointer("/spec/template").cloned().unwrap_or_default();
        // Kubernetes hashes in another way than Argo: a Rollout with the same template has another name for it.
        let hash = pod_template_hash(&template, Some(0));
        if !sets.iter().any(|set| object::label(set, HASH) == Some(&hash)) && !object::is_terminating(deployment) {
            // A refused creation (a namespace that is going away) is tried again with the next change.
            let _ = self.hand.create("ReplicaSet", replica_set(deployment, template, &hash));
            return;
        }
        let (new, old): (Vec<_>, Vec<_>) = sets.iter().partition(|set| object::label(set, HASH) == Some(&hash));
        if let Some(new) = new.first().filter(|_| !object::is_terminating(deployment)) {
            self.exchange(deployment, new, &old);
        }
        self.report(deployment, (&sets, &hash));
    }

    /// One step from the old `ReplicaSet`s to the new one. Kubernetes: `pkg/controller/deployment/rolling.go`.
    fn exchange(&self, deployment: &Value, new: &Arc<Value>, old: &[&Arc<Value>]) {
        let replicas = object::integer(deployment, "/spec/replicas").unwrap_or(1);
        let missing = replicas * PERCENT / 100;
        let surge = (replicas * PERCENT + 99) / 100;
        let size = |set: &Value| object::integer(set, "/spec/replicas").unwrap_or(1);
        let available = |set: &Value| object::integer(set, "/status/availableReplicas").unwrap_or(0);
        let others: i64 = old.iter().map(|set| size(set)).sum();
        let grown = (size(new) + (replicas + surge - others - size(new)).max(0)).min(replicas);
        let wanted = if others == 0 { replicas } else { grown };
        self.scale(new, wanted);
        // Old pods that are not available go first; of the others as many as the new ones replace.
        let floor = replicas - missing;
        let kept = |set: &Value| available(set).min(size(set));
        let mut spare = available(new).min(wanted) + old.iter().map(|set| kept(set)).sum::<i64>() - floor;
        for set in old {
            let taken = spare.clamp(0, kept(set));
            spare -= taken;
            self.scale(set, kept(set) - taken);
        }
    }

    fn scale(&self, set: &Value, to: i64) {
        if object::integer(set, "/spec/replicas") != Some(to) {
            // Whoever changed it since is heard of in time.
            let key = (object::namespace(set), object::name(set));
            let _ = self.hand.merge("ReplicaSet", key, &json!({"spec": {"replicas": to}}));
        }
    }

    fn report(&self, deployment: &Value, (sets, hash): (&[Arc<Value>], &str)) {
        let sum = |pointer: &str| -> i64 { sets.iter().map(|set| object::integer(set, pointer).unwrap_or(0)).sum() };
        let updated = sets.iter().filter(|set| object::label(set, HASH) == Some(hash));
        let updated: i64 = updated.map(|set| object::integer(set, "/status/replicas").unwrap_or(0)).sum();
        let counted = |count: i64| if count == 0 { Value::Null } else { json!(count) };
        let status = json!({
            "observedGeneration": object::generation(deployment),
            "replicas": counted(sum("/status/replicas")),
            "updatedReplicas": counted(updated),
            "readyReplicas": counted(sum("/status/readyReplicas")),
            "availableReplicas": counted(sum("/status/availableReplicas")),
        });
        if !object::already_says(deployment.get("status"), &status) {
            let key = (object::namespace(deployment), object::name(deployment));
            // A Deployment that is gone needs no status.
            let _ = self.hand.merge_status("Deployment", key, &json!({"status": status}));
        }
    }
}

/// The Deployment that controls a `ReplicaSet`.
fn owner(set: &Value) -> Option<Key> {
    let controls = |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
    let owner = object::list(set, "/metadata/ownerReferences").iter().find(controls)?;
    let name = object::text(owner, "/name").to_owned();
    (object::text(owner, "/kind") == "Deployment").then(|| (object::namespace(set).to_owned(), name))
}

/// The `ReplicaSet` of a template, without pods.
fn replica_set(deployment: &Value, mut template: Value, hash: &str) -> Value {
    object::put(&mut template, &["metadata", "labels", HASH], json!(hash));
    let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or_default();
    object::put(&mut selector, &["matchLabels", HASH], json!(hash));
    json!({
        "metadata": {
            "name": format!("{}-{hash}", object::name(deployment)),
            "namespace": object::namespace(deployment),
            "labels": template.pointer("/metadata/labels"),
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": object::name(deployment),
                "uid": object::uid(deployment), "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "replicas": 0, "selector": selector, "template": template,
            "minReadySeconds": deployment.pointer("/spec/minReadySeconds").cloned().unwrap_or(json!(0)),
        },
    })
}
