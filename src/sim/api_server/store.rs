//! The state behind the server. [`Store::commit`] is the only place where it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::journal::{Entry, Log};
use super::kinds::{ResourceDef, Scope};
use super::ownership::track::Tracking;
use super::reject::Reject;
use super::request::Verb;
use crate::api::Time;
use crate::sim::object;
use crate::sim::random::SplitMix;

/// How many changes of one kind a watch can go back. Older versions answer 410.
const DEFAULT_WINDOW: usize = 50_000;

/// Where an object lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// `rollouts.argoproj.io`.
    pub resource: Arc<str>,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
}

/// Who writes, when and how.
pub(crate) struct Act<'a> {
    pub now: Time,
    pub actor: &'a str,
    pub verb: Verb,
    pub subresource: Option<&'a str>,
    /// `dryRun=All`: everything is checked, nothing is kept.
    pub dry_run: bool,
    /// How `managedFields` follow.
    pub tracking: Tracking<'a>,
    /// What becomes of fields that a schema does not know.
    pub unknown: Unknown,
}

/// What becomes of fields that a schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are dropped.
    Drop,
    /// They are dropped, and the client is warned.
    Warn,
    /// The write is refused.
    Refuse,
}

impl<'a> Act<'a> {
    /// The same write by somebody else, as a consequence.
    pub fn by(&self, actor: &'a str, verb: Verb) -> Self {
        Act { dry_run: self.dry_run, ..Self::of(actor, verb, self.now) }
    }
}

/// One committed change of one object, as watches see it.
pub(crate) struct Change {
    pub version: u64,
    pub time: Time,
    pub key: (String, String),
    pub before: Option<Arc<Value>>,
    pub after: Option<Arc<Value>>,
    /// What a watcher is shown: the new state, or the last one with the version of the deletion.
    pub shown: Arc<Value>,
}

/// The objects and the history of one kind.
#[derive(Clone)]
pub(crate) struct Table {
    pub def: Arc<ResourceDef>,
    pub objects: BTreeMap<(String, String), Arc<Value>>,
    pub history: VecDeque<Arc<Change>>,
    /// Watches that start from a version below this one answer 410.
    pub compacted: u64,
    /// The last change that history no longer holds: running watches that have not seen it answer 410.
    pub lost: u64,
    /// The version of the last change of this kind.
    pub changed: u64,
    /// How much later than its commit a change reaches watchers.
    pub watch_delay: Duration,
    /// Goes up when all watches of the kind are cut.
    pub cuts: u64,
    /// Whether the last cut looked like a broken connection.
    pub cut: super::faults::Cut,
}

impl Table {
    /// The objects as they were at `version`, found by undoing history; 410 where history does not reach.
    pub fn snapshot(&self, version: u64) -> Result<BTreeMap<(String, String), Arc<Value>>, Reject> {
        if version < self.compacted {
            return Err(Reject::expired(version, self.compacted));
        }
        let mut objects = self.objects.clone();
        for change in self.history.iter().rev().take_while(|change| change.version > version) {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), before.clone()),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects)
    }
}

/// Everything the server knows.
#[derive(Clone)]
pub(crate) struct Store {
    pub tables: BTreeMap<Arc<str>, Table>,
    /// Registration order, for discovery.
    pub order: Vec<Arc<str>>,
    /// Resources by every name that one may call them. Of kinds with one name in two groups the first has it.
    named: BTreeMap<String, Arc<str>>,
    pub version: u64,
    pub log: Log,
    pub random: SplitMix,
    pub window: usize,
    pub uids: BTreeMap<String, Address>,
    pub dependents: BTreeMap<String, BTreeSet<Address>>,
    /// Work of the garbage collector: when, and the uid of the vanished owner.
    pub doomed: VecDeque<(Time, String)>,
    pub collection_delay: Duration,
    pub services: u32,
    /// What the request under way is to be told beside its answer.
    pub warnings: Vec<String>,
}

impl Store {
    pub fn new(seed: u64) -> Self {
        Self {
            tables: BTreeMap::new(),
            order: Vec::new(),
            named: BTreeMap::new(),
            version: 1,
            log: Log::default(),
            random: SplitMix::new(seed),
            window: DEFAULT_WINDOW,
            uids: BTreeMap::new(),
            dependents: BTreeMap::new(),
            doomed: VecDeque::new(),
            collection_delay: Duration::ZERO,
            services: 0,
            warnings: Vec::new(),
        }
    }

    /// Adds a kind, or replaces the definition of one that is there.
    pub fn register(&mut self, def: ResourceDef) {
        let id: Arc<str> = def.resource().into();
        self.name(&id, &def);
        let def = Arc::new(def);
        if let Some(table) = self.tables.get_mut(&id) {
            table.def = def;
            return;
        }
        let table = Table {
            def,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            compacted: 0,
            lost: 0,
            changed: 0,
            watch_delay: Duration::ZERO,
            cuts: 0,
            cut: super::faults::Cut::Clean,
        };
        self.order.push(id.clone());
        self.tables.insert(id, table);
    }

