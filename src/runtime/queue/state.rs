//! The queue as a value: no clock, no lock, no waiting. Time is a [`Duration`] since an origin of the caller's.
//!
//! Rules: a key waits at most once (`dirty`); a key that a worker has (`processing`) waits outside of the lanes
//! until it is done; within a lane, first come, first served; an event goes before a resync, but each
//! [`EVENTS_PER_RESYNC`] events let one resync pass, so that no load can starve it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::time::Duration;

use ahash::AHashMap;

use crate::runtime::random::SplitMix;

/// Delay after the first failure of a key. Argo: `DefaultArgoRolloutsRateLimiter`.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(1);
/// Delay that doubling stops at. Argo: `DefaultArgoRolloutsRateLimiter`.
pub const LAST_BACKOFF: Duration = Duration::from_secs(10);
/// Spread of the delays, so that keys that failed together do not come back together.
pub const BACKOFF_JITTER_PERCENT: u32 = 20;
/// After so many events in a row a waiting resync is served.
pub const EVENTS_PER_RESYNC: u32 = 8;

/// What can be a key.
pub trait Key: Clone + Eq + Ord + Hash + Send + 'static {}
impl<K: Clone + Eq + Ord + Hash + Send + 'static> Key for K {}

/// Which of the two lines a key waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Something has happened to it, or its time has come.
    Event,
    /// It is looked at to be sure: the first list, the periodic resync.
    Resync,
}

#[derive(Debug)]
struct Waiting {
    lane: Lane,
    /// Place in its lane; `None` while a worker has the key.
    place: Option<u64>,
    since: Duration,
}

/// A key that was taken, and how long it had waited.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<K> {
    /// The key.
    pub key: K,
    /// Time between its first add and now.
    pub waited: Duration,
}

/// What waits, what is worked on, what is due when, and how often each key failed.
#[derive(Debug)]
pub struct State<K> {
    dirty: AHashMap<K, Waiting>,
    processing: AHashMap<K, Duration>,
    events: BTreeMap<u64, K>,
    resyncs: BTreeMap<u64, K>,
    next_place: u64,
    events_in_a_row: u32,
    timers: BTreeSet<(Duration, K)>,
    due: AHashMap<K, Duration>,
    failures: AHashMap<K, u32>,
    random: SplitMix,
}

