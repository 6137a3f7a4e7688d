//! The cluster as the journal tells it, and what has to be remembered of its past.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::routes::RouteHistory;
use crate::api::{Rollout, Time};
use crate::sim::api_server::journal::Entry;
use crate::sim::models::replica_sets::ready_since;
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// What is remembered of one Rollout.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When each revision, by hash, last had a share of the traffic.
    pub exposed: BTreeMap<String, Time>,
    /// Revisions that were stable once and are neither stable nor current now.
    pub former: BTreeMap<String, Time>,
    /// The revision whose update is aborted, and since when that is on record.
    pub aborted: Option<(String, Time)>,
    /// Last change of a field of ours: (value before, value after, inputs seen until the value before was written).
    pub fields: BTreeMap<String, (Value, Value, u64)>,
    /// The value that we wrote last into each selector and route, and when again although nothing else came in between.
    pub repairs: BTreeMap<String, (Value, Vec<Time>)>,
    /// Inputs seen until the last change of each field.
    pub changed: BTreeMap<String, u64>,
    /// Inputs from outside, and decisions on record: what may make a field go back.
    pub inputs: u64,
    /// Images that the template has had.
    pub images: Vec<Value>,
    /// ReplicaSets as they were created, by uid: what their pods were made of, whatever is edited later.
    pub made: BTreeMap<String, Arc<Value>>,
    /// When somebody else last took a revision or pods away, or changed what leads to them.
    pub disturbed: Option<Time>,
    /// Sizes that the Rollout was asked to have, and until when.
    pub sizes: Vec<(Time, i32)>,
    /// Inputs seen until a pause last ended, by its reason.
    pub pauses: BTreeMap<String, u64>,
    /// How often somebody has resumed after an inconclusive analysis.
    pub resumes: u64,
    /// Resumes seen until a gate's run was last replaced, by gate.
    pub replaced: BTreeMap<String, u64>,
    /// When the update last got further by the record, or was changed.
    pub progress: Option<Time>,
}

/// The objects of one kind by namespace, and then by name.
type Objects = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// The cluster after some prefix of the journal. A copy costs a few pointers, and the first change after it the objects
/// of one kind.
#[derive(Clone, Debug, Default)]
pub struct State {
    objects: Vec<(String, Arc<Objects>)>,
    /// Rollouts, read, by namespace and name.
    read: Arc<BTreeMap<(String, String), Arc<Rollout>>>,
    /// Weights that may be in force, by namespace and name of the route (names are distinct over kinds here).
    pub routes: Arc<BTreeMap<(String, String), RouteHistory>>,
    /// By uid of the Rollout.
    pub past: BTreeMap<String, Arc<Past>>,
    /// When the last write was made.
    pub now: Time,
    /// Whether the controller's views are late in this run: only a simulation knows.
    pub late_views: bool,
    /// Whether the controller's view of EndpointSlices is behind: only a simulation knows.
    pub late_slices: bool,
    /// By how much the clocks of controllers that succeed each other may be apart: only a simulation knows. What one has
    /// recorded and another measures ends so much sooner or later.
    pub clocks_apart: Duration,
}

impl State {
    fn objects(&self, kind: &str) -> Option<&Arc<Objects>> {
        self.objects.iter().find(|(known, _)| known == kind).map(|(_, objects)| objects)
    }