    fn name(&mut self, id: &Arc<str>, def: &ResourceDef) {
        for name in [id.to_string(), def.kind.clone(), def.qualified_kind()] {
            self.named.entry(name).or_insert_with(|| Arc::clone(id));
        }
    }

    /// Takes a kind out, with its objects.
    pub fn unregister(&mut self, resource: &str) {
        self.tables.remove(resource);
        self.order.retain(|id| &**id != resource);
        self.named.clear();
        for id in self.order.clone() {
            if let Some(def) = self.tables.get(&id).map(|table| Arc::clone(&table.def)) {
                self.name(&id, &def);
            }
        }
    }

    pub fn table(&self, resource: &str) -> Result<&Table, Reject> {
        self.tables.get(resource).ok_or_else(Reject::no_such_path)
    }

    pub fn table_mut(&mut self, resource: &str) -> Result<&mut Table, Reject> {
        self.tables.get_mut(resource).ok_or_else(Reject::no_such_path)
    }

    pub fn def(&self, resource: &str) -> Result<Arc<ResourceDef>, Reject> {
        Ok(self.table(resource)?.def.clone())
    }

    /// The key of a kind named `Rollout`, `Rollout.argoproj.io` or `rollouts.argoproj.io`.
    pub fn resource_of(&self, kind: &str) -> Result<Arc<str>, Reject> {
        let missing = || Reject::new(404, "NotFound", format!("no kind {kind:?} is registered with this server"));
        self.named.get(kind).cloned().ok_or_else(missing)
    }

    /// The address of `namespace/name`; the namespace is dropped for cluster-scoped kinds.
    pub fn address(&self, kind: &str, namespace: &str, name: &str) -> Result<Address, Reject> {
        let resource = self.resource_of(kind)?;
        let cluster = self.table(&resource)?.def.scope == Scope::Cluster;
        let namespace = if cluster { String::new() } else { namespace.to_owned() };
        Ok(Address { resource, namespace, name: name.to_owned() })
    }

    pub fn find(&self, at: &Address) -> Option<&Arc<Value>> {
        self.tables.get(&at.resource)?.objects.get(&(at.namespace.clone(), at.name.clone()))
    }

    pub fn get(&self, at: &Address) -> Result<Arc<Value>, Reject> {
        let def = self.def(&at.resource)?;
        self.find(at).cloned().ok_or_else(|| Reject::not_found(&def, &at.name))
    }

    /// Makes `after` the state of the object (none: it is gone) under a new version, and tells history and journal.
    pub fn commit(&mut self, act: &Act<'_>, at: &Address, after: Option<Value>) -> Result<Arc<Value>, Reject> {
        let before = self.find(at).cloned();
        let next = self.version + u64::from(!act.dry_run);
        let gone = after.is_none();
        let mut shown = after.unwrap_or_else(|| before.as_deref().cloned().unwrap_or_default());
        object::put(&mut shown, &["metadata", "resourceVersion"], json!(next.to_string()));
        let shown = Arc::new(shown);
        if act.dry_run {
            return Ok(shown);
        }
        let after = (!gone).then(|| shown.clone());
        self.version = next;
        self.index(at, before.as_deref(), after.as_deref());
        let window = self.window;
        let table = self.table_mut(&at.resource)?;
        let key = (at.namespace.clone(), at.name.clone());
        match &after {
            Some(after) => table.objects.insert(key.clone(), after.clone()),
            None => table.objects.remove(&key),
        };
        let change = Change {
            version: next,
            time: act.now,
            key,
            before: before.clone(),
            after: after.clone(),
            shown: shown.clone(),
        };
        table.history.push_back(Arc::new(change));
        table.changed = next;
        while table.history.len() > window {
            table.lost = table.history.pop_front().map_or(next, |oldest| oldest.version);
            table.compacted = table.lost;
        }
        let kind = table.def.kind.clone();
        self.log.push(Entry {
            version: next,
            time: act.now,
            verb: act.verb,
            actor: act.actor.to_owned(),
            kind,
            namespace: at.namespace.clone(),
            name: at.name.clone(),
            subresource: act.subresource.map(str::to_owned),
            before,
            after,
        });
        Ok(shown)
    }

    /// Forgets the history of all kinds: every older version is 410 from now on.
    pub fn compact(&mut self) {
        let version = self.version;
        for table in self.tables.values_mut() {
            table.lost = table.history.back().map_or(table.lost, |last| last.version);
            table.history.clear();
            table.compacted = version;
        }
    }

    fn index(&mut self, at: &Address, before: Option<&Value>, after: Option<&Value>) {
        if let Some(before) = before {
            self.uids.remove(object::uid(before));
            for owner in object::owner_uids(before) {
                let Some(set) = self.dependents.get_mut(owner) else { continue };
                set.remove(at);
                if set.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
        if let Some(after) = after {
            self.uids.insert(object::uid(after).to_owned(), at.clone());
            for owner in object::owner_uids(after) {
                self.dependents.entry(owner.to_owned()).or_default().insert(at.clone());
            }
        }
    }
}
