#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::telemetry::metrics::Metrics;

fn queue() -> Queue<&'static str> {
    Queue::new(Clock::scaled(Time::from_seconds(0), 1.0), Metrics::new().unwrap().queue("test"), 1)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_turn_and_order_is_kept() {
    let queue = queue();
    for key in ["a", "b", "a", "c", "b"] {
        queue.add(key, Lane::Event);
    }
    assert_eq!(queue.depth(), 3);
    for expected in ["a", "b", "c"] {
        assert_eq!(queue.get().await, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_in_work_is_given_to_nobody_else() {
    let queue = queue();
    queue.add("a", Lane::Event);
    assert_eq!(queue.get().await, Some("a"));
    queue.add("a", Lane::Event);
    assert!(tokio::time::timeout(SECOND, queue.get()).await.is_err());
    queue.done(&"a");
    assert_eq!(queue.get().await, Some("a"));
}

#[tokio::test(start_paused = true)]
async fn events_go_first_and_resyncs_are_not_starved() {
    let queue = Queue::new(Clock::scaled(Time::from_seconds(0), 1.0), Metrics::new().unwrap().queue("test"), 1);
    queue.add(1_000, Lane::Resync);
    queue.add(1_001, Lane::Resync);
    for key in 0..20 {
        queue.add(key, Lane::Event);
    }
    let mut order = Vec::new();
    for _ in 0..22 {
        order.push(queue.get().await.unwrap());
    }
    assert_eq!(order.iter().position(|k| *k == 1_000), Some(8));
    assert_eq!(order.iter().position(|k| *k == 1_001), Some(17));
    queue.add(5_000, Lane::Resync);
    queue.add(5_001, Lane::Event);
    queue.add(5_000, Lane::Event);
    assert_eq!((queue.get().await, queue.get().await), (Some(5_001), Some(5_000)));
}

#[tokio::test(start_paused = true)]
async fn the_earlier_timer_wins() {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    let queue = Queue::new(clock.clone(), Metrics::new().unwrap().queue("test"), 1);
    queue.add_after("a", 5 * SECOND);
    queue.add_after("a", 9 * SECOND);
    queue.add_at("b", Time::from_seconds(3));
    assert_eq!(queue.get().await, Some("b"));
    assert_eq!(clock.monotonic().as_secs(), 3);
    assert_eq!(queue.get().await, Some("a"));
    assert_eq!(clock.monotonic().as_secs(), 5);
    queue.done(&"a");
    queue.done(&"b");
    assert!(queue.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_sleeper_hears_of_a_timer_that_another_worker_left() {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    let queue = Queue::new(clock.clone(), Metrics::new().unwrap().queue("test"), 1);
    queue.add_after("late", 10 * SECOND);
    let getter = |queue: Queue<&'static str>| tokio::spawn(async move { queue.get().await });
    let workers = [getter(queue.clone()), getter(queue.clone())];
    tokio::task::yield_now().await;
    queue.add_after("soon", 5 * SECOND);
    tokio::task::yield_now().await;
    queue.add("now", Lane::Event);
    let mut got = Vec::new();
    for worker in workers {
        got.push(worker.await.unwrap().unwrap());
    }
    got.sort_unstable();
    assert_eq!(got, ["now", "soon"]);
    assert_eq!(clock.monotonic().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn back_off_doubles_and_a_success_ends_it() {
    let queue = queue();
    let delays: Vec<_> = (0..16).map(|_| queue.fail("a")).collect();
    for (n, delay) in delays.iter().enumerate() {
        let exact = Duration::from_millis(1 << n).min(Duration::from_secs(10));
        assert!(*delay >= exact.mul_f64(0.8) && *delay <= exact.mul_f64(1.2), "{n}: {delay:?}");
    }
    assert_eq!(queue.failures(&"a"), 16);
    for _ in 0..100 {
        assert!(queue.fail("b") <= Duration::from_secs(12));
    }
    queue.forget(&"a");
    assert!(queue.fail("a") < Duration::from_millis(2));
}

#[tokio::test(start_paused = true)]
async fn shutting_down_releases_every_worker() {
    let queue = queue();
    let waiting = {
        let queue = queue.clone();
        tokio::spawn(async move { queue.get().await })
    };
    tokio::task::yield_now().await;
    queue.shut_down();
    assert_eq!(waiting.await.unwrap(), None);
    queue.add("a", Lane::Event);
    assert_eq!(queue.get().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_counted() {
    let metrics = Metrics::new().unwrap();
    let queue = Queue::new(Clock::scaled(Time::from_seconds(0), 1.0), metrics.queue("q"), 1);
    queue.add("a", Lane::Event);
    queue.add("a", Lane::Event);
    tokio::time::sleep(2 * SECOND).await;
    let key = queue.get().await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    let text = metrics.render().unwrap();
    assert!(text.contains("workqueue_adds_total{name=\"q\"} 1"), "{text}");
    assert!(text.contains("workqueue_unfinished_work_seconds{name=\"q\"} 3"), "{text}");
    assert!(text.contains("workqueue_queue_duration_seconds_sum{name=\"q\"} 2"), "{text}");
    queue.done(&key);
    queue.fail("a");
    let text = metrics.render().unwrap();
    assert!(text.contains("workqueue_work_duration_seconds_sum{name=\"q\"} 3"), "{text}");
    assert!(text.contains("workqueue_retries_total{name=\"q\"} 1"), "{text}");
}

/// The queue again, as slow and as plain as it can be said.
#[derive(Default)]
struct Naive {
    /// In order of arrival: key, lane.
    waiting: Vec<(u8, Lane)>,
    /// Keys that were added while a worker had them, with their lane.
    again: BTreeMap<u8, Lane>,
    processing: BTreeSet<u8>,
    timers: BTreeMap<u8, u64>,
    events_in_a_row: u32,
}

impl Naive {
    fn add(&mut self, key: u8, lane: Lane) {
        if self.processing.contains(&key) {
            let best = self.again.get(&key).map_or(lane, |known| lane.min(*known));
            self.again.insert(key, best);
            return;
        }
        match self.waiting.iter().position(|(known, _)| *known == key) {
            Some(at) if lane < self.waiting[at].1 => {
                self.waiting.remove(at);
                self.waiting.push((key, lane));
            }
            Some(_) => {}
            None => self.waiting.push((key, lane)),
        }
    }

    fn fire(&mut self, now: u64) {
        let mut due: Vec<_> = self.timers.iter().filter(|(_, at)| **at <= now).map(|(k, at)| (*at, *k)).collect();
        due.sort_unstable();
        for (_, key) in due {
            self.timers.remove(&key);
            self.add(key, Lane::Event);
        }
    }

    fn take(&mut self) -> Option<u8> {
        let first = |wanted: Lane| self.waiting.iter().position(|(_, lane)| *lane == wanted);
        let (event, resync) = (first(Lane::Event), first(Lane::Resync));
        let at = match (event, resync) {
            (Some(_), Some(resync)) if self.events_in_a_row >= state::EVENTS_PER_RESYNC => resync,
            (Some(event), _) => event,
            (None, Some(resync)) => resync,
            (None, None) => return None,
        };
        self.events_in_a_row = if Some(at) == event { self.events_in_a_row + 1 } else { 0 };
        let (key, _) = self.waiting.remove(at);
        self.processing.insert(key);
        Some(key)
    }

    fn done(&mut self, key: u8) {
        if self.processing.remove(&key)
            && let Some(lane) = self.again.remove(&key)
        {
            self.waiting.push((key, lane));
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(u8, bool),
    AddAt(u8, u64),
    Take,
    Done(u8),
    Pass(u64),
    Remove(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_u8, any::<bool>()).prop_map(|(k, e)| Op::Add(k, e)),
        2 => (0..6_u8, 0..20_u64).prop_map(|(k, d)| Op::AddAt(k, d)),
        5 => Just(Op::Take),
        4 => (0..6_u8).prop_map(Op::Done),
        2 => (0..10_u64).prop_map(Op::Pass),
        1 => (0..6_u8).prop_map(Op::Remove),
    ]
}

proptest! {
    #[test]
    fn behaves_as_the_naive_queue(ops in proptest::collection::vec(op(), 0..200)) {
        let (mut state, mut naive, mut now) = (State::new(3), Naive::default(), 0_u64);
        for op in ops {
            let at = Duration::from_secs(now);
            match op {
                Op::Add(key, event) => {
                    let lane = if event { Lane::Event } else { Lane::Resync };
                    state.add(key, lane, at);
                    naive.add(key, lane);
                }
                Op::AddAt(key, delay) => {
                    state.add_at(key, Duration::from_secs(now + delay));
                    let due = naive.timers.get(&key).map_or(now + delay, |known| (now + delay).min(*known));
                    naive.timers.insert(key, due);
                }
                Op::Take => prop_assert_eq!(state.take(at).map(|taken| taken.key), naive.take()),
                Op::Done(key) => {
                    state.done(&key, at);
                    naive.done(key);
                }
                Op::Pass(seconds) => {
                    now += seconds;
                    state.fire(Duration::from_secs(now));
                    naive.fire(now);
                }
                Op::Remove(key) => {
                    state.remove(&key);
                    naive.timers.remove(&key);
                }
            }
            prop_assert_eq!(state.depth(), naive.waiting.len());
            prop_assert_eq!(state.in_work(), naive.processing.len());
            prop_assert_eq!(state.next_timer(), naive.timers.values().min().map(|at| Duration::from_secs(*at)));
        }
    }
}
