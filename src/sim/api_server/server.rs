//! The handle to the server: what tests, the demo and the models hold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::counters::Counts;
use super::faults::{Cut, Faults};
use super::hand::Hand;
use super::journal::{Cursor, Entry};
use super::kinds::{ResourceDef, built_ins};
use super::reject::Reject;
use super::store::Store;
use crate::api::Time;

/// Tells the time. The server has no other clock.
pub type Now = Arc<dyn Fn() -> Time + Send + Sync>;

/// The seed of uids and generated names, where none is given.
const DEFAULT_SEED: u64 = 0x5151_5151;
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

struct Inner {
    now: Now,
    store: Mutex<Store>,
    /// Goes up with every commit and every tick, and wakes watches, journals and delayed requests.
    pulse: watch::Sender<u64>,
    faults: Mutex<Option<Arc<dyn Faults>>>,
    counts: Mutex<Counts>,
    requests: AtomicU64,
}

/// Everything that a server held at some moment: [`ApiServer::save`]. Clones share nothing that changes.
#[derive(Clone)]
pub struct Saved(Store);

/// An API server in memory. Clones are handles to the same server.
#[derive(Clone)]
pub struct ApiServer(Arc<Inner>);

impl ApiServer {
    /// A server with the built-in kinds and the namespaces of a fresh cluster.
    pub fn new(now: Now) -> Self {
        Self::with_seed(now, DEFAULT_SEED)
    }

    /// The same with a seed of its own for uids and generated names.
    pub fn with_seed(now: Now, seed: u64) -> Self {
        let mut store = Store::new(seed);
        for def in built_ins() {
            store.register(def);
        }
        let server = Self(Arc::new(Inner {
            now,
            store: Mutex::new(store),
            pulse: watch::Sender::new(0),
            faults: Mutex::new(None),
            counts: Mutex::new(Counts::default()),
            requests: AtomicU64::new(0),
        }));
        for name in NAMESPACES {
            server.create_namespace(name);
        }
        server
    }

    /// Adds a namespace; one that is there stays as it is.
    pub fn create_namespace(&self, name: &str) {
        let labels = json!({ "kubernetes.io/metadata.name": name });
        // The only refusals are a taken name, which is what is wanted, and a malformed one, which later creates show.
        let _ = self.hand("apiserver").create("Namespace", json!({ "metadata": { "name": name, "labels": labels } }));
    }

    /// Adds a kind, or changes the definition of one that is there.
    pub fn register(&self, def: ResourceDef) {
        self.0.store.lock().register(def);
    }

    /// Writes and reads past HTTP, faults and counters, in the name of `actor`: for models and test set-up.
    pub fn hand(&self, actor: &str) -> Hand {
        Hand::new(self.clone(), actor)
    }

    /// A kube client whose writes stand in the journal under `actor`. Call it inside a tokio runtime.
    pub fn client(&self, actor: &str) -> kube::Client {
        let actor = actor.to_owned();
        let named = tower::ServiceExt::<http::Request<kube::client::Body>>::map_request(
            self.clone(),
            move |mut request: http::Request<kube::client::Body>| {
                if let Ok(value) = http::HeaderValue::from_str(&actor) {
                    request.headers_mut().insert(super::service::ACTOR_HEADER, value);
                }
                request
            },
        );
        kube::Client::new(named, "default")
    }

    /// The server's time.
    pub fn now(&self) -> Time {
        (self.0.now)()
    }

    /// Lets time have its effect: delayed events, delayed requests, time-outs of watches, garbage collection.
    pub fn tick(&self) {
        let now = self.now();
        // Collection only deletes what is there; a refusal would be a defect of the store, not of the caller.
        let done = self.change(|store| store.collect(now));
        debug_assert!(done.is_ok(), "garbage collection failed: {done:?}");
        self.0.pulse.send_modify(|count| *count += 1);
    }

    /// The `resourceVersion` of the last commit.
    pub fn version(&self) -> u64 {
        self.with_store(|store| store.version)
    }

    /// The version of the last commit to one of these kinds: a model with nothing new to see need not look.
    pub fn version_of(&self, kinds: &[&str]) -> u64 {
        self.with_store(|store| {
            let changed = |kind: &&str| Some(store.table(&store.resource_of(kind).ok()?).ok()?.changed);
            kinds.iter().filter_map(changed).max().unwrap_or(0)
        })
    }

    /// Requests over HTTP and by kube clients so far.
    pub fn counts(&self) -> Counts {
        self.0.counts.lock().clone()
    }

