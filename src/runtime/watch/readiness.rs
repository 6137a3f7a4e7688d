//! Which kinds are ready, for `/readyz` and for whoever waits for the caches.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// How far a kind has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its first list is not complete.
    Starting,
    /// Its cache has been filled.
    Synced,
    /// It is not installed, and need not be.
    Absent,
}

/// State of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindState {
    /// How far it has come.
    pub phase: Phase,
    /// What its list or watch meets at the moment.
    pub error: Option<String>,
}

/// State of all kinds. Cheap to clone; clones are the same.
#[derive(Clone, Debug)]
pub struct Readiness {
    kinds: Arc<watch::Sender<BTreeMap<String, KindState>>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { kinds: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }
}

impl Readiness {
    /// State of each kind, by name.
    pub fn kinds(&self) -> BTreeMap<String, KindState> {
        self.kinds.borrow().clone()
    }

    /// How far a kind has come; `None` where it is not watched.
    pub fn phase(&self, kind: &str) -> Option<Phase> {
        self.kinds.borrow().get(kind).map(|state| state.phase)
    }

    /// What is missing, a line each; empty where every cache is filled or its kind is not installed.
    pub fn missing(&self) -> Vec<String> {
        let kinds = self.kinds.borrow();
        let starting = kinds.iter().filter(|(_, state)| state.phase == Phase::Starting);
        let line = |(name, state): (&String, &KindState)| match &state.error {
            Some(error) => format!("{name}: {error}"),
            None => format!("{name}: the first list is not complete"),
        };
        starting.map(line).collect()
    }

    /// Waits until nothing is missing.
    pub async fn synced(&self) {
        let ready = |kinds: &BTreeMap<String, KindState>| kinds.values().all(|state| state.phase != Phase::Starting);
        // Fails only without a sender, and we are one.
        let _ = self.kinds.subscribe().wait_for(ready).await;
    }

    pub(super) fn set(&self, kind: &str, state: KindState) {
        self.kinds.send_if_modified(|kinds| {
            let changed = kinds.get(kind) != Some(&state);
            if changed {
                kinds.insert(kind.to_owned(), state);
            }
            changed
        });
    }

    pub(super) fn failing(&self, kind: &str, error: String) {
        let phase = self.kinds.borrow().get(kind).map_or(Phase::Starting, |state| state.phase);
        // A kind that was absent and now fails in another way is installed, and not yet read.
        let phase = if phase == Phase::Absent { Phase::Starting } else { phase };
        self.set(kind, KindState { phase, error: Some(error) });
    }

    pub(super) fn recovered(&self, kind: &str) {
        self.kinds.send_if_modified(|kinds| kinds.get_mut(kind).is_some_and(|state| state.error.take().is_some()));
    }
}
