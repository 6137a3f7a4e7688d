//! A store of the objects of one kind, with secondary indexes, fed by one watch task and read by everyone.
//!
//! Readers get `Arc` snapshots and never wait for more than a map operation. Whoever wants to know of changes
//! gives a hook that compares old and new; what to enqueue is the hook's business.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ahash::AHashMap;
use parking_lot::RwLock;

pub use super::object::{Cached, Entry, Invalid, ObjectKey};

/// A secondary index: under which texts an object is found. Objects that did not decode are in no index.
pub struct Index<K> {
    /// Name that readers give to [`Store::by`].
    pub name: &'static str,
    /// The texts under which an object is found; none is fine.
    pub keys: fn(&K) -> Vec<String>,
}

/// How a change became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It happened while we watched.
    Watch,
    /// A complete list differs from what was known: at the start, and after a gap.
    List,
}

/// One change of a store. `old` and `new` are never both `None`.
#[derive(Debug)]
pub struct Change<'a, K> {
    /// What was known before.
    pub old: Option<&'a Entry<K>>,
    /// What is known now; `None` where the object is gone.
    pub new: Option<&'a Entry<K>>,
    /// How the change became known.
    pub source: Source,
}

impl<'a, K: Cached> Change<'a, K> {
    /// The object before, where it was known and decoded.
    pub fn old_object(&self) -> Option<&'a Arc<K>> {
        self.old.and_then(Entry::object)
    }

    /// The object now, where there is one and it decoded.
    pub fn new_object(&self) -> Option<&'a Arc<K>> {
        self.new.and_then(Entry::object)
    }

    /// Namespace and name of the object.
    pub fn key(&self) -> ObjectKey {
        self.new.or(self.old).map_or_else(|| ObjectKey::new("", ""), |entry| ObjectKey::of(entry.meta()))
    }
}

type Hook<K> = Box<dyn Fn(&Change<'_, K>) + Send + Sync>;

/// The objects of one kind, as the API server last told us.
pub struct Store<K> {
    content: RwLock<Content<K>>,
    indexes: Vec<Index<K>>,
    hook: Hook<K>,
}

impl<K> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("objects", &self.content.read().entries.len()).finish_non_exhaustive()
    }
}

struct Content<K> {
    entries: AHashMap<Arc<ObjectKey>, Entry<K>>,
    /// For each declared index: text to keys, in order, so that readers get a stable order.
    found: Vec<AHashMap<String, BTreeSet<Arc<ObjectKey>>>>,
    invalid: usize,
}

impl<K: Cached> Store<K> {
    /// An empty store. `hook` is called after each change, outside of the lock, in the order of the changes.
    pub fn new(indexes: Vec<Index<K>>, hook: impl Fn(&Change<'_, K>) + Send + Sync + 'static) -> Self {
        let found = indexes.iter().map(|_| AHashMap::new()).collect();
        let content = RwLock::new(Content { entries: AHashMap::new(), found, invalid: 0 });
        Self { content, indexes, hook: Box::new(hook) }
    }

    /// The object of this key, where it is known and decoded.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.content.read().entries.get(key).and_then(|entry| entry.object().cloned())
    }

    /// What is known under this key, decoded or not.
    pub fn entry(&self, key: &ObjectKey) -> Option<Entry<K>> {
        self.content.read().entries.get(key).cloned()
    }

    /// The objects that the index called `index` finds under `text`, ordered by key.
    pub fn by(&self, index: &str, text: &str) -> Vec<Arc<K>> {
        let position = self.indexes.iter().position(|declared| declared.name == index);
        debug_assert!(position.is_some(), "no index is called {index:?}");
        let content = self.content.read();
        let keys = position.and_then(|at| content.found.get(at)).and_then(|found| found.get(text));
        let objects = keys.into_iter().flatten().filter_map(|key| content.entries.get(key)?.object().cloned());
        objects.collect()
    }

