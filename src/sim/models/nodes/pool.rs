//! A pool of equal nodes that grows while pods find no room, and shrinks when nodes stand empty.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::feed::Feed;
use super::super::model::Model;
use super::scheduler::waits;
use crate::api::Time;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::object;
use crate::sim::room::Room;

/// How large the pool may be, and how fast it moves.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Nodes that stay even when they are empty.
    pub least: usize,
    /// Nodes at most.
    pub most: usize,
    /// From the order of a node to its readiness.
    pub provision: Duration,
    /// How long a node stands empty before it is removed; zero: it stays.
    pub idle: Duration,
    /// `status.allocatable` of each node.
    pub allocatable: Value,
}

/// The model. Its actor name is `cluster-autoscaler`.
#[derive(Clone)]
pub struct NodePool {
    hand: Hand,
    feed: Feed,
    sizes: Sizes,
    made: usize,
    /// When ordered nodes are there.
    ordered: Vec<Time>,
    /// Since when nodes of the pool stand empty.
    empty: BTreeMap<String, Time>,
    started: bool,
}

impl NodePool {
    /// A pool whose least nodes are there with the first tick.
    pub fn new(server: &ApiServer, sizes: Sizes) -> Self {
        let hand = server.hand("cluster-autoscaler");
        let feed = Feed::new(&hand, &["Pod"]);
        Self { hand, feed, sizes, made: 0, ordered: Vec::new(), empty: BTreeMap::new(), started: false }
    }

    fn add(&mut self) {
        self.made += 1;
        let name = format!("pool-{}", self.made);
        let labels = json!({ "kubernetes.io/hostname": name, "sim.siskin.dev/pool": "pool" });
        // A namesake that somebody else has made stays what it is.
        let _ = self.hand.create("Node", json!({ "metadata": { "name": name, "labels": labels } }));
        let status = json!({
            "allocatable": self.sizes.allocatable, "capacity": self.sizes.allocatable,
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
        });
        let _ = self.hand.merge_status("Node", ("", &name), &json!({ "status": status }));
    }

    fn names(&self) -> Vec<String> {
        let nodes = self.hand.list("Node", "");
        let ours = nodes.iter().filter(|node| object::label(node, "sim.siskin.dev/pool").is_some());
        ours.map(|node| object::name(node).to_owned()).collect()
    }

    /// Orders as many nodes as the pods that fit nowhere would fill.
    fn order(&mut self, now: Time) {
        let node = json!({ "status": { "allocatable": self.sizes.allocatable } });
        let mut missing = 0;
        let mut left = Room::default();
        for pod in self.hand.list("Pod", "").iter().filter(|pod| is_refused(pod)) {
            let wanted = Room::of_pod(pod);
            if left.lacks(&wanted).is_some() {
                left = Room::of_node(&node);
                // A pod that is larger than a node is not helped by another.
                if left.lacks(&wanted).is_some() {
                    continue;
                }
                missing += 1;
            }
            left.cpu = left.cpu.saturating_sub(wanted.cpu);
            left.memory = left.memory.saturating_sub(wanted.memory);
            left.pods = left.pods.saturating_sub(1);
        }
        let there = self.names().len() + self.ordered.len();
        let free = self.sizes.most.saturating_sub(there);
        for _ in 0..usize::saturating_sub(missing, self.ordered.len()).min(free) {
            self.ordered.push(now + self.sizes.provision);
        }
    }

    fn shrink(&mut self, now: Time) -> Option<Time> {
        if self.sizes.idle.is_zero() {
            return None;
        }
        let pods = self.hand.list("Pod", "");
        let names = self.names();
        let mut spare = names.len().saturating_sub(self.sizes.least);
        let mut timer = None;
        self.empty.retain(|name, _| names.contains(name));
        for name in names.iter().rev() {
            if pods.iter().any(|pod| object::text(pod, "/spec/nodeName") == name) {
                self.empty.remove(name);
                continue;
            }
            let due = *self.empty.entry(name.clone()).or_insert(now) + self.sizes.idle;
            if spare == 0 {
                continue;
            }
            if due <= now {
                // Somebody else may have removed it.
                let _ = self.hand.delete("Node", "", name);
                self.empty.remove(name);
            } else {
                timer = Some(timer.map_or(due, |timer: Time| timer.min(due)));
            }
            spare -= 1;
        }
        timer
    }
}

impl Model for NodePool {
    fn tick(&mut self, now: Time) -> Option<Time> {
        let news = self.feed.pull();
        if !std::mem::replace(&mut self.started, true) {
            (0..self.sizes.least).for_each(|_| self.add());
        }
        let arrived = self.ordered.iter().filter(|due| **due <= now).count();
        self.ordered.retain(|due| *due > now);
        (0..arrived).for_each(|_| self.add());
        if !news.events.is_empty() {
            self.order(now);
        }
        let idle = if news.events.is_empty() && self.empty.is_empty() { None } else { self.shrink(now) };
        self.ordered.iter().copied().chain(idle).min()
    }
}

/// Whether the scheduler has found no room for the pod.
fn is_refused(pod: &Value) -> bool {
    let refused = |condition: &Value| object::text(condition, "/reason") == "Unschedulable";
    waits(pod) && object::list(pod, "/status/conditions").iter().any(refused)
}
