//! What a controller's watches have shown it: a cache for each kind, each with a delay of its own.
//!
//! Left alone it is always up to date. [`Trouble`] makes it late, lets it miss an event, or starts it from the past;
//! what then differs between kinds is what a real controller meets as events that arrive out of order.

use std::any::Any;
use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::lite::ReplicaSetStatus;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, Kind, LabelSelector, Meta, Pod, ReplicaSet,
    Service, TextMap, Time, Workload, names,
};
use crate::controller::cached::CachedRollout;
use crate::controller::observe::{Lookup, Objects};
use crate::plan::ObjectRef;
use crate::rollout::invalid::service_fields;
use crate::runtime::expectations::Seen;
use crate::sim::api_server::{ApiServer, Cursor, Entry};
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// The longest that an event is held back.
pub const LATEST: Duration = Duration::from_mins(1);
/// Kinds that wake nobody: the controller does not watch them.
const UNWATCHED: &[&str] = &["Namespace", "Node", "Lease", "Event", "Gateway", "GatewayClass"];

/// What happens to one event of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// It, and so every later one of its kind, arrives so many milliseconds late.
    Late(u64),
    /// It arrives once so many later events of its kind have happened, or after a minute.
    Behind(usize),
    /// It never arrives; after so many milliseconds the kind is listed anew.
    Lost(u64),
}

type Key = (String, String);

/// An object as it arrived; decoded when somebody looks at it.
#[derive(Clone)]
struct Slot {
    value: Arc<Value>,
    decoded: OnceCell<Option<Arc<dyn Any + Send + Sync>>>,
}

#[derive(Clone)]
struct Held {
    entry: Arc<Entry>,
    due: Time,
    behind: usize,
}

#[derive(Clone, Default)]
struct Watch {
    objects: BTreeMap<Key, Slot>,
    held: VecDeque<Held>,
    /// Every event is so much late.
    lag: Duration,
    /// Trouble by the number of the event.
    trouble: BTreeMap<u64, Trouble>,
    /// Events so far.
    count: u64,
    relist: Option<Time>,
}

/// The caches of one controller.
#[derive(Clone)]
pub struct View {
    server: ApiServer,
    cursor: Cursor,
    watches: BTreeMap<String, Watch>,
    heard: u64,
    /// Nothing arrives before this time.
    held_until: Option<Time>,
}

impl View {
    /// Everything that the server holds now.
    pub fn new(server: &ApiServer) -> Self {
        Self::as_of(server, server.version())
    }

    /// What the server held at an earlier version; what has happened since arrives as events.
    pub fn as_of(server: &ApiServer, version: u64) -> Self {
        let cursor = server.subscribe_after(version);
        let mut view = Self { server: server.clone(), cursor, watches: BTreeMap::new(), heard: 0, held_until: None };
        for (kind, objects) in server.snapshots(version) {
            let objects = objects.into_iter().map(|(key, value)| (key, Slot::of(value))).collect();
            view.watches.insert(kind, Watch { objects, ..Watch::default() });
        }
        view
    }

    /// Makes every event of a kind arrive late.
    pub fn delay(&mut self, kind: &str, lag: Duration) {
        self.watches.entry(kind.to_owned()).or_default().lag = lag.min(LATEST);
    }

    /// Orders trouble for the event of a kind with this number, from 0.
    pub fn trouble(&mut self, kind: &str, number: u64, trouble: Trouble) {
        self.watches.entry(kind.to_owned()).or_default().trouble.insert(number, trouble);
    }

