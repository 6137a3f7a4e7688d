//! Event objects: one for each occurrence, and none lost for want of patience.
//!
//! client-go joins events and drops them under load; users then miss what happened to their rollout. Here each
//! occurrence is an object of its own. The caller waits for a moment, so that the event usually exists before the
//! status that tells of the same thing; after that it goes on in the background. Events of one object are stored in
//! the order in which they happened: who watches them sees no resumption before its pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ahash::AHashMap;
use parking_lot::Mutex;
use prometheus::IntCounterVec;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::client::{Api, Resource, Target};
use super::clock::Clock;
use super::error::{ApiError, ErrorKind};
use super::limiter::Class;
use super::object::ObjectKey;
use crate::api::text::within;

/// How long a caller waits for its event to be stored.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// Events on their way; more are dropped and counted.
pub const BUFFER: u32 = 2_000;
/// An event is tried so often, with a growing pause in between: it outlives an API server's restart.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest message, in bytes: objects of the API are small.
const LONGEST_MESSAGE: usize = 4 << 10;
/// Kubernetes' limit on names, and room for the suffix.
const LONGEST_NAME: usize = 253 - 17;

/// Whether something went as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// It did.
    Normal,
    /// Someone should look.
    Warning,
}

impl EventType {
    /// As it is written in the object and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// The object that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regarding {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace and name.
    pub key: ObjectKey,
    /// Identity.
    pub uid: String,
    /// Version of which this is true.
    pub resource_version: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// To what.
    pub regarding: Regarding,
    /// Good or bad.
    pub event_type: EventType,
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub message: String,
}

/// What became of an event by the time the caller went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is stored.
    Stored,
    /// It is on its way.
    InBackground,
    /// It was given up, and counted.
    Dropped,
}

/// An event on its way; `None` where there was no room for it.
#[derive(Debug)]
pub struct Pending(Option<JoinHandle<bool>>);

impl Pending {
    async fn settle(self, clock: &Clock) -> Recorded {
        let Some(task) = self.0 else { return Recorded::Dropped };
        match clock.within(PATIENCE, task).await {
            Some(Ok(true)) => Recorded::Stored,
            Some(_) => Recorded::Dropped,
            None => Recorded::InBackground,
        }
    }
}

/// Writes events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    api: Api,
    clock: Clock,
    component: String,
    dropped: IntCounterVec,
    places: Arc<Semaphore>,
    /// The last number used in a name: nanoseconds of the wall clock, or one more than the last.
    last: AtomicI64,
    /// The end of the last event on its way, by object; at most [`BUFFER`].
    turns: Mutex<AHashMap<ObjectKey, Last>>,
}

/// The last event of an object that was recorded.
#[derive(Debug)]
struct Last {
    number: i64,
    /// Resolves when it is stored or given up.
    over: oneshot::Receiver<()>,
}

/// An event's place among those of its object.
struct Turn {
    key: ObjectKey,
    number: i64,
    /// Resolves when the event before it is over; `None` where it is the only one.
    before: Option<oneshot::Receiver<()>>,
    /// Dropped when this one is over.
    over: oneshot::Sender<()>,
}

impl Recorder {
    /// A recorder whose events name `component` as their source; those given up are counted in `dropped{reason}`.
    pub fn new(api: Api, clock: Clock, component: impl Into<String>, dropped: IntCounterVec) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(BUFFER).unwrap_or(usize::MAX)));
        let component = component.into();
        Self {
            shared: Arc::new(Shared {
                api,
                clock,
                component,
                dropped,
                places,
                last: AtomicI64::new(0),
                turns: Mutex::default(),
            }),
        }
    }

    /// Writes an event, and waits for it for at most [`PATIENCE`]. Never fails: see [`Recorded`].
    pub async fn record(&self, occurrence: &Occurrence) -> Recorded {
        self.begin(occurrence).settle(&self.shared.clock).await
    }

    /// Waits for all of these, for at most [`PATIENCE`] altogether.
    pub async fn settle(&self, begun: Vec<Pending>) {
        let all = begun.into_iter().map(|pending| pending.settle(&self.shared.clock));
        drop(futures::future::join_all(all).await);
    }

    /// Begins to write an event. It goes on whether or not anybody waits for it.
    pub fn begin(&self, occurrence: &Occurrence) -> Pending {
        let Ok(place) = Arc::clone(&self.shared.places).try_acquire_owned() else {
            self.shared.dropped.with_label_values(&["full"]).inc();
            tracing::warn!(reason = %occurrence.reason, "too many events on their way; one is dropped");
            return Pending(None);
        };
        let turn = self.shared.turn(&occurrence.regarding.key);
        let (target, body) = self.shared.object(occurrence, turn.number);
        #[allow(clippy::disallowed_methods, reason = "goes on in the background within `places`")]
        let task = tokio::spawn(Arc::clone(&self.shared).take_turn(turn, (target, body), place));
        Pending(Some(task))
    }

    /// Waits until every event is stored or given up, for at most `limit`; returns how many are left.
    pub async fn flush(&self, limit: Duration) -> usize {
        let all = self.shared.places.acquire_many(BUFFER);
        // The permit is given back at once: a flush does not end recording.
        drop(self.shared.clock.within(limit, all).await);
        usize::try_from(BUFFER).unwrap_or(usize::MAX).saturating_sub(self.shared.places.available_permits())
    }
}