    /// All objects that decoded, in no particular order.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.content.read().entries.values().filter_map(|entry| entry.object().cloned()).collect()
    }

    /// All objects that did not decode, in no particular order.
    pub fn invalid(&self) -> Vec<Arc<Invalid>> {
        let content = self.content.read();
        let invalid = content.entries.values().filter_map(|entry| match entry {
            Entry::Invalid(invalid) => Some(Arc::clone(invalid)),
            Entry::Valid(_) => None,
        });
        invalid.collect()
    }

    /// Keys of all objects, decoded or not, in order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        let mut keys: Vec<ObjectKey> = self.content.read().entries.keys().map(|key| ObjectKey::clone(key)).collect();
        keys.sort_unstable();
        keys
    }

    /// Number of objects, decoded or not.
    pub fn len(&self) -> usize {
        self.content.read().entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of objects that did not decode.
    pub fn invalid_len(&self) -> usize {
        self.content.read().invalid
    }

    /// Takes in an object that was added or changed.
    pub fn apply(&self, new: &Entry<K>) {
        let old = self.content.write().put(&self.indexes, new);
        (self.hook)(&Change { old: old.as_ref(), new: Some(new), source: Source::Watch });
    }

    /// Takes out an object that was deleted; does nothing where it is not known.
    pub fn delete(&self, key: &ObjectKey) {
        let old = self.content.write().take(&self.indexes, key);
        if let Some(old) = old {
            (self.hook)(&Change { old: Some(&old), new: None, source: Source::Watch });
        }
    }

    /// Makes `all` the whole content. What is not in it was deleted while nobody watched, and the hook hears of
    /// it; of what is there in the same version the hook hears nothing.
    pub fn replace_all(&self, all: Vec<Entry<K>>) {
        let mut changes = Vec::new();
        {
            let mut content = self.content.write();
            let mut gone: AHashMap<Arc<ObjectKey>, ()> =
                content.entries.keys().map(|key| (Arc::clone(key), ())).collect();
            for new in all {
                gone.remove(&ObjectKey::of(new.meta()));
                let old = content.put(&self.indexes, &new);
                if !old.as_ref().is_some_and(|old| same_version(old, &new)) {
                    changes.push((old, Some(new)));
                }
            }
            let mut gone: Vec<_> = gone.into_keys().collect();
            gone.sort_unstable();
            changes.extend(gone.iter().map(|key| (content.take(&self.indexes, key), None)));
        }
        for (old, new) in &changes {
            (self.hook)(&Change { old: old.as_ref(), new: new.as_ref(), source: Source::List });
        }
    }
}

fn same_version<K: Cached>(one: &Entry<K>, other: &Entry<K>) -> bool {
    let (one, other) = (one.meta(), other.meta());
    one.uid == other.uid && one.resource_version == other.resource_version && !one.resource_version.is_empty()
}

impl<K: Cached> Content<K> {
    fn put(&mut self, indexes: &[Index<K>], new: &Entry<K>) -> Option<Entry<K>> {
        let key = ObjectKey::of(new.meta());
        let known = self.entries.get_key_value(&key).map(|(known, _)| Arc::clone(known));
        let key = known.unwrap_or_else(|| Arc::new(key));
        let old = self.entries.get(&key).cloned();
        if let Some(old) = &old {
            self.unlink(indexes, &key, old);
        }
        match new {
            Entry::Invalid(_) => self.invalid += 1,
            Entry::Valid(object) => {
                for (index, found) in indexes.iter().zip(&mut self.found) {
                    for text in (index.keys)(object) {
                        found.entry(text).or_default().insert(Arc::clone(&key));
                    }
                }
            }
        }
        self.entries.insert(key, new.clone());
        old
    }

    fn take(&mut self, indexes: &[Index<K>], key: &ObjectKey) -> Option<Entry<K>> {
        let (key, old) = self.entries.remove_entry(key)?;
        self.unlink(indexes, &key, &old);
        Some(old)
    }

    fn unlink(&mut self, indexes: &[Index<K>], key: &ObjectKey, old: &Entry<K>) {
        let Entry::Valid(object) = old else {
            self.invalid = self.invalid.saturating_sub(1);
            return;
        };
        for (index, found) in indexes.iter().zip(&mut self.found) {
            for text in (index.keys)(object) {
                if let Some(keys) = found.get_mut(&text) {
                    keys.remove(key);
                    if keys.is_empty() {
                        found.remove(&text);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
