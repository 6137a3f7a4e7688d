#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use super::*;
use crate::api::Time;

fn limiter(qps: f64, burst: u32, in_flight: usize) -> (Limiter, Clock) {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    (Limiter::new(Limits { qps, burst, in_flight }, clock.clone()), clock)
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let (limiter, clock) = limiter(10.0, 5, 100);
    for _ in 0..25 {
        drop(limiter.acquire(Class::Decision).await);
    }
    let took = clock.monotonic().as_millis();
    assert!((1_990..=2_100).contains(&took), "{took} ms");
    // A quiet time fills the bucket, but never beyond the burst.
    clock.sleep(Duration::from_secs(100)).await;
    let before = clock.monotonic();
    for _ in 0..6 {
        drop(limiter.acquire(Class::Decision).await);
    }
    let took = clock.monotonic().saturating_sub(before).as_millis();
    assert!((90..=110).contains(&took), "{took} ms");
}

/// The order in which waiters of these classes are served, one at a time, all lined up behind one in flight.
async fn order(classes: &[Class]) -> Vec<usize> {
    let (limiter, _) = limiter(0.0, 1, 1);
    let first = limiter.acquire(Class::Event).await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = tokio::task::JoinSet::new();
    for (n, class) in classes.iter().copied().enumerate() {
        let (limiter, sender) = (limiter.clone(), sender.clone());
        tasks.spawn(async move {
            let _permit = limiter.acquire(class).await;
            sender.send(n).unwrap();
        });
        tokio::task::yield_now().await;
    }
    assert_eq!(limiter.waiting(), classes.len());
    drop((first, sender));
    let mut served = Vec::new();
    while let Some(n) = receiver.recv().await {
        served.push(n);
    }
    served
}

#[tokio::test(start_paused = true)]
async fn urgent_requests_overtake() {
    use Class::{Decision, Event, Route, Upkeep};
    assert_eq!(order(&[Event, Upkeep, Decision, Route, Event, Route]).await, [3, 5, 2, 1, 0, 4]);
}

#[tokio::test(start_paused = true)]
async fn no_class_is_starved() {
    let mut classes = vec![Class::Event];
    classes.extend([Class::Route; 40]);
    let served = order(&classes).await;
    assert_eq!(served.iter().position(|n| *n == 0), Some(14), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_leaves_its_place() {
    let (limiter, _) = limiter(0.0, 1, 1);
    let held = limiter.acquire(Class::Event).await;
    assert!(tokio::time::timeout(Duration::from_millis(5), limiter.acquire(Class::Route)).await.is_err());
    assert_eq!(limiter.waiting(), 0);
    let waiting = {
        let limiter = limiter.clone();
        tokio::spawn(async move { drop(limiter.acquire(Class::Event).await) })
    };
    tokio::task::yield_now().await;
    drop(held);
    tokio::time::timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_cap_are_in_flight() {
    let (limiter, clock) = limiter(0.0, 1, 3);
    let held =
        [limiter.acquire(Class::Route).await, limiter.acquire(Class::Route).await, limiter.acquire(Class::Route).await];
    assert!(clock.within(Duration::from_secs(9), limiter.acquire(Class::Route)).await.is_none());
    drop(held);
    assert!(clock.within(Duration::from_secs(9), limiter.acquire(Class::Route)).await.is_some());
}
