use std::sync::atomic::AtomicUsize;

use parking_lot::Mutex;

use super::*;
use crate::runtime::queue::Lane;
use crate::telemetry::metrics::Metrics;

fn room() -> (Queue<&'static str>, Clock) {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    (Queue::new(clock.clone(), Metrics::new().unwrap().queue("test"), 1), clock)
}

fn done() -> Outcome {
    Outcome::Done { wake_at: None }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_counted_and_backs_off() {
    let (queue, clock) = room();
    let turns = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&turns);
    let workers = Workers::start(2, &queue, &clock, move |_| {
        let turn = seen.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(turn >= 3, "turn {turn} goes wrong");
            done()
        }
    });
    queue.add("a", Lane::Event);
    clock.sleep(Duration::from_secs(1)).await;
    let tally = workers.counts().tally();
    assert_eq!(tally, Tally { done: 1, retried: 3, panicked: 3, ..Tally::default() });
    assert_eq!(queue.failures(&"a"), 0);
    assert!(queue.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_caught_too() {
    let (queue, clock) = room();
    let workers = Workers::start(1, &queue, &clock, |key| {
        assert_ne!(key, "bad", "refused");
        std::future::ready(done())
    });
    queue.add("bad", Lane::Event);
    queue.add("good", Lane::Event);
    clock.sleep(Duration::from_millis(1)).await;
    assert_eq!(workers.counts().tally().done, 1);
    assert!(workers.counts().tally().panicked >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_reconcile_is_aborted_after_five_minutes() {
    let (queue, clock) = room();
    let turns = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&turns);
    let workers = Workers::start(1, &queue, &clock, move |_| {
        let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            done()
        }
    });
    queue.add("a", Lane::Event);
    clock.sleep(TIME_LIMIT.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(workers.counts().tally(), Tally::default());
    clock.sleep(Duration::from_secs(2)).await;
    assert_eq!(workers.counts().tally(), Tally { done: 1, retried: 1, timed_out: 1, ..Tally::default() });
}

#[tokio::test(start_paused = true)]
async fn outcomes_decide_the_next_turn() {
    let (queue, clock) = room();
    let turns: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (seen, at) = (Arc::clone(&turns), clock.clone());
    let workers = Workers::start(1, &queue, &clock, move |_| {
        seen.lock().push(at.monotonic().as_secs());
        let turn = seen.lock().len();
        std::future::ready(match turn {
            1 => Outcome::Done { wake_at: Some(Time::from_seconds(10)) },
            2 => Outcome::Behind { check_after: Duration::from_secs(30) },
            3 => Outcome::Retry { error: "slow down".into(), after: Some(Duration::from_secs(5)) },
            4 => Outcome::GiveUp { error: "not found".into() },
            _ => Outcome::Gone,
        })
    });
    queue.add("a", Lane::Event);
    clock.sleep(Duration::from_secs(500)).await;
    assert_eq!(*turns.lock(), [0, 10, 40, 45]);
    let expected = Tally { done: 1, behind: 1, retried: 1, given_up: 1, ..Tally::default() };
    assert_eq!(workers.counts().tally(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_work_but_not_for_ever() {
    for (work, drained) in [(5, Drained::Completely), (500, Drained::Aborted(1))] {
        let (queue, clock) = room();
        let sleeping = clock.clone();
        let workers = Workers::start(3, &queue, &clock, move |_| {
            let clock = sleeping.clone();
            async move {
                clock.sleep(Duration::from_secs(work)).await;
                done()
            }
        });
        queue.add("a", Lane::Event);
        clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(workers.drain(Duration::from_secs(20)).await, drained);
        assert!(clock.monotonic() <= Duration::from_secs(22));
    }
}

#[tokio::test(start_paused = true)]
async fn never_two_workers_on_one_key() {
    let (queue, clock) = room();
    let (inside, worst) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (i, w, c) = (Arc::clone(&inside), Arc::clone(&worst), clock.clone());
    let workers = Workers::start(8, &queue, &clock, move |_| {
        let (inside, worst, clock) = (Arc::clone(&i), Arc::clone(&w), c.clone());
        async move {
            worst.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            clock.sleep(Duration::from_millis(7)).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            done()
        }
    });
    for _ in 0..50 {
        queue.add("a", Lane::Event);
        clock.sleep(Duration::from_millis(3)).await;
    }
    assert_eq!(worst.load(Ordering::SeqCst), 1);
    assert!(workers.counts().tally().done > 10);
}

#[test]
fn a_chain_names_each_cause_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot patch")]
    struct Outer(#[source] std::io::Error);
    assert_eq!(chain(&Outer(std::io::Error::other("no route"))), "cannot patch: no route");
}