    /// Everything that the journal still holds, oldest first.
    pub fn journal(&self) -> Vec<Arc<Entry>> {
        self.with_store(|store| store.log.all())
    }

    /// A reader of the journal that starts after the last entry.
    pub fn subscribe(&self) -> Cursor {
        let end = self.with_store(|store| store.log.end());
        Cursor::new(self.clone(), end, self.pulse())
    }

    /// A reader of the journal that starts after the write that made this version.
    pub fn subscribe_after(&self, version: u64) -> Cursor {
        let position = self.with_store(|store| store.log.after(version));
        Cursor::new(self.clone(), position, self.pulse())
    }

    /// The objects of a kind as they are now, by namespace and name.
    pub(crate) fn objects(&self, kind: &str) -> BTreeMap<(String, String), Arc<Value>> {
        self.with_store(|store| {
            let table = store.resource_of(kind).and_then(|resource| Ok(store.table(&resource)?.objects.clone()));
            table.unwrap_or_default()
        })
    }

    /// The objects of every kind as they were at a version, as far as history reaches.
    #[allow(clippy::type_complexity, reason = "one caller, which takes it apart at once")]
    pub(crate) fn snapshots(&self, version: u64) -> Vec<(String, BTreeMap<(String, String), Arc<Value>>)> {
        self.with_store(|store| {
            let tables = store.tables.values().filter(|table| !table.objects.is_empty() || !table.history.is_empty());
            tables.map(|table| (table.def.kind.clone(), table.snapshot(version).unwrap_or_default())).collect()
        })
    }

    /// Everything that the server holds, for [`ApiServer::load`].
    pub fn save(&self) -> Saved {
        Saved(self.with_store(Store::clone))
    }

    /// Makes the server hold what it held when that was saved. Watches over HTTP do not notice: a server that has any is
    /// not to be turned back.
    pub fn load(&self, saved: Saved) {
        *self.0.store.lock() = saved.0;
    }

    /// Orders faults for requests over HTTP and by kube clients. Replaces what was ordered before.
    pub fn set_faults(&self, faults: impl Faults + 'static) {
        *self.0.faults.lock() = Some(Arc::new(faults));
    }

    /// Every request goes through again.
    pub fn clear_faults(&self) {
        *self.0.faults.lock() = None;
    }

    /// Changes of the kind reach watchers this much later than their commit, from now on.
    pub fn delay_watch(&self, kind: &str, delay: Duration) -> Result<(), Reject> {
        self.change(|store| {
            let resource = store.resource_of(kind)?;
            store.table_mut(&resource)?.watch_delay = delay;
            Ok(())
        })
    }

    /// Ends all running watches of the kind.
    pub fn cut_watches(&self, kind: &str, cut: Cut) -> Result<(), Reject> {
        self.change(|store| {
            let resource = store.resource_of(kind)?;
            let table = store.table_mut(&resource)?;
            table.cuts += 1;
            table.cut = cut;
            Ok(())
        })?;
        self.0.pulse.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Forgets history: watches and pages from older versions answer 410.
    pub fn compact(&self) {
        self.change(Store::compact);
    }

    /// Empties the journal: for runs that are longer than what anybody reads of them.
    pub fn forget_journal(&self) {
        self.change(|store| store.log.forget());
    }

    /// How many changes of each kind history holds.
    pub fn set_window(&self, changes: usize) {
        self.change(|store| store.window = changes);
    }

    /// How long after its owner a dependent is collected. Zero, the default, is within the same request.
    pub fn set_collection_delay(&self, delay: Duration) {
        self.change(|store| store.collection_delay = delay);
    }

    pub(crate) fn faults(&self) -> Option<Arc<dyn Faults>> {
        self.0.faults.lock().clone()
    }

    pub(crate) fn count(&self, add: impl FnOnce(&mut Counts)) -> u64 {
        add(&mut self.0.counts.lock());
        self.0.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn pulse(&self) -> watch::Receiver<u64> {
        self.0.pulse.subscribe()
    }

    pub(crate) fn with_store<R>(&self, look: impl FnOnce(&Store) -> R) -> R {
        look(&self.0.store.lock())
    }

    /// Runs a change under the lock and wakes everybody if it committed something.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Store) -> R) -> R {
        let mut store = self.0.store.lock();
        let before = store.version;
        let result = change(&mut store);
        let moved = store.version != before;
        drop(store);
        if moved {
            self.0.pulse.send_modify(|count| *count += 1);
        }
        result
    }
}
