//! Workers: each takes a key from a [`Queue`], has it reconciled, and tells the queue what came of it.
//!
//! A reconcile that panics or hangs costs one key one turn: it runs as a task of its own, is aborted after
//! [`TIME_LIMIT`], and backs off like any failure. What a reconcile does is not known here.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, JoinSet};
use tracing::Instrument;

use super::clock::Clock;
use super::queue::{Key, Queue};
use crate::api::Time;

/// A reconcile that takes longer is reported.
pub const WARN_AFTER: Duration = Duration::from_secs(30);
/// A reconcile that takes longer is aborted and tried again later.
pub const TIME_LIMIT: Duration = Duration::from_mins(5);

/// An error of a reconcile, for the log and the back-off.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came of one reconcile, and so when the key is looked at again.
#[derive(Debug)]
pub enum Outcome {
    /// All is well; look again at `wake_at`, or when something changes.
    Done {
        /// When time alone will make a difference.
        wake_at: Option<Time>,
    },
    /// Nothing was decided, because the caches are behind our own writes: the change that ends this brings the
    /// key back. `check_after` is the time after which to look even without it. Counts as no failure.
    Behind {
        /// How long to wait for the caches.
        check_after: Duration,
    },
    /// It failed: again after the key's back-off, and not before `after`, where the server asked for that.
    Retry {
        /// What went wrong.
        error: Failure,
        /// The earliest time to try again.
        after: Option<Duration>,
    },
    /// It failed, and trying again is of no use before something changes (Argo: a Kubernetes `NotFound`).
    GiveUp {
        /// What went wrong.
        error: Failure,
    },
    /// The object does not exist any more: all that is kept for its key is forgotten.
    Gone,
}

impl Outcome {
    /// A failure that is tried again after the key's back-off.
    pub fn retry(error: impl Into<Failure>) -> Self {
        Self::Retry { error: error.into(), after: None }
    }
}

/// Brings the world of one key closer to what is wanted.
pub trait Reconcile<K>: Send + Sync + 'static {
    /// One turn. May be aborted at any await: each prefix of its writes must be safe.
    fn reconcile(&self, key: K) -> impl Future<Output = Outcome> + Send;

    /// Called after each turn, with the time it took: the place for metrics of the kind.
    fn finished(&self, key: &K, outcome: &Outcome, took: Duration) {
        let _ = (key, outcome, took);
    }
}

impl<K, F, W> Reconcile<K> for F
where
    F: Fn(K) -> W + Send + Sync + 'static,
    W: Future<Output = Outcome> + Send,
{
    fn reconcile(&self, key: K) -> impl Future<Output = Outcome> + Send {
        self(key)
    }
}

/// A turn that ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// It panicked. Argo: the wording of its worker's log.
    #[error("Recovered from Panic: {0}; the key is tried again with back-off")]
    Panicked(String),
    /// It took too long.
    #[error("the reconcile took longer than {}s and was aborted; the key is tried again with back-off", .0.as_secs())]
    TimedOut(Duration),
    /// The runtime is stopping.
    #[error("the reconcile was cancelled because the process stops")]
    Cancelled,
}

/// How many turns ended how, since the start.
#[derive(Debug, Default)]
pub struct Counts {
    done: AtomicU64,
    behind: AtomicU64,
    retried: AtomicU64,
    given_up: AtomicU64,
    panicked: AtomicU64,
    timed_out: AtomicU64,
}

/// The numbers of [`Counts`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ended well, the object's absence included.
    pub done: u64,
    /// Waited for the caches.
    pub behind: u64,
    /// Failed, to be tried again; panics and time-outs included.
    pub retried: u64,
    /// Failed, not to be tried again.
    pub given_up: u64,
    /// Panicked.
    pub panicked: u64,
    /// Took too long.
    pub timed_out: u64,
}

impl Counts {
    /// The numbers now.
    pub fn tally(&self) -> Tally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally {
            done: read(&self.done),
            behind: read(&self.behind),
            retried: read(&self.retried),
            given_up: read(&self.given_up),
            panicked: read(&self.panicked),
            timed_out: read(&self.timed_out),
        }
    }
}

/// The workers of one queue. Dropping them aborts what they do.
#[derive(Debug)]
pub struct Workers {
    tasks: JoinSet<()>,
    counts: Arc<Counts>,
    clock: Clock,
    close: Close,
}

/// Shuts the queue down, whatever its key type.
struct Close(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Close")
    }
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every reconcile ended by itself.
    Completely,
    /// So many workers had to be aborted.
    Aborted(usize),
}

