//! Every committed write, in order: what checkers of invariants replay.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::request::Verb;
use super::server::ApiServer;
use crate::api::Time;

/// How many entries are kept. States are shared with history, so an entry is small beside its object.
const MAX_ENTRIES: usize = 200_000;

/// One committed write.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The `resourceVersion` that it made.
    pub version: u64,
    /// When.
    pub time: Time,
    /// The verb of the request. Consequences of a deletion are `Delete`.
    pub verb: Verb,
    /// The header `x-siskin-actor`, else `User-Agent`, else the name of the model.
    pub actor: String,
    /// The kind, such as `Rollout`.
    pub kind: String,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// `status`, `scale`, or none.
    pub subresource: Option<String>,
    /// The state before; none for a creation.
    pub before: Option<Arc<Value>>,
    /// The state after; none for a removal.
    pub after: Option<Arc<Value>>,
}

#[derive(Clone, Default)]
pub(crate) struct Log {
    entries: VecDeque<Arc<Entry>>,
    /// How many entries have left at the front.
    dropped: u64,
}

impl Log {
    pub fn push(&mut self, entry: Entry) {
        self.entries.push_back(Arc::new(entry));
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    /// Lets all entries go. Readers that have not seen them are told so.
    pub fn forget(&mut self) {
        self.dropped = self.end();
        self.entries = VecDeque::new();
    }

    pub fn end(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    /// The position of the first entry that is younger than a version.
    pub fn after(&self, version: u64) -> u64 {
        self.dropped + self.entries.partition_point(|entry| entry.version <= version) as u64
    }

    fn since(&self, position: u64) -> Result<Vec<Arc<Entry>>, Missed> {
        let missed = Missed(self.dropped.saturating_sub(position));
        let skip = usize::try_from(position.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        if missed.0 > 0 { Err(missed) } else { Ok(self.entries.iter().skip(skip).cloned().collect()) }
    }

    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.iter().cloned().collect()
    }
}

/// The reader was slower than the journal is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} entries of the journal were dropped before they were read; read more often")]
pub struct Missed(pub u64);

/// A reader's place in the journal. It pulls, so a slow reader holds nobody up.
#[derive(Clone)]
pub struct Cursor {
    server: ApiServer,
    position: u64,
    pulse: watch::Receiver<u64>,
}

impl Cursor {
    pub(crate) fn new(server: ApiServer, position: u64, pulse: watch::Receiver<u64>) -> Self {
        Self { server, position, pulse }
    }

    /// All entries since the last call. After [`Missed`] the cursor stands at the end of the journal.
    pub fn drain(&mut self) -> Result<Vec<Arc<Entry>>, Missed> {
        let (found, end) = self.server.with_store(|store| (store.log.since(self.position), store.log.end()));
        self.position = end;
        found
    }

    /// Waits until there is at least one entry, and takes all of them.
    pub async fn next(&mut self) -> Result<Vec<Arc<Entry>>, Missed> {
        loop {
            self.pulse.borrow_and_update();
            let entries = self.drain()?;
            // The server holds the sender, and this cursor holds the server: the channel cannot close.
            if !entries.is_empty() || self.pulse.changed().await.is_err() {
                return Ok(entries);
            }
        }
    }
}