    /// Events of each kind that have happened.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.watches.iter().map(|(kind, watch)| (kind.as_str(), watch.count))
    }

    /// Goes up with every event that has arrived.
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// Whether something of a kind has not arrived yet.
    pub fn is_behind(&self, kind: &str) -> bool {
        let behind = |watch: &Watch| !watch.held.is_empty() || watch.relist.is_some();
        self.held_until.is_some() || self.watches.get(kind).is_some_and(behind)
    }

    /// When the next event that is held back arrives.
    pub fn next(&self) -> Option<Time> {
        let held = self.watches.values().filter_map(|watch| watch.held.front()).map(|held| held.due);
        let next = held.chain(self.watches.values().filter_map(|watch| watch.relist)).min();
        self.held_until.or(next)
    }

    /// Nothing arrives before this time: the API server that this view lists from is behind the others.
    pub const fn hold(&mut self, until: Time) {
        self.held_until = Some(until);
    }

    /// Takes in what has arrived by now.
    pub fn sync(&mut self, now: Time) {
        if self.held_until.is_some_and(|until| until > now) {
            return;
        }
        self.held_until = None;
        // The journal of one run is far shorter than what the server keeps.
        for entry in self.cursor.drain().unwrap_or_default() {
            let watch = match self.watches.get_mut(&entry.kind) {
                Some(watch) => watch,
                None => self.watches.entry(entry.kind.clone()).or_default(),
            };
            watch.hear(entry);
        }
        for (kind, watch) in &mut self.watches {
            let arrived = watch.arrive(&self.server, kind, now);
            if !UNWATCHED.contains(&kind.as_str()) {
                self.heard += arrived;
            }
        }
    }

    /// Identity and version of an object as it arrived.
    pub fn seen(&self, kind: &str, namespace: &str, name: &str) -> Option<Seen> {
        let value = self.value(kind, namespace, name)?;
        let text = |pointer: &str| object::text(value, pointer).to_owned();
        Some(Seen { uid: text("/metadata/uid"), resource_version: text("/metadata/resourceVersion") })
    }

    fn slot(&self, kind: &str, namespace: &str, name: &str) -> Option<&Slot> {
        self.watches.get(kind)?.objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    fn value(&self, kind: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.slot(kind, namespace, name).map(|slot| &slot.value)
    }

    fn one<K: Kind + DeserializeOwned + Send + Sync + 'static>(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.slot(K::KIND, namespace, name)?.read()
    }

    fn lookup<K: Kind + DeserializeOwned + Send + Sync + 'static>(&self, namespace: &str, name: &str) -> Lookup<K> {
        match (self.one::<K>(namespace, name), self.value(K::KIND, namespace, name)) {
            (Some(object), _) => Lookup::Found(object),
            (None, Some(value)) => {
                Lookup::Invalid(K::deserialize(&**value).err().map(|error| error.to_string()).unwrap_or_default())
            }
            (None, None) => Lookup::Absent,
        }
    }

    fn all<K>(&self, namespace: &str, keep: impl Fn(&K) -> bool) -> Vec<Arc<K>>
    where
        K: Kind + DeserializeOwned + Send + Sync + 'static,
    {
        let slots = self.watches.get(K::KIND).into_iter().flat_map(|watch| &watch.objects);
        let here = slots.filter(|((place, _), _)| namespace.is_empty() || place == namespace);
        here.filter_map(|(_, slot)| slot.read()).filter(|object: &Arc<K>| keep(object)).collect()
    }

    fn owned<K: Kind + DeserializeOwned + Send + Sync + 'static>(&self, uid: &str) -> Vec<Arc<K>> {
        self.all("", |object: &K| object.meta().controller().is_some_and(|owner| owner.uid == uid))
    }
}

impl Slot {
    const fn of(value: Arc<Value>) -> Self {
        Self { value, decoded: OnceCell::new() }
    }

    fn read<K: DeserializeOwned + Send + Sync + 'static>(&self) -> Option<Arc<K>> {
        self.decode(|value| K::deserialize(value).ok())
    }

    fn decode<K: Send + Sync + 'static>(&self, decode: impl Fn(&Value) -> Option<K>) -> Option<Arc<K>> {
        let decoded =
            self.decoded.get_or_init(|| Some(Arc::new(decode(&self.value)?) as Arc<dyn Any + Send + Sync>)).clone();
        decoded?.downcast().ok()
    }

    /// Takes over what is dear to read and has not changed since another version of the object.
    fn keep(&self, kind: &str, old: &Self) {
        let same = |pointer: &str| old.value.pointer(pointer) == self.value.pointer(pointer);
        // A digest is a function of the specification.
        if kind == "Rollout" && same("/spec") && same("/status/collisionCount") && same("/metadata/annotations") {
            let Some(known) = rollout(old) else { return };
            self.decode(|value| CachedRollout::with_digest(value, &known.digest).ok());
        }
        // A template is kept packed.
        if kind == "ReplicaSet" && same("/spec") {
            let Some(known) = old.read::<ReplicaSet>() else { return };
            self.decode(|value| {
                let metadata = Meta::deserialize(value.get("metadata")?).ok()?;
                let status = value.get("status").map(ReplicaSetStatus::deserialize).transpose().ok()?;
                Some(ReplicaSet { metadata, spec: known.spec.clone(), status: status.unwrap_or_default() })
            });
        }
    }
}

impl Watch {
    fn hear(&mut self, entry: Arc<Entry>) {
        let number = self.count;
        self.count += 1;
        let due = entry.time + self.lag;
        let held = match self.trouble.get(&number) {
            Some(Trouble::Lost(millis)) => {
                self.relist = Some(entry.time + Duration::from_millis(*millis).min(LATEST));
                return;
            }
            Some(Trouble::Late(millis)) => {
                Held { due: entry.time + Duration::from_millis(*millis).min(LATEST), entry, behind: 0 }
            }
            Some(Trouble::Behind(events)) => Held { due: entry.time + LATEST, entry, behind: *events },
            None => Held { entry, due, behind: 0 },
        };
        self.held.push_back(held);
    }