impl Workers {
    /// Starts `count` workers (at least one) over `queue`.
    pub fn start<K: Key + fmt::Debug + Sync>(
        count: usize,
        queue: &Queue<K>,
        clock: &Clock,
        reconcile: impl Reconcile<K>,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let reconcile = Arc::new(reconcile);
        let mut tasks = JoinSet::new();
        for _ in 0..count.max(1) {
            let worker = Worker {
                queue: queue.clone(),
                clock: clock.clone(),
                reconcile: Arc::clone(&reconcile),
                counts: Arc::clone(&counts),
            };
            tasks.spawn(worker.run());
        }
        let closing = queue.clone();
        let close = Close(Box::new(move || closing.shut_down()));
        Self { tasks, counts, clock: clock.clone(), close }
    }

    /// How many turns ended how.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Shuts the queue down and lets what is under way end, for at most `limit`; then aborts it.
    pub async fn drain(mut self, limit: Duration) -> Drained {
        (self.close.0)();
        let clock = self.clock.clone();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if clock.within(limit, all).await.is_some() {
            return Drained::Completely;
        }
        let left = self.tasks.len();
        self.tasks.shutdown().await;
        Drained::Aborted(left)
    }

    /// Shuts the queue down and aborts what is under way at its next await: for a process that does not lead any more.
    pub async fn abort(mut self) {
        (self.close.0)();
        self.tasks.shutdown().await;
    }
}

struct Worker<K, R> {
    queue: Queue<K>,
    clock: Clock,
    reconcile: Arc<R>,
    counts: Arc<Counts>,
}

impl<K: Key + fmt::Debug + Sync, R: Reconcile<K>> Worker<K, R> {
    async fn run(self) {
        while let Some(key) = self.queue.get().await {
            let started = self.clock.monotonic();
            let outcome = self.turn(&key).await;
            let took = self.clock.monotonic().saturating_sub(started);
            self.reconcile.finished(&key, &outcome, took);
            self.settle(&key, outcome);
            self.queue.done(&key);
        }
    }

    /// One reconcile as a task of its own, so that its panic ends there.
    async fn turn(&self, key: &K) -> Outcome {
        let (reconcile, owned) = (Arc::clone(&self.reconcile), key.clone());
        let span = tracing::info_span!("reconcile", key = ?key);
        let work = async move { reconcile.reconcile(owned).await };
        #[allow(clippy::disallowed_methods, reason = "joined below, and aborted where the worker is dropped")]
        let mut task = AbortOnDrop(tokio::spawn(work.instrument(span)));
        let mut joined = self.clock.within(WARN_AFTER, &mut task.0).await;
        if joined.is_none() {
            tracing::warn!(?key, seconds = WARN_AFTER.as_secs(), "a reconcile is slow");
            joined = self.clock.within(TIME_LIMIT.saturating_sub(WARN_AFTER), &mut task.0).await;
        }
        if let Some(joined) = joined {
            return self.outcome(joined);
        }
        task.0.abort();
        // Only once it is really over may another worker have the key.
        match (&mut task.0).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => self.outcome(Err(error)),
            Err(_) => {
                self.counts.timed_out.fetch_add(1, Ordering::Relaxed);
                Outcome::retry(Interrupted::TimedOut(TIME_LIMIT))
            }
        }
    }

    fn outcome(&self, joined: Result<Outcome, JoinError>) -> Outcome {
        match joined {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => {
                self.counts.panicked.fetch_add(1, Ordering::Relaxed);
                Outcome::retry(Interrupted::Panicked(said(error)))
            }
            Err(_) => Outcome::retry(Interrupted::Cancelled),
        }
    }

    /// Tells the queue.
    fn settle(&self, key: &K, outcome: Outcome) {
        let counted = match outcome {
            Outcome::Done { wake_at } => {
                self.queue.forget(key);
                if let Some(at) = wake_at {
                    self.queue.add_at(key.clone(), at);
                }
                &self.counts.done
            }
            Outcome::Gone => {
                self.queue.remove(key);
                &self.counts.done
            }
            Outcome::Behind { check_after } => {
                self.queue.add_after(key.clone(), check_after);
                &self.counts.behind
            }
            Outcome::Retry { error, after } => {
                let delay = self.queue.fail_after(key.clone(), after.unwrap_or_default());
                tracing::error!(?key, error = %chain(error.as_ref()), retry_in = ?delay, "reconcile failed");
                &self.counts.retried
            }
            Outcome::GiveUp { error } => {
                self.queue.forget(key);
                tracing::error!(?key, error = %chain(error.as_ref()), "reconcile failed; waiting for a change");
                &self.counts.given_up
            }
        };
        counted.fetch_add(1, Ordering::Relaxed);
    }
}

struct AbortOnDrop(JoinHandle<Outcome>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The text of a panic, where it was one.
fn said(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "no panic".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// An error with its causes, in one line. A cause that the error repeats already is left out.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests;
