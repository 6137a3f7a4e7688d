//! What the cluster makes of a node that is silent: after 40 s it is not ready and its pods leave the endpoints; after
//! five minutes they are deleted, and stay `Terminating` until the node is back or gone.
//! Source: Kubernetes' documentation of nodes (heartbeats, taints, `tolerationSeconds`).
//!
//! The data plane loses the node's pods at once: nobody reaches them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::feed::Feed;
use super::super::gateway::DataPlane;
use super::super::kubelet::LOST;
use super::super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;

/// Kubernetes: `--node-monitor-grace-period`.
const SILENCE: Duration = Duration::from_secs(40);
/// The `tolerationSeconds` that admission gives every pod.
const TOLERATED: Duration = Duration::from_mins(5);

/// The model. Its actor name is `node-controller`.
#[derive(Clone)]
pub struct NodeLifecycle {
    hand: Hand,
    feed: Feed,
    plane: DataPlane,
    /// Since when nodes are silent.
    silent: BTreeMap<String, Time>,
}

impl NodeLifecycle {
    /// A controller that tells the data plane who cannot be reached.
    pub fn new(server: &ApiServer, plane: DataPlane) -> Self {
        let hand = server.hand("node-controller");
        let feed = Feed::new(&hand, &["Node"]);
        Self { hand, feed, plane, silent: BTreeMap::new() }
    }

    fn pods_of(&self, node: &str) -> Vec<Arc<Value>> {
        let mut pods = self.hand.list("Pod", "");
        pods.retain(|pod| object::text(pod, "/spec/nodeName") == node);
        pods
    }

    fn say(&self, node: &str, (status, reason): (&str, &str), now: Time) {
        let Some(stored) = self.hand.get("Node", "", node) else { return };
        let ready = object::list(&stored, "/status/conditions").iter().find(|c| object::text(c, "/type") == "Ready");
        if ready.is_some_and(|ready| object::text(ready, "/status") == status) {
            return;
        }
        let condition = json!({ "type": "Ready", "status": status, "reason": reason, "lastTransitionTime": now });
        // A node that is gone needs no condition.
        let _ = self.hand.merge_status("Node", ("", node), &json!({ "status": { "conditions": [condition] } }));
    }

    /// Makes the pods of a silent node not ready.
    fn retire(&self, node: &str, now: Time) {
        self.say(node, ("Unknown", "NodeStatusUnknown"), now);
        for pod in self.pods_of(node) {
            let mut conditions = object::list(&pod, "/status/conditions").to_vec();
            let mut changed = false;
            for condition in &mut conditions {
                if object::text(condition, "/type") == "Ready" && object::text(condition, "/status") == "True" {
                    object::put(condition, &["status"], json!("False"));
                    object::put(condition, &["reason"], json!("NodeNotReady"));
                    object::put(condition, &["lastTransitionTime"], json!(now));
                    changed = true;
                }
            }
            if changed {
                let key = (object::namespace(&pod), object::name(&pod));
                // A pod that is gone is as good.
                let _ = self.hand.merge_status("Pod", key, &json!({ "status": { "conditions": conditions } }));
            }
        }
    }

    fn hear(&mut self, name: &str, node: Option<&Value>, now: Time) {
        let is_silent = node.is_some_and(|node| object::annotation(node, LOST).is_some());
        if is_silent {
            self.silent.entry(name.to_owned()).or_insert(now);
            self.plane.lock().lost_nodes.insert(name.to_owned());
            return;
        }
        if self.silent.remove(name).is_some() && node.is_some() {
            self.plane.lock().lost_nodes.remove(name);
            self.say(name, ("True", "KubeletReady"), now);
        }
        if node.is_none() {
            // Pods of a node that is gone are collected.
            for pod in self.pods_of(name) {
                let _ = self.hand.delete_now("Pod", object::namespace(&pod), object::name(&pod));
            }
            self.plane.lock().lost_nodes.remove(name);
        }
    }
}

impl Model for NodeLifecycle {
    fn tick(&mut self, now: Time) -> Option<Time> {
        for event in self.feed.pull().events {
            let Some(name) = event.object().map(|node| object::name(node).to_owned()) else { continue };
            self.hear(&name, event.after.as_deref(), now);
        }
        let mut next = None;
        for (node, since) in self.silent.clone() {
            let (quiet, evict) = (since + SILENCE, since + SILENCE + TOLERATED);
            if quiet <= now {
                self.retire(&node, now);
            }
            if evict <= now {
                for pod in self.pods_of(&node).iter().filter(|pod| !object::is_terminating(pod)) {
                    let _ = self.hand.delete("Pod", object::namespace(pod), object::name(pod));
                }
            }
            let due = [quiet, evict].into_iter().find(|due| *due > now);
            next = [next, due].into_iter().flatten().min();
        }
        next
    }
}
