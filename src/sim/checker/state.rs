//! The cluster as the journal tells it, and what has to be remembered of its past.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::routes::RouteHistory;
use crate::api::{Rollout, Time};
use crate::sim::api_server::journal::Entry;
use crate::sim::models::replica_sets::ready_since;
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// Kind, namespace, name.
pub type Key = (String, String, String);

/// What is remembered of one Rollout.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When each revision, by hash, last had a share of the traffic.
    pub exposed: BTreeMap<String, Time>,
    /// Revisions that were stable once and are neither stable nor current now.
    pub former: BTreeMap<String, Time>,
    /// The revision whose update is aborted, and since when that is on record.
    pub aborted: Option<(String, Time)>,
    /// Last change of a field of ours: (value before, value after, inputs seen until then).
    pub fields: BTreeMap<String, (Value, Value, u64)>,
    /// Inputs from outside, and decisions on record: what may make a field go back.
    pub inputs: u64,
}

/// The cluster after some prefix of the journal.
#[derive(Clone, Debug, Default)]
pub struct State {
    objects: BTreeMap<Key, Arc<Value>>,
    /// Rollouts, read, by namespace and name.
    read: BTreeMap<(String, String), Arc<Rollout>>,
    /// Weights that may be in force, by namespace and name of the route (names are distinct over kinds here).
    pub routes: BTreeMap<(String, String), RouteHistory>,
    /// By uid of the Rollout.
    pub past: BTreeMap<String, Past>,
    /// When the last write was made.
    pub now: Time,
}

impl State {
    /// An object, if it exists.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// All objects of a kind in a namespace.
    pub fn list<'s>(&'s self, kind: &str, namespace: &str) -> impl Iterator<Item = &'s Arc<Value>> {
        let (kind, namespace) = (kind.to_owned(), namespace.to_owned());
        let from = (kind.clone(), namespace.clone(), String::new());
        self.objects
            .range(from..)
            .take_while(move |((k, n, _), _)| *k == kind && *n == namespace)
            .map(|(_, object)| object)
    }

    /// A Rollout as it was read last.
    pub fn read(&self, value: &Value) -> Option<Arc<Rollout>> {
        self.read.get(&(object::namespace(value).to_owned(), object::name(value).to_owned())).cloned()
    }

    /// All Rollouts.
    pub fn rollouts(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.read.keys().filter_map(|(namespace, name)| self.get("Rollout", namespace, name))
    }

    /// Pods that a ReplicaSet controls and that are not on their way out.
    pub fn pods<'s>(&'s self, rs: &'s Value) -> impl Iterator<Item = &'s Arc<Value>> {
        let uid = object::uid(rs);
        self.list("Pod", object::namespace(rs))
            .filter(move |pod| object::controller_uid(pod) == Some(uid) && !object::is_terminating(pod))
    }

    /// Available pods of a ReplicaSet: ready for `min_ready` seconds and not on their way out. The ground truth.
    pub fn available(&self, rs: &Value) -> i64 {
        let wait =
            std::time::Duration::from_secs(object::integer(rs, "/spec/minReadySeconds").unwrap_or(0).unsigned_abs());
        let ready = self.pods(rs).filter(|pod| ready_since(pod).is_some_and(|since| since + wait <= self.now));
        i64::try_from(ready.count()).unwrap_or(i64::MAX)
    }

    /// Takes one write in.
    pub fn apply(&mut self, entry: &Entry) {
        self.now = self.now.max(entry.time);
        let key = (entry.kind.clone(), entry.namespace.clone(), entry.name.clone());
        match &entry.after {
            Some(after) => {
                if RouteKind::named(&entry.kind).is_some() {
                    let route = (entry.namespace.clone(), entry.name.clone());
                    self.routes.entry(route).or_default().observe(after, entry.time);
                }
                if entry.kind == "Rollout" {
                    let read: Option<Rollout> = serde::Deserialize::deserialize(&**after).ok();
                    self.read.extend(read.map(|read| ((entry.namespace.clone(), entry.name.clone()), Arc::new(read))));
                }
                self.objects.insert(key, Arc::clone(after));
            }
            None => {
                self.objects.remove(&key);
            }
        }
    }
}
