//! The room as a whole: from an event on the wire to a turn of a worker, and the wait for our own writes.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::cache::{Index, Source, Store};
use super::clock::Clock;
use super::expectations::{Expectations, ObjectRef, Readiness, Seen};
use super::object::ObjectKey;
use super::queue::{Lane, Queue};
use super::testing::{Answer, client};
use super::watch::{Watch, Watches};
use super::worker::{Outcome, Workers};
use crate::api::Time;
use crate::api::lite::Service;
use crate::telemetry::metrics::Metrics;

fn event(kind: &str, name: &str, version: u64) -> Value {
    let metadata = json!({"name": name, "namespace": "shop", "uid": name, "resourceVersion": version.to_string()});
    json!({"type": kind, "object": {"metadata": metadata, "spec": {"selector": {"app": "web"}}}})
}

fn initial_end() -> Value {
    let metadata = json!({"resourceVersion": "50", "annotations": {"k8s.io/initial-events-end": "true"}});
    json!({"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "Service", "metadata": metadata}})
}

#[tokio::test(start_paused = true)]
async fn an_event_becomes_one_turn_and_a_deletion_is_one_too() {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    let metrics = Metrics::new().unwrap();
    let queue: Queue<ObjectKey> = Queue::new(clock.clone(), metrics.queue("Services"), 1);
    let adding = queue.clone();
    let indexes = vec![Index {
        name: "app",
        keys: |s: &Service| s.spec.selector.get("app").map(str::to_owned).into_iter().collect(),
    }];
    let store = Arc::new(Store::new(indexes, move |change| {
        adding.add(change.key(), if change.source == Source::List { Lane::Resync } else { Lane::Event });
    }));
    let (client, _) = client(|_| {
        Answer::Watch(vec![
            event("ADDED", "a", 1),
            event("ADDED", "b", 2),
            initial_end(),
            event("MODIFIED", "b", 60),
            event("DELETED", "a", 61),
        ])
    });
    let mut watches = Watches::new(client, clock.clone(), metrics.watches.clone(), 1);
    watches.start(Watch::all(Arc::clone(&store)));
    watches.readiness().synced().await;
    let turns: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, cache) = (Arc::clone(&turns), Arc::clone(&store));
    let workers = Workers::start(2, &queue, &clock, move |key: ObjectKey| {
        let outcome = match cache.get(&key) {
            Some(service) => {
                seen.lock().push(format!("{key}@{}", service.metadata.resource_version));
                Outcome::Done { wake_at: None }
            }
            None => {
                seen.lock().push(format!("{key} gone"));
                Outcome::Gone
            }
        };
        std::future::ready(outcome)
    });
    clock.sleep(Duration::from_secs(1)).await;
    // What happened before the workers started is one turn a key, on the world as it is.
    turns.lock().sort_unstable();
    assert_eq!(*turns.lock(), ["shop/a gone", "shop/b@60"]);
    assert_eq!(store.by("app", "web").len(), 1);
    assert_eq!(workers.counts().tally().done, 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_write_is_not_seen_waits_for_the_event_and_not_for_the_timer() {
    let clock = Clock::scaled(Time::from_seconds(0), 1.0);
    let queue: Queue<&str> = Queue::new(clock.clone(), Metrics::new().unwrap().queue("q"), 1);
    let expectations = Arc::new(Expectations::new(clock.clone()));
    let cached: Arc<Mutex<Option<Seen>>> = Arc::default();
    let object = ObjectRef { kind: "Service", key: ObjectKey::new("shop", "web") };
    expectations.wrote(&"web", object, Seen { uid: "u".to_owned(), resource_version: "10".to_owned() });
    let (expected, cache, at) = (Arc::clone(&expectations), Arc::clone(&cached), clock.clone());
    let decided: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let times = Arc::clone(&decided);
    let workers = Workers::start(1, &queue, &clock, move |key: &'static str| {
        std::future::ready(match expected.check(&key, |_| cache.lock().clone()) {
            Readiness::Ready => {
                times.lock().push(at.monotonic());
                Outcome::Done { wake_at: None }
            }
            Readiness::Behind { check_after } => Outcome::Behind { check_after },
            Readiness::ReadLive(objects) => Outcome::retry(format!("{objects:?} should have been seen")),
        })
    });
    queue.add("web", Lane::Event);
    clock.sleep(Duration::from_secs(2)).await;
    assert!(decided.lock().is_empty());
    *cached.lock() = Some(Seen { uid: "u".to_owned(), resource_version: "10".to_owned() });
    queue.add("web", Lane::Event);
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(*decided.lock(), [Duration::from_secs(2)]);
    assert_eq!(workers.counts().tally().behind, 1);
}