    /// An object, if it exists.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects(kind)?.get(namespace)?.get(name)
    }

    /// All objects of a kind in a namespace.
    pub fn list<'s>(&'s self, kind: &str, namespace: &str) -> impl Iterator<Item = &'s Arc<Value>> {
        self.objects(kind).and_then(|objects| objects.get(namespace)).into_iter().flat_map(BTreeMap::values)
    }

    /// A Rollout as it was read last.
    pub fn read(&self, value: &Value) -> Option<Arc<Rollout>> {
        self.read.get(&(object::namespace(value).to_owned(), object::name(value).to_owned())).cloned()
    }

    /// All Rollouts.
    pub fn rollouts(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.read.keys().filter_map(|(namespace, name)| self.get("Rollout", namespace, name))
    }

    /// Identities of the Rollouts that an object of a namespace may concern: of a cluster-scoped one, all.
    pub fn uids(&self, namespace: &str) -> Vec<String> {
        let near = self.rollouts().filter(|value| namespace.is_empty() || object::namespace(value) == namespace);
        near.map(|rollout| object::uid(rollout).to_owned()).collect()
    }

    /// What is remembered of those Rollouts, to be changed.
    pub fn pasts(&mut self, namespace: &str) -> impl Iterator<Item = &mut Past> {
        let near = self.uids(namespace);
        self.past.iter_mut().filter(move |(uid, _)| near.contains(uid)).map(|(_, past)| Arc::make_mut(past))
    }

    /// What is remembered of a Rollout, to be changed.
    pub fn past_of(&mut self, uid: &str) -> &mut Past {
        Arc::make_mut(self.past.entry(uid.to_owned()).or_default())
    }

    /// Pods that a ReplicaSet controls and that are not on their way out.
    pub fn pods<'s>(&'s self, rs: &'s Value) -> impl Iterator<Item = &'s Arc<Value>> {
        let uid = object::uid(rs);
        self.list("Pod", object::namespace(rs))
            .filter(move |pod| object::controller_uid(pod) == Some(uid) && !object::is_terminating(pod))
    }

    /// Available pods of a ReplicaSet: ready for `min_ready` seconds and not on their way out. The ground truth.
    pub fn available(&self, rs: &Value) -> i64 {
        let wait = Duration::from_secs(object::integer(rs, "/spec/minReadySeconds").unwrap_or(0).unsigned_abs());
        let ready = self.pods(rs).filter(|pod| ready_since(pod).is_some_and(|since| since + wait <= self.now));
        i64::try_from(ready.count()).unwrap_or(i64::MAX)
    }

    /// Takes one write in.
    pub fn apply(&mut self, entry: &Entry) {
        self.now = self.now.max(entry.time);
        let key = (entry.namespace.clone(), entry.name.clone());
        let position = self.objects.iter().position(|(kind, _)| *kind == entry.kind).unwrap_or_else(|| {
            self.objects.push((entry.kind.clone(), Arc::default()));
            self.objects.len() - 1
        });
        let Some((_, objects)) = self.objects.get_mut(position) else { return };
        match &entry.after {
            Some(after) => {
                let place = Arc::make_mut(objects).entry(key.0.clone()).or_default();
                place.insert(key.1.clone(), Arc::clone(after));
                if RouteKind::named(&entry.kind).is_some() {
                    Arc::make_mut(&mut self.routes).entry(key).or_default().observe(after, entry.time);
                } else if entry.kind == "Rollout" {
                    self.read_rollout(key, entry);
                }
            }
            None => {
                if let Some(place) = Arc::make_mut(objects).get_mut(&key.0) {
                    place.remove(&key.1);
                }
            }
        }
    }

    /// Reads a Rollout; its specification only where that has changed.
    fn read_rollout(&mut self, key: (String, String), entry: &Entry) {
        let Some(after) = &entry.after else { return };
        let same = entry.before.as_ref().is_some_and(|before| before.get("spec") == after.get("spec"));
        let read: Option<Rollout> = match self.read.get(&key).filter(|_| same) {
            Some(known) => after.get("status").and_then(|status| {
                let status = serde::Deserialize::deserialize(status).ok()?;
                let metadata = serde::Deserialize::deserialize(after.get("metadata")?).ok()?;
                Some(Rollout { metadata, status, ..(**known).clone() })
            }),
            None => serde::Deserialize::deserialize(&**after).ok(),
        };
        if let Some(read) = read {
            Arc::make_mut(&mut self.read).insert(key, Arc::new(read));
        }
    }
}