    /// Takes in what is due; returns how many events that were.
    fn arrive(&mut self, server: &ApiServer, kind: &str, now: Time) -> u64 {
        let mut arrived = 0;
        if self.relist.is_some_and(|at| at <= now) {
            self.relist = None;
            self.held.clear();
            let objects = server.objects(kind);
            self.objects = objects.into_iter().map(|(key, value)| (key, Slot::of(value))).collect();
            arrived += 1;
        }
        while let Some(front) = self.held.front() {
            let overtaken = front.behind > 0 && self.held.len() > front.behind;
            if front.due > now && !overtaken {
                break;
            }
            let Some(held) = self.held.pop_front() else { break };
            self.take(&held.entry);
            arrived += 1;
        }
        arrived
    }

    fn take(&mut self, entry: &Entry) {
        let key = (entry.namespace.clone(), entry.name.clone());
        match &entry.after {
            None => drop(self.objects.remove(&key)),
            Some(after) => {
                let slot = Slot::of(Arc::clone(after));
                if let Some(old) = self.objects.get(&key) {
                    slot.keep(&entry.kind, old);
                }
                self.objects.insert(key, slot);
            }
        }
    }
}

fn rollout(slot: &Slot) -> Option<Arc<CachedRollout>> {
    slot.decode(|value| CachedRollout::of(value).ok())
}

impl Objects for View {
    fn rollout(&self, namespace: &str, name: &str) -> Option<Arc<CachedRollout>> {
        rollout(self.slot("Rollout", namespace, name)?)
    }

    fn replica_sets_of(&self, owner_uid: &str) -> Vec<Arc<ReplicaSet>> {
        self.owned(owner_uid)
    }

    fn orphan_replica_sets(&self, namespace: &str) -> Vec<Arc<ReplicaSet>> {
        // As in the controller's cache, which holds only those that carry a pod hash.
        self.all(namespace, |rs: &ReplicaSet| rs.metadata.controller().is_none() && !rs.pod_hash().is_empty())
    }

    fn pods_of(&self, replica_set_uid: &str) -> Vec<Arc<Pod>> {
        self.owned(replica_set_uid)
    }

    fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        self.one(namespace, name)
    }

    fn endpoints_of(&self, namespace: &str, service: &str) -> Vec<Arc<EndpointSlice>> {
        self.all(namespace, |slice: &EndpointSlice| slice.metadata.label(names::SERVICE_NAME) == Some(service))
    }

    fn route(&self, route: &ObjectRef) -> Option<Arc<Value>> {
        self.value(&route.resource.kind, &route.namespace, &route.name).cloned()
    }

    fn routes_in(&self, kind: RouteKind, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        let watch = self.watches.get(kind.resource().kind.as_ref());
        let slots = watch.into_iter().flat_map(|watch| &watch.objects);
        let here = slots.filter(|((place, _), _)| place == namespace).map(|(_, slot)| &slot.value);
        let labels_of = |route: &Value| route.pointer("/metadata/labels").map(TextMap::deserialize);
        let taken = |route: &&Arc<Value>| labels.matches(&labels_of(route).and_then(Result::ok).unwrap_or_default());
        here.filter(taken).cloned().collect()
    }

    fn runs_of(&self, owner_uid: &str) -> Vec<Arc<AnalysisRun>> {
        self.owned(owner_uid)
    }

    fn unreadable_runs_of(&self, _owner_uid: &str) -> Vec<(ObjectRef, String)> {
        // Nobody writes such runs here.
        Vec::new()
    }

    fn template(&self, namespace: &str, name: &str) -> Lookup<AnalysisTemplate> {
        self.lookup(namespace, name)
    }

    fn cluster_template(&self, name: &str) -> Lookup<ClusterAnalysisTemplate> {
        self.lookup("", name)
    }

    fn workload(&self, object: &ObjectRef) -> Lookup<Workload> {
        let found = self.value(&object.resource.kind, &object.namespace, &object.name);
        match found.map(|value| Workload::deserialize(&**value)) {
            Some(Ok(workload)) => Lookup::Found(Arc::new(workload)),
            Some(Err(error)) => Lookup::Invalid(error.to_string()),
            None => Lookup::Absent,
        }
    }

    fn rollouts_with_service(&self, namespace: &str, service: &str) -> Vec<Arc<CachedRollout>> {
        let slots = self.watches.get("Rollout").into_iter().flat_map(|watch| &watch.objects);
        let rollouts = slots.filter(|((place, _), _)| place == namespace).filter_map(|(_, slot)| rollout(slot));
        let naming = rollouts
            .filter(|cached| service_fields(&cached.rollout.spec.strategy).iter().any(|(_, name)| *name == service));
        naming.collect()
    }
}
