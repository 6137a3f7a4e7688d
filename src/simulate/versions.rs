//! Pods behave as it was said of their version. The behaviour is put on them before they get a node, so that templates,
//! and with them the names of revisions, are those of the files.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, Version};
use crate::api::Time;
use crate::api::names::POD_HASH;
use crate::sim::api_server::{ApiServer, Hand};
use crate::sim::models::Model;
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;
use crate::sim::traffic::flow::ERROR_RATE;

/// What is said of versions, shared with the faults that change it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// By version.
    pub behaviour: BTreeMap<Version, Behaviour>,
    /// Hash of the revision that runs before the release; empty until it is known.
    pub stable: String,
}

impl Said {
    /// The version of a pod: what does not carry a revision's hash belongs to the workload that ran before.
    pub fn version(&self, pod: &Value) -> Version {
        let hash = object::label(pod, POD_HASH).unwrap_or_default();
        if hash.is_empty() || self.stable.is_empty() || hash == self.stable { Version::Stable } else { Version::Canary }
    }

    fn annotations(&self, pod: &Value) -> Value {
        let behaviour = self.behaviour.get(&self.version(pod)).cloned().unwrap_or_default();
        let told = behaviour.annotations().into_iter().map(|(key, value)| (key.to_owned(), json!(value)));
        // What is not said any more is taken away.
        let mut told: Map<String, Value> = told.collect();
        for key in [BEHAVIOUR, ERROR_RATE] {
            told.entry(key).or_insert(Value::Null);
        }
        Value::Object(told)
    }
}

/// The model. It acts in the kubelet's name: what pods are like is no input to the controller.
#[derive(Clone)]
pub(super) struct Versions {
    hand: Hand,
    said: Arc<Mutex<Said>>,
    /// The last version of pods that was looked at.
    seen: u64,
}

impl Versions {
    pub fn new(server: &ApiServer, said: Arc<Mutex<Said>>) -> Self {
        Self { hand: server.hand("kubelet"), said, seen: 0 }
    }

    /// Puts the present behaviour on all pods, also on those that run.
    pub fn renew(hand: &Hand, said: &Said) {
        for pod in hand.list("Pod", "") {
            annotate(hand, &pod, &said.annotations(&pod));
        }
    }
}

fn annotate(hand: &Hand, pod: &Value, told: &Value) {
    let patch = json!({"metadata": {"annotations": told}});
    if !object::already_says(Some(pod), &patch) {
        // A pod that is gone is like nothing any more.
        let _ = hand.merge("Pod", (object::namespace(pod), object::name(pod)), &patch);
    }
}

impl Model for Versions {
    fn tick(&mut self, _: Time) -> Option<Time> {
        let version = self.hand.server().version_of(&["Pod"]);
        if version != self.seen {
            let said = self.said.lock();
            let pods = self.hand.list("Pod", "");
            let new = pods.iter().filter(|pod| object::text(pod, "/spec/nodeName").is_empty());
            new.for_each(|pod| annotate(&self.hand, pod, &said.annotations(pod)));
            self.seen = self.hand.server().version_of(&["Pod"]);
        }
        None
    }
}
