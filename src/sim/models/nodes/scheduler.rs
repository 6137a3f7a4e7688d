//! The scheduler: a pod goes to the node with the fewest pods among those that are ready, take new pods, suit it and
//! have room. Affinity, spread and preemption are not modelled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::feed::Feed;
use super::super::model::Model;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;
use crate::sim::room::Room;

/// The model. Its actor name is `scheduler`. Give the kubelet `Placement::Scheduled`.
#[derive(Clone)]
pub struct Scheduler {
    hand: Hand,
    feed: Feed,
    lag: Duration,
    due: Option<Time>,
}

impl Scheduler {
    /// A scheduler that reacts `lag` after a change of pods or nodes.
    pub fn new(server: &ApiServer, lag: Duration) -> Self {
        let hand = server.hand("scheduler");
        let feed = Feed::new(&hand, &["Pod", "Node"]);
        Self { hand, feed, lag, due: None }
    }

    fn place_all(&self, now: Time) {
        let mut pods = self.hand.list("Pod", "");
        let mut waiting: Vec<Arc<Value>> = pods.iter().filter(|pod| waits(pod)).cloned().collect();
        waiting.sort_by_key(|pod| (object::time(pod, "/metadata/creationTimestamp"), object::name(pod).to_owned()));
        let nodes = if waiting.is_empty() { Vec::new() } else { self.hand.list("Node", "") };
        for pod in waiting {
            let key = (object::namespace(&pod), object::name(&pod));
            match choose(&nodes, &pods, &pod) {
                Ok(node) => {
                    let placed = self.hand.merge("Pod", key, &json!({ "spec": { "nodeName": node } }));
                    let place = pods.iter_mut().find(|other| object::uid(other) == object::uid(&pod));
                    if let (Ok(placed), Some(place)) = (placed, place) {
                        *place = placed;
                    }
                }
                Err(why) => self.refuse(&pod, &why, now),
            }
        }
    }

    fn refuse(&self, pod: &Value, why: &str, now: Time) {
        let old = object::list(pod, "/status/conditions").iter().find(|c| object::text(c, "/type") == "PodScheduled");
        if old.is_some_and(|old| object::text(old, "/message") == why) {
            return;
        }
        let told = json!([{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why, "lastTransitionTime": now,
        }]);
        let key = (object::namespace(pod), object::name(pod));
        // A pod that is gone needs no place.
        let _ = self.hand.merge_status("Pod", key, &json!({ "status": { "conditions": told } }));
    }
}

impl Model for Scheduler {
    fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        if !news.events.is_empty() {
            self.due = Some(self.due.unwrap_or(now + self.lag));
        }
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.place_all(now);
        }
        self.due
    }
}

/// Whether a pod has no node yet.
pub(crate) fn waits(pod: &Value) -> bool {
    object::text(pod, "/spec/nodeName").is_empty() && !object::is_terminating(pod)
}

fn choose(nodes: &[Arc<Value>], pods: &[Arc<Value>], pod: &Value) -> Result<String, String> {
    let wanted = Room::of_pod(pod);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut best: Option<(usize, &str)> = None;
    for node in nodes {
        let why = unfit(node, pod).or_else(|| Room::left(node, pods).lacks(&wanted).map(str::to_owned));
        if let Some(why) = why {
            *reasons.entry(why).or_default() += 1;
            continue;
        }
        let name = object::name(node);
        let load = pods.iter().filter(|pod| object::text(pod, "/spec/nodeName") == name).count();
        if best.is_none_or(|best| (load, name) < best) {
            best = Some((load, name));
        }
    }
    let why = || {
        let counted: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
        format!("0/{} nodes are available: {}.", nodes.len(), counted.join(", "))
    };
    best.map(|(_, name)| name.to_owned()).ok_or_else(why)
}

/// Why a node takes no such pod, whatever room it has.
fn unfit(node: &Value, pod: &Value) -> Option<String> {
    if node.pointer("/spec/unschedulable") == Some(&json!(true)) {
        return Some("node(s) were unschedulable".to_owned());
    }
    if !object::is_ready(node) {
        return Some("node(s) were not ready".to_owned());
    }
    let wanted = pod.pointer("/spec/nodeSelector").and_then(Value::as_object).into_iter().flatten();
    if wanted.into_iter().any(|(key, value)| object::label(node, key) != value.as_str()) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    let taints = object::list(node, "/spec/taints").iter();
    let mut hard = taints.filter(|taint| object::text(taint, "/effect") != "PreferNoSchedule");
    let tolerated = |taint: &Value| object::list(pod, "/spec/tolerations").iter().any(|one| tolerates(one, taint));
    hard.find(|taint| !tolerated(taint))
        .map(|taint| format!("node(s) had untolerated taint {{{}}}", object::text(taint, "/key")))
}

/// Whether a toleration bears a taint. Source: Kubernetes' documentation of taints and tolerations.
pub(crate) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let same = |field: &str| {
        let wanted = object::text(toleration, field);
        wanted.is_empty() || wanted == object::text(taint, field)
    };
    let exists = object::text(toleration, "/operator") == "Exists";
    same("/effect") && same("/key") && (exists || object::text(toleration, "/value") == object::text(taint, "/value"))
}