impl<K: Key> State<K> {
    /// An empty queue, whose jitter follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            dirty: AHashMap::new(),
            processing: AHashMap::new(),
            events: BTreeMap::new(),
            resyncs: BTreeMap::new(),
            next_place: 0,
            events_in_a_row: 0,
            timers: BTreeSet::new(),
            due: AHashMap::new(),
            failures: AHashMap::new(),
            random: SplitMix::seeded(seed),
        }
    }

    /// Adds `key` to `lane`. A key that waits already stays where it is, except that an event takes it out of
    /// the resync lane. Returns whether it began to wait.
    pub fn add(&mut self, key: K, lane: Lane, now: Duration) -> bool {
        if let Some(waiting) = self.dirty.get_mut(&key) {
            if lane < waiting.lane {
                waiting.lane = lane;
                if let Some(old) = waiting.place.take() {
                    self.resyncs.remove(&old);
                    self.next_place += 1;
                    waiting.place = Some(self.next_place);
                    self.events.insert(self.next_place, key);
                }
            }
            return false;
        }
        let place = if self.processing.contains_key(&key) { None } else { Some(self.push(key.clone(), lane)) };
        self.dirty.insert(key, Waiting { lane, place, since: now });
        true
    }

    fn push(&mut self, key: K, lane: Lane) -> u64 {
        self.next_place += 1;
        match lane {
            Lane::Event => self.events.insert(self.next_place, key),
            Lane::Resync => self.resyncs.insert(self.next_place, key),
        };
        self.next_place
    }

    /// Adds `key` to the event lane at `at`. Where it has a timer already, the earlier one stays.
    pub fn add_at(&mut self, key: K, at: Duration) {
        match self.due.get(&key) {
            Some(known) if *known <= at => return,
            Some(known) => {
                self.timers.remove(&(*known, key.clone()));
            }
            None => {}
        }
        self.due.insert(key.clone(), at);
        self.timers.insert((at, key));
    }

    /// When the next timer fires.
    pub fn next_timer(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Moves every key whose timer is at or before `now` into the event lane; returns how many began to wait.
    pub fn fire(&mut self, now: Duration) -> u64 {
        let mut began = 0;
        while self.next_timer().is_some_and(|at| at <= now) {
            let Some((_, key)) = self.timers.pop_first() else { break };
            self.due.remove(&key);
            began += u64::from(self.add(key, Lane::Event, now));
        }
        began
    }

    /// Takes the key whose turn it is. It belongs to the caller until [`State::done`].
    pub fn take(&mut self, now: Duration) -> Option<Taken<K>> {
        let resync_turn = self.events.is_empty() || self.events_in_a_row >= EVENTS_PER_RESYNC;
        let (_, key) = if resync_turn && !self.resyncs.is_empty() {
            self.events_in_a_row = 0;
            self.resyncs.pop_first()?
        } else {
            let first = self.events.pop_first()?;
            self.events_in_a_row = self.events_in_a_row.saturating_add(1).min(EVENTS_PER_RESYNC);
            first
        };
        let since = self.dirty.remove(&key).map_or(now, |waiting| waiting.since);
        self.processing.insert(key.clone(), now);
        Some(Taken { key, waited: now.saturating_sub(since) })
    }

    /// Gives back a key that was taken, so that it may be taken again. Returns how long it was worked on.
    pub fn done(&mut self, key: &K, now: Duration) -> Option<Duration> {
        let started = self.processing.remove(key)?;
        if let Some(lane) = self.dirty.get(key).filter(|waiting| waiting.place.is_none()).map(|waiting| waiting.lane) {
            let place = self.push(key.clone(), lane);
            if let Some(waiting) = self.dirty.get_mut(key) {
                waiting.place = Some(place);
            }
        }
        Some(now.saturating_sub(started))
    }

    /// Counts a failure of `key` and sets its timer: 1 ms, doubling to 10 s, ±20 %, and at least `least`.
    /// Returns the delay.
    pub fn fail(&mut self, key: K, now: Duration, least: Duration) -> Duration {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let doubled = 1_u32.checked_shl(*failures).unwrap_or(u32::MAX);
        *failures = failures.saturating_add(1).min(u32::BITS);
        let delay = FIRST_BACKOFF.saturating_mul(doubled).min(LAST_BACKOFF);
        let delay = self.random.jitter(delay, BACKOFF_JITTER_PERCENT).max(least);
        self.add_at(key, now.saturating_add(delay));
        delay
    }

    /// Forgets the failures of `key`, after a success.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Forgets all that is kept beyond the present for `key`: failures and timer. For objects that are gone.
    pub fn remove(&mut self, key: &K) {
        self.failures.remove(key);
        if let Some(at) = self.due.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    /// How often `key` failed since its last success.
    pub fn failures(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    /// Keys in the lanes.
    pub fn depth(&self) -> usize {
        self.events.len() + self.resyncs.len()
    }

    /// Keys that workers have.
    pub fn in_work(&self) -> usize {
        self.processing.len()
    }

    /// Ages of the work under way: their sum, and the oldest.
    pub fn ages(&self, now: Duration) -> (Duration, Duration) {
        self.processing.values().fold((Duration::ZERO, Duration::ZERO), |(sum, oldest), started| {
            let age = now.saturating_sub(*started);
            (sum.saturating_add(age), oldest.max(age))
        })
    }

    /// Whether no key waits, is worked on, or has a timer.
    pub fn is_idle(&self) -> bool {
        self.dirty.is_empty() && self.processing.is_empty() && self.timers.is_empty()
    }
}
