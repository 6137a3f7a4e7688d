//! Kinds that are watched only once something refers to them.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::{KindState, Phase, Readiness};

/// Keeps a watch from starting until its kind is asked for. Cheap to clone; clones are the same. Once open it stays open.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    /// Where the watch says how far it has come, and under which name.
    bound: Arc<OnceLock<(Readiness, String)>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)), bound: Arc::default() }
    }
}

impl Gate {
    /// Asks for the kind. From here on nothing is ready before the kind's first list is complete.
    pub fn open(&self) {
        let first = self.open.send_if_modified(|open| !std::mem::replace(open, true));
        if first {
            self.starting();
        }
    }

    /// Whether the kind's cache has been filled.
    pub fn synced(&self) -> bool {
        let phase = self.bound.get().and_then(|(readiness, name)| readiness.phase(name));
        phase == Some(Phase::Synced)
    }

    /// Waits until the kind is asked for.
    pub(super) async fn opened(&self) {
        // Fails only without a sender, and we are one.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }

    pub(super) fn bind(&self, readiness: &Readiness, name: &str) {
        if self.bound.set((readiness.clone(), name.to_owned())).is_ok() && *self.open.borrow() {
            self.starting();
        }
    }

    fn starting(&self) {
        if let Some((readiness, name)) = self.bound.get() {
            readiness.set(name, KindState { phase: Phase::Starting, error: None });
        }
    }
}
