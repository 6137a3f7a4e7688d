//! Read your own writes: a key is not decided again before the caches have seen what its last plan wrote.
//!
//! Without this the second look at an object sees the world before the first one's writes, and scales or creates
//! twice. After Kubernetes' `pkg/controller/util/consistency`, but by object: watches hide their bookmarks.

use std::hash::Hash;
use std::time::Duration;

use ahash::AHashMap;
use parking_lot::Mutex;

use super::clock::Clock;
use super::object::{ObjectKey, compare_versions};
use crate::api::meta::Meta;

/// A cache that is behind for longer is not believed: the object is read from the server.
pub const STALE_AFTER: Duration = Duration::from_secs(30);

/// An object of some kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Name of its kind, as the cache's owner calls it.
    pub kind: &'static str,
    /// Namespace and name.
    pub key: ObjectKey,
}

/// What a cache, or the server, shows of an object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Identity of the object.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
}

impl Seen {
    /// What `meta` shows.
    pub fn of(meta: &Meta) -> Self {
        Self { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() }
    }
}

#[derive(Clone, Debug)]
enum Wanted {
    /// This version of this object, or a later one, or another object of the name.
    Version(Seen),
    /// The absence of this object.
    Deletion { uid: String },
    /// Unknown: nobody can say from a cache whether the write has happened.
    LiveRead,
}

#[derive(Clone, Debug)]
struct Expectation {
    wanted: Wanted,
    since: Duration,
}

/// Whether a key may be decided.
#[derive(Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The caches have seen all of its writes.
    Ready,
    /// They have not. The change that ends this brings the key back; look again after this time even without it.
    Behind {
        /// Time until the caches are not believed any more.
        check_after: Duration,
    },
    /// These objects must be read from the server, and [`Expectations::read`] told of each.
    ReadLive(Vec<ObjectRef>),
}

/// What each key `O` waits for. Bounded by the writes in flight: an expectation ends with the event that meets it.
#[derive(Debug)]
pub struct Expectations<O> {
    clock: Clock,
    owners: Mutex<AHashMap<O, AHashMap<ObjectRef, Expectation>>>,
}

/// A copy of its own, for whoever plays on from the same state twice.
impl<O: Clone> Clone for Expectations<O> {
    fn clone(&self) -> Self {
        Self { clock: self.clock.clone(), owners: Mutex::new(self.owners.lock().clone()) }
    }
}

impl<O: Clone + Eq + Hash> Expectations<O> {
    /// None yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, owners: Mutex::new(AHashMap::new()) }
    }

    /// A write of `owner` has returned this version of `object`.
    pub fn wrote(&self, owner: &O, object: ObjectRef, seen: Seen) {
        self.want(owner, object, Wanted::Version(seen));
    }

    /// `owner` has deleted the object of this identity.
    pub fn deleted(&self, owner: &O, object: ObjectRef, uid: impl Into<String>) {
        self.want(owner, object, Wanted::Deletion { uid: uid.into() });
    }

    /// `owner` has sent a write of `object` and does not know what came of it.
    pub fn unknown(&self, owner: &O, object: ObjectRef) {
        self.want(owner, object, Wanted::LiveRead);
    }

    /// A live read has shown `seen`, or that there is no such object: the caches have to catch up with that.
    pub fn read(&self, owner: &O, object: ObjectRef, seen: Option<Seen>) {
        if let Some(seen) = seen {
            return self.want(owner, object, Wanted::Version(seen));
        }
        let mut owners = self.owners.lock();
        let Some(expected) = owners.get_mut(owner) else { return };
        let uid = match expected.get(&object).map(|known| &known.wanted) {
            Some(Wanted::Version(known)) => Some(known.uid.clone()),
            Some(Wanted::Deletion { uid }) => Some(uid.clone()),
            Some(Wanted::LiveRead) | None => None,
        };
        match uid {
            Some(uid) => {
                let since = self.clock.monotonic();
                expected.insert(object, Expectation { wanted: Wanted::Deletion { uid }, since });
            }
            None => {
                expected.remove(&object);
            }
        }
    }

    /// Forgets what `owner` waits for: it is gone, or another object has its name.
    pub fn clear(&self, owner: &O) {
        self.owners.lock().remove(owner);
    }

    /// Number of owners that wait for something.
    pub fn waiting(&self) -> usize {
        self.owners.lock().len()
    }

    /// Whether `owner` may be decided, where `cached` looks an object up in its cache. What is met is forgotten.
    pub fn check(&self, owner: &O, cached: impl Fn(&ObjectRef) -> Option<Seen>) -> Readiness {
        let now = self.clock.monotonic();
        let mut owners = self.owners.lock();
        let Some(expected) = owners.get_mut(owner) else { return Readiness::Ready };
        expected.retain(|object, expectation| !met(&expectation.wanted, cached(object).as_ref()));
        if expected.is_empty() {
            owners.remove(owner);
            return Readiness::Ready;
        }
        let age = |expectation: &Expectation| now.saturating_sub(expectation.since);
        let mut live: Vec<ObjectRef> = expected
            .iter()
            .filter(|(_, e)| matches!(e.wanted, Wanted::LiveRead) || age(e) >= STALE_AFTER)
            .map(|(object, _)| object.clone())
            .collect();
        if live.is_empty() {
            let oldest = expected.values().map(age).max().unwrap_or_default();
            return Readiness::Behind { check_after: STALE_AFTER.saturating_sub(oldest) };
        }
        live.sort_unstable();
        Readiness::ReadLive(live)
    }

    fn want(&self, owner: &O, object: ObjectRef, wanted: Wanted) {
        let since = self.clock.monotonic();
        let mut owners = self.owners.lock();
        let expected = owners.entry(owner.clone()).or_default();
        // An answer that was overtaken by a later one must not lower what is waited for.
        if let (Wanted::Version(new), Some(Wanted::Version(known))) =
            (&wanted, expected.get(&object).map(|e| &e.wanted))
            && new.uid == known.uid
            && compare_versions(&new.resource_version, &known.resource_version).is_some_and(std::cmp::Ordering::is_lt)
        {
            return;
        }
        expected.insert(object, Expectation { wanted, since });
    }
}

fn met(wanted: &Wanted, cached: Option<&Seen>) -> bool {
    match (wanted, cached) {
        (Wanted::LiveRead, _) | (Wanted::Version(_), None) => false,
        (Wanted::Version(wanted), Some(cached)) => {
            // Versions that are no numbers cannot be ordered: they are believed.
            wanted.uid != cached.uid
                || compare_versions(&cached.resource_version, &wanted.resource_version)
                    .is_none_or(std::cmp::Ordering::is_ge)
        }
        (Wanted::Deletion { .. }, None) => true,
        (Wanted::Deletion { uid }, Some(cached)) => cached.uid != *uid,
    }
}

#[cfg(test)]
mod tests;
