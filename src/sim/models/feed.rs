//! What a model hears of, and when it acts on it: [`Feed`] tells the changes since the last time, [`Agenda`] holds
//! what is due. A tick costs what has changed, not what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::api::Time;
use crate::sim::api_server::Hand;

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub kind: &'static str,
    pub before: Option<Arc<Value>>,
    pub after: Option<Arc<Value>>,
}

impl Event {
    /// The last state that is known.
    pub fn object(&self) -> Option<&Arc<Value>> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// The changes of some kinds since the last look.
pub(crate) struct News {
    /// History did not reach back: the events are everything that there is now, and older knowledge is void.
    pub is_reset: bool,
    pub events: Vec<Event>,
}

/// A model's place in the history of the kinds that it follows.
#[derive(Clone)]
pub(crate) struct Feed {
    hand: Hand,
    kinds: Vec<(&'static str, Option<u64>)>,
}

impl Feed {
    pub fn new(hand: &Hand, kinds: &[&'static str]) -> Self {
        Self { hand: hand.clone(), kinds: kinds.iter().map(|kind| (*kind, None)).collect() }
    }

    pub fn pull(&mut self) -> News {
        self.hand.server().with_store(|store| {
            let table = |kind: &str| store.table(&store.resource_of(kind).ok()?).ok();
            let reaches = |(kind, seen): &(&str, Option<u64>)| {
                table(kind).zip(*seen).is_some_and(|(table, seen)| seen >= table.lost)
            };
            let is_reset = !self.kinds.iter().all(reaches);
            let mut events = Vec::new();
            for (kind, seen) in &mut self.kinds {
                let Some(table) = table(kind) else { continue };
                if is_reset {
                    events.extend(table.objects.values().map(|object| Event {
                        kind,
                        before: None,
                        after: Some(object.clone()),
                    }));
                } else {
                    let last = seen.unwrap_or(0);
                    let from = table.history.partition_point(|change| change.version <= last);
                    let told = table.history.iter().skip(from);
                    events.extend(told.map(|change| Event {
                        kind,
                        before: change.before.clone(),
                        after: change.after.clone(),
                    }));
                }
                *seen = Some(store.version);
            }
            News { is_reset, events }
        })
    }
}

/// What is due when. Each key stands once, at its earliest time.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<K> {
    due: BTreeMap<K, Time>,
}

impl<K: Ord + Clone> Agenda<K> {
    pub const fn new() -> Self {
        Self { due: BTreeMap::new() }
    }

    pub fn add(&mut self, key: K, at: Time) {
        let due = self.due.entry(key).or_insert(at);
        *due = (*due).min(at);
    }

    /// Takes out what is due, in the order of keys.
    pub fn take(&mut self, now: Time) -> Vec<K> {
        let keys: Vec<K> = self.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            self.due.remove(key);
        }
        keys
    }

    pub fn next(&self) -> Option<Time> {
        self.due.values().min().copied()
    }
}

/// The earliest of several instants.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Time>>) -> Option<Time> {
    times.into_iter().flatten().min()
}

/// Namespace and name of an object.
pub(crate) fn key_of(object: &Value) -> (String, String) {
    (crate::sim::object::namespace(object).to_owned(), crate::sim::object::name(object).to_owned())
}
