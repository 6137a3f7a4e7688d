//! A queue of keys for level-triggered controllers, after client-go's workqueue: a burst of changes to one
//! object is one turn, two workers never have the same key, and first come is first served.
//!
//! The rules are in [`state`], where they are tested without time; here are the lock, the waiting and the metrics.
//! The queue never looks at what a key means.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clock::Clock;
use crate::api::Time;
use crate::telemetry::metrics::QueueMetrics;

pub mod state;
pub use state::{Key, Lane, State, Taken};

/// Longest timer; a later wish is looked at again then. Keeps a wrong date from parking a key for ever.
pub const LONGEST_TIMER: Duration = Duration::from_hours(1);

/// A queue of keys `K`. Cheap to clone; clones are the same queue.
#[derive(Clone, Debug)]
pub struct Queue<K> {
    shared: Arc<Shared<K>>,
}

#[derive(Debug)]
struct Shared<K> {
    inner: Mutex<Inner<K>>,
    changed: Notify,
    clock: Clock,
    metrics: QueueMetrics,
}

#[derive(Debug)]
struct Inner<K> {
    state: State<K>,
    closed: bool,
}

impl<K: Key> Queue<K> {
    /// An empty queue. `seed` decides the jitter of its back-off.
    pub fn new(clock: Clock, metrics: QueueMetrics, seed: u64) -> Self {
        let inner = Mutex::new(Inner { state: State::new(seed), closed: false });
        let queue = Self { shared: Arc::new(Shared { inner, changed: Notify::new(), clock, metrics }) };
        let weak = Arc::downgrade(&queue.shared);
        queue.shared.metrics.probe(move || {
            weak.upgrade().map_or_else(Default::default, |shared| {
                let now = shared.clock.monotonic();
                shared.inner.lock().state.ages(now)
            })
        });
        queue
    }

    /// Adds a key, now. Does nothing once the queue is shut down, or where the key waits already.
    pub fn add(&self, key: K, lane: Lane) {
        self.change(|state, now| u64::from(state.add(key, lane, now)));
    }

    /// Adds a key to the event lane after `delay`; of two timers of one key, the earlier wins.
    pub fn add_after(&self, key: K, delay: Duration) {
        self.change(|state, now| {
            state.add_at(key, now.saturating_add(delay.min(LONGEST_TIMER)));
            0
        });
    }

    /// Adds a key to the event lane when the wall clock shows `at`.
    pub fn add_at(&self, key: K, at: Time) {
        self.add_after(key, self.shared.clock.now().until(at));
    }

    /// Counts a failure of `key` and adds it after its back-off, which is returned.
    pub fn fail(&self, key: K) -> Duration {
        self.fail_after(key, Duration::ZERO)
    }

    /// As [`Queue::fail`], but not before `least` has passed: for a server that asked for patience.
    pub fn fail_after(&self, key: K, least: Duration) -> Duration {
        let mut delay = Duration::ZERO;
        self.change(|state, now| {
            delay = state.fail(key, now, least.min(LONGEST_TIMER));
            0
        });
        self.shared.metrics.retries.inc();
        delay
    }

    /// Forgets the failures of `key`, after a success.
    pub fn forget(&self, key: &K) {
        self.shared.inner.lock().state.forget(key);
    }

    /// Forgets failures and timer of a key whose object is gone.
    pub fn remove(&self, key: &K) {
        self.shared.inner.lock().state.remove(key);
    }

    /// How often `key` failed since its last success.
    pub fn failures(&self, key: &K) -> u32 {
        self.shared.inner.lock().state.failures(key)
    }

    /// Keys that wait for a worker now.
    pub fn depth(&self) -> usize {
        self.shared.inner.lock().state.depth()
    }

    /// Whether nothing waits, is worked on, or has a timer.
    pub fn is_idle(&self) -> bool {
        self.shared.inner.lock().state.is_idle()
    }

    /// Waits for the next key. It belongs to the caller until [`Queue::done`]. `None` once the queue is shut down.
    pub async fn get(&self) -> Option<K> {
        loop {
            // Registered before looking, so that what is added in between wakes us.
            let changed = self.shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            match self.try_get() {
                Attempt::Key(key) => return Some(key),
                Attempt::Closed => return None,
                Attempt::Until(Some(timer)) => tokio::select! {
                    biased;
                    () = &mut changed => {}
                    () = self.shared.clock.sleep_until(timer) => {}
                },
                Attempt::Until(None) => changed.await,
            }
        }
    }

    /// Gives back a key that [`Queue::get`] returned.
    pub fn done(&self, key: &K) {
        let now = self.shared.clock.monotonic();
        let worked = {
            let mut inner = self.shared.inner.lock();
            let worked = inner.state.done(key, now);
            self.observe(&inner.state);
            worked
        };
        if let Some(worked) = worked {
            self.shared.metrics.worked(worked);
        }
        self.shared.changed.notify_one();
    }

    /// Takes no more keys and hands out no more: every [`Queue::get`] returns `None`. What is worked on goes on.
    pub fn shut_down(&self) {
        self.shared.inner.lock().closed = true;
        self.shared.changed.notify_waiters();
    }

    fn try_get(&self) -> Attempt<K> {
        let now = self.shared.clock.monotonic();
        let mut inner = self.shared.inner.lock();
        if inner.closed {
            return Attempt::Closed;
        }
        self.shared.metrics.adds.inc_by(inner.state.fire(now));
        let taken = inner.state.take(now);
        self.observe(&inner.state);
        let timer = inner.state.next_timer();
        let more = inner.state.depth() > 0 || timer.is_some();
        drop(inner);
        let Some(Taken { key, waited }) = taken else { return Attempt::Until(timer) };
        self.shared.metrics.waited(waited);
        if more {
            // One wake-up was one chance to look: pass it on, or a key or an earlier timer is left to a sleeper.
            self.shared.changed.notify_one();
        }
        Attempt::Key(key)
    }

    fn change(&self, change: impl FnOnce(&mut State<K>, Duration) -> u64) {
        let now = self.shared.clock.monotonic();
        {
            let mut inner = self.shared.inner.lock();
            if inner.closed {
                return;
            }
            let began = change(&mut inner.state, now);
            self.shared.metrics.adds.inc_by(began);
            self.observe(&inner.state);
        }
        self.shared.changed.notify_one();
    }

    fn observe(&self, state: &State<K>) {
        self.shared.metrics.depth.set(i64::try_from(state.depth()).unwrap_or(i64::MAX));
    }
}

enum Attempt<K> {
    Key(K),
    Closed,
    /// Nothing is ready; the next timer, if there is one.
    Until(Option<Duration>),
}

#[cfg(test)]
mod tests;