impl Shared {
    /// A number that no event of this process had before.
    fn number(&self) -> i64 {
        let now = self.clock.now().nanos();
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        let last = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).unwrap_or_default();
        now.max(last.saturating_add(1))
    }

    /// The next place among the events of an object.
    fn turn(&self, key: &ObjectKey) -> Turn {
        let (over, mine) = oneshot::channel();
        let mut turns = self.turns.lock();
        let number = self.number();
        let before = turns.insert(key.clone(), Last { number, over: mine }).map(|last| last.over);
        Turn { key: key.clone(), number, before, over }
    }

    /// Waits for the event before, then sends this one. The place is held meanwhile.
    async fn take_turn(self: Arc<Self>, turn: Turn, event: (Target, Value), place: OwnedSemaphorePermit) -> bool {
        if let Some(before) = turn.before {
            // It is over in either way: a task that ends drops its end.
            drop(before.await);
        }
        let stored = self.send(&event.0, &event.1).await;
        let mut turns = self.turns.lock();
        if turns.get(&turn.key).is_some_and(|last| last.number == turn.number) {
            turns.remove(&turn.key);
        }
        drop((turns, turn.over, place));
        stored
    }

    fn object(&self, occurrence: &Occurrence, number: i64) -> (Target, Value) {
        let Occurrence { regarding, event_type, reason, message } = occurrence;
        // client-go: cluster-scoped objects have their events in the default namespace.
        let namespace = if regarding.key.namespace.is_empty() { "default" } else { regarding.key.namespace.as_str() };
        let name = format!("{}.{:x}", cut(&regarding.key.name, LONGEST_NAME), number);
        let now = self.clock.now();
        let body = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": regarding.api_version,
                "kind": regarding.kind,
                "namespace": regarding.key.namespace,
                "name": regarding.key.name,
                "uid": regarding.uid,
                "resourceVersion": regarding.resource_version,
            },
            "type": event_type.as_str(),
            "reason": reason,
            "message": within(message, LONGEST_MESSAGE),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "reportingInstance": "",
        });
        (Target::new(Resource::new("", "v1", "events"), ObjectKey::new(namespace, name)), body)
    }

    /// Tries until the event is stored or cannot be. Returns whether it is stored.
    async fn send(&self, target: &Target, body: &Value) -> bool {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let stored: Result<serde::de::IgnoredAny, ApiError> = self.api.create(Class::Event, target, body).await;
            let Err(error) = stored else { return true };
            match error.kind {
                // An earlier attempt, whose answer was lost, has stored it.
                ErrorKind::AlreadyExists if attempt > 1 => return true,
                ErrorKind::Transient | ErrorKind::UnknownOutcome | ErrorKind::Throttled { .. }
                    if attempt < ATTEMPTS =>
                {
                    self.clock.sleep(error.retry_after().unwrap_or_default().max(pause)).await;
                    pause = pause.saturating_mul(2);
                }
                _ => {
                    self.dropped.with_label_values(&["refused"]).inc();
                    tracing::warn!(%error, "an event is given up");
                    return false;
                }
            }
        }
        false
    }
}

/// The first `limit` bytes of `text`, or a little less where a character would be cut.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
